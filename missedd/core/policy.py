"""The operator's decisions as frozen values: the campaigns, and what each owes its callers.

`missedd.config.loader` builds these values from TOML and checks them; core trusts them. Durations are
`timedelta`. A table that is not in the file is None here: missedd does not do that thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from missedd.core.agent_rotation import Agent, concurrent_call_limit
from missedd.core.business_hours import BusinessHours, DailyWindow
from missedd.core.contact_countries import Countries
from missedd.core.model import InboundCall, Kind, Outcome


def quoted(name: str) -> str:
    """A campaign's or a poll's name as messages show it."""
    return json.dumps(name, ensure_ascii=False)


class MessageClass(StrEnum):
    """India's classes of commercial messages; quiet hours hold promotional messages."""

    PROMOTIONAL = "promotional"
    SERVICE = "service"
    TRANSACTIONAL = "transactional"


MAX_RING_TIME: Final = timedelta(minutes=1)
"""The provider's limit for its parameter `TimeOut`."""

MAX_CALL_SETUP: Final = timedelta(minutes=1)
"""The longest time from the claim of a callback to its first ring, if nobody has answered."""


class AfterHoursCallback(StrEnum):
    DEFER = "defer"
    SKIP = "skip"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Retries:
    """The waits before the second, third … try of a callback, by the outcome of the try before."""

    no_answer: tuple[timedelta, ...] = ()
    busy: tuple[timedelta, ...] = ()
    failed: tuple[timedelta, ...] = ()

    def delays_after(self, outcome: Outcome) -> tuple[timedelta, ...]:
        """The waits after tries with this outcome; none if it needs no further try."""
        match outcome:
            case Outcome.NO_ANSWER:
                return self.no_answer
            case Outcome.BUSY:
                return self.busy
            case Outcome.FAILED:
                return self.failed
            case _:
                return ()

    def shortest_delays(self) -> tuple[timedelta, ...]:
        """The shortest wait before each try: the sequence that calls most often."""
        lists = (self.no_answer, self.busy, self.failed)
        most = max(map(len, lists))
        return tuple(min(waits[i] for waits in lists if i < len(waits)) for i in range(most))


@dataclass(frozen=True, slots=True)
class CallbackPolicy:
    """Either `flow` (the customer is called, then connected to the flow) or `agents` (two numbers are
    connected)."""

    delay: timedelta
    flow: str | None
    agents: tuple[Agent, ...]
    first: str
    """Who is called first if agents are connected: `agent` or `customer`."""
    max_per_hour: int
    ring_timeout: timedelta
    give_up_after: timedelta
    retries: Retries
    message_class: MessageClass
    time_limit: timedelta = timedelta(hours=1)
    """The longest conversation. Exotel gets this limit, so it is known when a call is over at the latest."""
    caller_id: str | None = None
    """The ExoPhone to call from, E.164; None: the ExoPhone that the caller called."""
    calls_at_once: int | None = None
    """The limit of the campaign with a flow, of each agent with agents; None if it is not set."""
    agent_retry: timedelta = timedelta(minutes=2)
    """How long an agent who missed a call is left alone; doubled with each miss in a row."""

    @property
    def longest_call(self) -> timedelta:
        """From the first ring to the latest time at which the call can be up."""
        legs = 2 if self.agents else 1
        return legs * self.ring_timeout + self.time_limit


@dataclass(frozen=True, slots=True)
class SmsPolicy:
    """`body` may contain fields such as `{time}`; see `missedd.core.sms.template`."""

    sender: str
    body: str
    dlt_entity_id: str | None
    dlt_template_id: str | None
    message_class: MessageClass
    give_up_after: timedelta
    dlt_template: str | None = None
    """The registered text with its variables; a text that does not match it is not sent."""


class WebhookFormat(StrEnum):
    """The format of a webhook's body. `form` has the parameters of Exotel's own missed-call webhook."""

    JSON = "json"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class WebhookPolicy:
    url: str
    format: WebhookFormat = WebhookFormat.JSON


@dataclass(frozen=True, slots=True)
class VotePolicy:
    poll: str
    option: str


@dataclass(frozen=True, slots=True)
class PollPolicy:
    name: str
    votes_per_number: int
    keep: str
    opens_at: datetime | None
    closes_at: datetime | None
    countries: Countries = None
    """The countries whose votes count; None: all."""


@dataclass(frozen=True, slots=True)
class SubscribePolicy:
    list: str
    purpose: str
    has_own_purpose: bool = True
    """Whether the operator set a purpose; else it is the name of the list."""


@dataclass(frozen=True, slots=True)
class UnsubscribePolicy:
    list: str
    suppress: bool = False
    """Whether a caller who leaves the list is not contacted any more at all."""
    suppress_for: timedelta | None = None
    """For how long; None: for ever."""


@dataclass(frozen=True, slots=True)
class VerifyPolicy:
    ttl: timedelta
    """How long a verification waits for its call."""
    max_per_hour: int
    """How many verifications of one number may be started in any hour."""


@dataclass(frozen=True, slots=True)
class AfterHoursPolicy:
    callback: AfterHoursCallback
    sms: SmsPolicy | None


@dataclass(frozen=True, slots=True)
class Campaign:
    """Owns one or more ExoPhones (E.164) and decides what their callers are owed."""

    name: str
    exophones: tuple[str, ...]
    dedup_window: timedelta
    callback: CallbackPolicy | None = None
    sms: SmsPolicy | None = None
    lead_source: str | None = None
    webhook: WebhookPolicy | None = None
    hours: BusinessHours | None = None
    after_hours: AfterHoursPolicy = AfterHoursPolicy(AfterHoursCallback.DEFER, None)
    vote: VotePolicy | None = None
    subscribe: SubscribePolicy | None = None
    unsubscribe: UnsubscribePolicy | None = None
    verify: VerifyPolicy | None = None
    countries: Countries = None
    """The countries whose numbers it calls and sends SMS to."""

    @property
    def label(self) -> str:
        """How messages about one of its keys begin: `campaign "admissions"`."""
        return f"campaign {quoted(self.name)}"

    @property
    def action_kinds(self) -> tuple[Kind, ...]:
        """The kinds of action to which its calls may lead, in the order of `Kind`."""
        has = {
            Kind.LEAD: self.lead_source,
            Kind.VOTE: self.vote,
            Kind.SUBSCRIBE: self.subscribe,
            Kind.UNSUBSCRIBE: self.unsubscribe,
            Kind.VERIFY: self.verify,
            Kind.WEBHOOK: self.webhook,
            Kind.SMS: self.sms or self.after_hours.sms,
            Kind.CALLBACK: self.callback,
        }
        return tuple(kind for kind, table in has.items() if table is not None)

    @property
    def opts_callers_out(self) -> bool:
        """Whether a call puts its caller on the suppression list."""
        return self.unsubscribe is not None and self.unsubscribe.suppress


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything on which decisions depend, in one value."""

    campaigns: tuple[Campaign, ...]
    promotional_hours: DailyWindow
    """The daily hours, local time, in which promotional messages may be sent."""
    timezone: str
    polls: tuple[PollPolicy, ...] = ()
    channels: int | None = None
    """How many legs of our calls may be up at once, by the account's plan; None if it is not set."""
    _by_exophone: Mapping[str, Campaign] = field(init=False, repr=False, compare=False)
    _by_name: Mapping[str, Campaign] = field(init=False, repr=False, compare=False)
    caller_ids: frozenset[str] = field(init=False, repr=False, compare=False)
    """The ExoPhones from which a campaign calls by its `caller_id`."""
    _agent_limits: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _by_agent: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # These maps are used several times for each call, so they are built once.
        by_exophone = {number: each for each in reversed(self.campaigns) for number in each.exophones}
        object.__setattr__(self, "_by_exophone", by_exophone)
        named = (each.callback.caller_id for each in self.campaigns if each.callback is not None)
        object.__setattr__(self, "caller_ids", frozenset(each for each in named if each is not None))
        object.__setattr__(self, "_by_name", {each.name: each for each in reversed(self.campaigns)})
        limits: dict[str, int] = {}
        by_agent: dict[str, tuple[str, ...]] = {}
        for campaign in self.campaigns:
            callback = campaign.callback
            for agent in callback.agents if callback else ():
                limit = concurrent_call_limit(agent, callback.calls_at_once if callback else None)
                limits[agent.number] = min(limit, limits.get(agent.number, limit))
                by_agent[agent.number] = (*by_agent.get(agent.number, ()), campaign.name)
        object.__setattr__(self, "_agent_limits", limits)
        object.__setattr__(self, "_by_agent", by_agent)

    def campaign_of_exophone(self, exophone: str) -> Campaign | None:
        return self._by_exophone.get(exophone)

    def is_own_number(self, number: str) -> bool:
        """Whether the number is an ExoPhone of this configuration."""
        return number in self._by_exophone or number in self.caller_ids

    @property
    def exophones(self) -> tuple[str, ...]:
        """Every ExoPhone in the order of the configuration; those that are only a `caller_id` come last."""
        owned = dict.fromkeys(number for each in self.campaigns for number in each.exophones)
        return (*owned, *sorted(self.caller_ids - owned.keys()))

    def campaign_of_call(self, call: InboundCall) -> tuple[Campaign | None, str | None]:
        """The campaign to which a call belongs, and the ExoPhone that was called."""
        if call.called_back_by is not None:
            return self.campaign(call.called_back_by[0]), call.called_back_by[1]
        for number in call.dialled:
            campaign = self._by_exophone.get(number)
            if campaign is not None:
                return campaign, number
        return None, call.dialled[0] if call.dialled else None

    def campaign(self, name: str) -> Campaign | None:
        return self._by_name.get(name)

    def ring_timeout(self, campaign: str) -> timedelta:
        """How long the campaign's callbacks ring; the provider's limit if the campaign makes none any
        more."""
        policy = self.campaign(campaign)
        return policy.callback.ring_timeout if policy and policy.callback else MAX_RING_TIME

    def is_agent(self, number: str) -> bool:
        """Whether any campaign connects its callers to this number."""
        return number in self._by_agent

    def agent_numbers(self) -> Iterable[str]:
        """The numbers of all agents."""
        return self._by_agent.keys()

    def agent_limit(self, number: str) -> int:
        """How many of our calls an agent takes at one time: the smallest limit that any campaign sets."""
        return self._agent_limits[number]

    def campaigns_with_agent(self, number: str) -> tuple[str, ...]:
        """The names of the campaigns that connect their callers to this agent."""
        return self._by_agent.get(number, ())

    def poll(self, name: str) -> PollPolicy | None:
        return next((each for each in self.polls if each.name == name), None)

    def poll_options(self, poll: str) -> tuple[str, ...]:
        """The options of a poll, in the order of the configuration."""
        votes = (each.vote for each in self.campaigns if each.vote)
        return tuple(dict.fromkeys(each.option for each in votes if each.poll == poll))
