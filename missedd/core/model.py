"""The values that everything else speaks about.

No behaviour beyond small facts about a value; nothing here knows where a value came from or
where it is kept. Instants are aware and in UTC, their names end in `_at`. Texts of the enums
are what the database, the API and the logs hold, so renaming one is a migration.
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
    """What admission makes of a missed call: the text of the `Missedd-Verdict` header."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REDELIVERED = "redelivered"
    SUPPRESSED = "suppressed"
    NOT_MISSED = "not-missed"
    NO_CALLER_ID = "no-caller-id"
    UNKNOWN_EXOPHONE = "unknown-exophone"
    OWN_NUMBER = "own-number"


class Kind(StrEnum):
    """The kinds of action, in the order in which one call's actions are planned."""

    LEAD = "lead"
    VOTE = "vote"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    VERIFY = "verify"
    WEBHOOK = "webhook"
    SMS = "sms"
    CALLBACK = "callback"


class Lane(StrEnum):
    """A queue of the dispatcher: what shares one budget at one provider."""

    VOICE = "voice"
    SMS = "sms"
    WEBHOOK = "webhook"
    LOOKUP = "check"
    """Look-ups of what became of an attempt; they spend the voice budget, or SMS's."""


LANE_BY_KIND = {Kind.CALLBACK: Lane.VOICE, Kind.SMS: Lane.SMS, Kind.WEBHOOK: Lane.WEBHOOK}
"""Kinds that are sent. The others contact nobody and are done when they are recorded."""


class State(StrEnum):
    PLANNED = "planned"
    HELD = "held"
    ATTEMPTING = "attempting"
    PLACED = "placed"
    DONE = "done"


class Outcome(StrEnum):
    """How an action ended; set once, together with `State.DONE`."""

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
    """Which of a campaign's two plans a call fell under."""

    OPEN = "open"
    AFTER_HOURS = "after-hours"


SHAPE_RECOVERED: Final = "recovered"
"""The shape of a call that no webhook told of."""

SHAPE_SMS_APPLET: Final = "sms-applet"
"""The shape of a call whose text was asked for before any webhook told of it."""


@fast_dataclass(frozen=True, slots=True)
class InboundCall:
    """A webhook about an incoming call, understood but not yet decided.

    `dialled` holds the E.164 spellings of every field that may name the ExoPhone, the likeliest
    first, because Exotel's `CallTo` and `To` may differ. `fields` are the received fields,
    unchanged, so that the call can be decided again.
    """

    call_sid: str
    caller: str | None
    dialled: tuple[str, ...]
    called_at: datetime | None
    """The call's own time, or None where it was missing or unreadable."""
    shape: str
    """`native` for Exotel's missed-call webhook, `passthru` for a Passthru applet's request,
    `recovered` for a call that only the provider's list told of, `sms-applet` for one that the
    dynamic SMS applet told of first."""
    not_missed: Reason | None = None
    """Why this is no missed call, or None if it is one."""
    fields: Mapping[str, str] = field(default_factory=dict)
    called_back_by: tuple[str, str] | None = None
    """The campaign that rang the caller from the number that they ring now, and that number, where it is a
    `caller_id` and the number alone does not tell whose the call is."""
    report: StatusReport | None = None
    """Set where the request also tells the outcome of an outbound call (a Passthru in a flow)."""


@fast_dataclass(frozen=True, slots=True)
class StatusReport:
    """What Exotel says became of a call or an SMS.

    `status` is the provider's word, lower case and normalised (`failed_dnd`, `canceled`);
    `code` its detailed code where there is one.
    """

    provider_sid: str
    status: str
    code: str | None = None
    is_terminal: bool = True
    outcome: Outcome | None = None
    """What the status means for the action; None while it is not final."""
    fields: Mapping[str, str] = field(default_factory=dict)


@fast_dataclass(frozen=True, slots=True)
class PlannedAction:
    """One thing owed, as admission planned it.

    `base_at` is where its delay started (the call's own time, or its receipt); `due_at` is when
    it should happen; after `expires_at` it is no longer worth doing (None: never too old).
    An action may be planned already done: recorded, dropped or expired, with its reason.
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
    """How many unanswered callbacks came before this one for the same call."""
    details: Mapping[str, str] = field(default_factory=dict)
    chain_at: datetime | None = None
    """When the earliest call was made that it answers, where that is not its own call."""
    next_check_at: datetime | None = None
    """When to look at it, where that is not when it is due: it waits for the end of a pause."""

    @property
    def wake_at(self) -> datetime:
        return self.next_check_at or self.due_at


@fast_dataclass(frozen=True, slots=True)
class Admission:
    """The decision on one missed call: verdict, reason, and the actions it leads to."""

    verdict: Verdict
    reason: Reason
    campaign: str | None
    exophone: str | None
    called_at: datetime
    """The instant the delay runs from."""
    actions: tuple[PlannedAction, ...] = ()
