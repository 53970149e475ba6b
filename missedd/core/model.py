"""The values that all other modules share: calls, actions, verdicts, outcomes.

They have no behaviour beyond small properties, and they know neither where they come from nor where they are
stored. Times are aware, in UTC, and their names end in `_at`. The database, the API and the logs hold the
values of the enums, so renaming one needs a migration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Final

from missedd.base.value_type import fast_dataclass
from missedd.core.reasons import Reason


class Verdict(StrEnum):
    """The decision on a missed call: the text of the `Missedd-Verdict` header."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REDELIVERED = "redelivered"
    SUPPRESSED = "suppressed"
    NOT_MISSED = "not-missed"
    NO_CALLER_ID = "no-caller-id"
    UNKNOWN_EXOPHONE = "unknown-exophone"
    OWN_NUMBER = "own-number"


class Kind(StrEnum):
    """The kinds of action, in the order in which the actions of one call are planned."""

    LEAD = "lead"
    VOTE = "vote"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    VERIFY = "verify"
    WEBHOOK = "webhook"
    SMS = "sms"
    CALLBACK = "callback"


class Lane(StrEnum):
    """A queue of the dispatcher. All actions of a lane share one rate limit at one provider."""

    VOICE = "voice"
    SMS = "sms"
    WEBHOOK = "webhook"
    LOOKUP = "check"
    """Lookups of the result of an attempt. They use the rate limit of the voice lane, or of the SMS lane."""


LANE_BY_KIND = {Kind.CALLBACK: Lane.VOICE, Kind.SMS: Lane.SMS, Kind.WEBHOOK: Lane.WEBHOOK}
"""The kinds that are sent. The other kinds contact nobody and are done when they are recorded."""


class State(StrEnum):
    PLANNED = "planned"
    HELD = "held"
    ATTEMPTING = "attempting"
    PLACED = "placed"
    DONE = "done"


class Outcome(StrEnum):
    """How an action ended. It is set once, together with `State.DONE`."""

    ANSWERED = "answered"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    FAILED = "failed"
    DELIVERED = "delivered"
    HANDED_OVER = "handed-over"
    RECORDED = "recorded"
    REFUSED = "refused"
    EXPIRED = "expired"
    DROPPED = "dropped"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Plan(StrEnum):
    """Which of a campaign's two plans applies to a call."""

    OPEN = "open"
    AFTER_HOURS = "after-hours"


SHAPE_RECOVERED: Final = "recovered"
"""The shape of a call that no webhook reported; missedd found the call in the provider's list."""

SHAPE_SMS_APPLET: Final = "sms-applet"
"""The shape of a call that the SMS applet reported, before any webhook."""


@fast_dataclass(frozen=True, slots=True)
class InboundCall:
    """A webhook about an incoming call, parsed but not yet decided.

    `dialled` holds the E.164 form of every field that may name the ExoPhone, the most likely one first,
    because Exotel's `CallTo` and `To` may differ. `fields` are the received fields, unchanged, so that the
    call can be decided again later.
    """

    call_sid: str
    caller: str | None
    dialled: tuple[str, ...]
    called_at: datetime | None
    """The time of the call in UTC as the provider reports it; None if it is missing or unreadable."""
    shape: str
    """`native`: Exotel's missed-call webhook. `passthru`: the request of a Passthru applet. `recovered`:
    found only in the provider's list. `sms-applet`: first reported by the dynamic SMS applet."""
    not_missed: Reason | None = None
    """Why this is not a missed call; None if it is one."""
    fields: Mapping[str, str] = field(default_factory=dict)
    called_back_by: tuple[str, str] | None = None
    """(campaign, number): the campaign that last called this caller from the number which the caller now
    calls. Set only if that number is a `caller_id`, because such a number alone does not identify the
    campaign."""
    report: StatusReport | None = None
    """Set if the request also reports the outcome of an outgoing call (a Passthru in a flow)."""


@fast_dataclass(frozen=True, slots=True)
class StatusReport:
    """Exotel's report on the result of a call or an SMS.

    `status` is the provider's word, lower case and normalised (`failed_dnd`, `canceled`). `code` is its
    detailed code, if there is one.
    """

    provider_sid: str
    status: str
    code: str | None = None
    is_terminal: bool = True
    outcome: Outcome | None = None
    """What the status means for the action; None while the status is not final."""
    fields: Mapping[str, str] = field(default_factory=dict)


@fast_dataclass(frozen=True, slots=True)
class PlannedAction:
    """One owed action, as admission planned it.

    `base_at` is where its delay starts: the call's own time, or the time of receipt. `due_at` is when it
    should be sent. After `expires_at` it is too old (None: never). An action can be planned as already done,
    for example recorded, dropped or expired; the reason says why.
    """

    kind: Kind
    state: State
    base_at: datetime
    due_at: datetime
    expires_at: datetime | None
    reason: Reason
    outcome: Outcome | None = None
    plan: Plan = Plan.OPEN
    retry_index: int = 0
    """The number of unanswered callbacks before this one, for the same call."""
    details: Mapping[str, str] = field(default_factory=dict)
    chain_at: datetime | None = None
    """The time of the earliest call that this callback answers, if that is not its own call."""
    next_check_at: datetime | None = None
    """When to judge it again, if that is not its due time: it waits for the end of a pause."""

    @property
    def wake_at(self) -> datetime:
        return self.next_check_at or self.due_at


@fast_dataclass(frozen=True, slots=True)
class Admission:
    """The decision on one missed call: the verdict, its reason, and the actions it leads to."""

    verdict: Verdict
    reason: Reason
    campaign: str | None
    exophone: str | None
    called_at: datetime
    """The time from which the delay runs, in UTC."""
    actions: tuple[PlannedAction, ...] = ()
