"""The operator's decisions as frozen values: the campaigns, and what each owes its callers.

`missedd.config.loader` builds these values from TOML and checks them; core trusts them. Durations are
`timedelta`. A table that is not in the file is None here: missedd does not do that thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from missedd.core.agent_rotation import concurrent_call_limit
from missedd.core.business_hours import BusinessHours, DailyWindow
from missedd.core.campaign_tables import (
    MAX_CALL_SETUP,
    MAX_RING_TIME,
    AfterHoursCallback,
    AfterHoursPolicy,
    CallbackPolicy,
    MessageClass,
    PollPolicy,
    Retries,
    SmsPolicy,
    SubscribePolicy,
    UnsubscribePolicy,
    VerifyPolicy,
    VotePolicy,
    WebhookFormat,
    WebhookPolicy,
)
from missedd.core.contact_countries import Countries
from missedd.core.model import InboundCall, Kind

__all__ = [
    "MAX_CALL_SETUP",
    "MAX_RING_TIME",
    "AfterHoursCallback",
    "AfterHoursPolicy",
    "CallbackPolicy",
    "Campaign",
    "MessageClass",
    "Policy",
    "PollPolicy",
    "Retries",
    "SmsPolicy",
    "SubscribePolicy",
    "UnsubscribePolicy",
    "VerifyPolicy",
    "VotePolicy",
    "WebhookFormat",
    "WebhookPolicy",
    "quoted",
]


def quoted(name: str) -> str:
    """A campaign's or a poll's name as messages show it."""
    return json.dumps(name, ensure_ascii=False)


DEFER_AFTER_HOURS: Final = AfterHoursPolicy(AfterHoursCallback.DEFER, None)
"""Without `[campaign.after_hours]`, callbacks wait for the next opening."""


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
    after_hours: AfterHoursPolicy = DEFER_AFTER_HOURS
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
    action_kinds: frozenset[Kind] = field(init=False, repr=False, compare=False)
    """The kinds of action to which calls to any campaign may lead."""
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
        kinds = frozenset(kind for campaign in self.campaigns for kind in campaign.action_kinds)
        object.__setattr__(self, "action_kinds", kinds)
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
