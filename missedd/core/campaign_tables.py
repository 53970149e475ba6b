"""The tables of a campaign and of a poll as frozen values: `[campaign.callback]` is a `CallbackPolicy`.

`missedd.core.policy` puts them together. Durations are `timedelta`, numbers E.164.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from missedd.core.agent_rotation import Agent
from missedd.core.contact_countries import Countries
from missedd.core.model import Outcome


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
