"""The result of a gate, and the facts that a gate needs about an action."""

from __future__ import annotations

from datetime import datetime, timedelta

from missedd.base.value_type import fast_dataclass
from missedd.core.admission.clock_steps import CLOCK_NOT_AHEAD
from missedd.core.admission.concurrent_calls import OngoingCall, TrafficSnapshot
from missedd.core.admission.pauses import Pause
from missedd.core.model import Kind, Outcome, Plan
from missedd.core.people.suppression import Restriction
from missedd.core.reasons import Reason


@fast_dataclass(frozen=True, slots=True)
class Go:
    pass


@fast_dataclass(frozen=True, slots=True)
class Hold:
    """Not before `until` (UTC). The expiry moves to `expires_at`, because the wait is our own rule."""

    until: datetime
    expires_at: datetime
    reason: Reason


@fast_dataclass(frozen=True, slots=True)
class HoldForEvent:
    """Judge again at `recheck_at`, or when the thing it waits for ends: a pause, or one of our calls.

    Its due time stays as it is, and so does its expiry unless `expires_at` is given.
    """

    recheck_at: datetime
    reason: Reason = Reason.CAMPAIGN_PAUSED
    expires_at: datetime | None = None
    calls: tuple[OngoingCall, ...] = ()
    """The calls whose end it waits for."""


@fast_dataclass(frozen=True, slots=True)
class Close:
    outcome: Outcome
    reason: Reason


type Judgement = Go | Hold | HoldForEvent | Close


@fast_dataclass(frozen=True, slots=True)
class Candidate:
    """What the gates need to know about an action that would contact somebody.

    `other_callback_times` are the times of the campaign's other callbacks to this number that count against
    its cap: those that were placed. `number` and `due_at` are needed when the action is about to be sent.
    What a call's plan knows comes first, and is given in this order: by name it takes a microsecond longer.
    """

    kind: Kind
    campaign: str
    plan: Plan
    expires_at: datetime | None
    number: str = ""
    """The caller's number in E.164. Its country and the ExoPhone's country are compared. Empty if that is
    done elsewhere."""
    exophone: str = ""
    restrictions: tuple[Restriction, ...] = ()
    """What earlier refusals have taught about the number."""
    pause: Pause | None = None
    """The campaign's pause, if one is in force."""
    clock_ahead: timedelta = CLOCK_NOT_AHEAD
    """How far the clock may be ahead: see `missedd.core.admission.clock_steps`."""
    is_suppressed: bool = False
    other_callback_times: tuple[datetime, ...] = ()
    already_spoken_with: bool = False
    """The campaign has spoken with the caller since the call that this callback answers. Or that call itself
    was answered after all; then its SMS is not owed either."""
    due_at: datetime | None = None
    traffic: TrafficSnapshot | None = None
    """The calls in progress, when the action is about to be sent; None when it is planned."""

    @property
    def latest_expiry(self) -> datetime | None:
        """When it is too old, by a clock that may be ahead."""
        return None if self.expires_at is None else self.expires_at + self.clock_ahead
