"""A clock that was set forward, and whether to trust it: how old an action is meanwhile.

Example: at 11:00 somebody sets the machine's clock to 12:00. A caller of 10:59 has not waited for an hour. So
until the new time is confirmed, an action expires only if it would be too old by the time that really passed
since 10:59. Everything else uses the new time, hours and caps included; only expiry uses the old one.

The clock is trusted as soon as a call has a time of its own that only the new clock explains, and after
`MAX_UNCONFIRMED` in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

CLOCK_NOT_AHEAD: Final = timedelta(0)
"""How far a trusted clock may be ahead."""

_CALL_TIME_TOLERANCE: Final = timedelta(minutes=2)

MAX_UNCONFIRMED: Final = timedelta(hours=6)
"""How long the new time stays untrusted without confirmation, from the first step on."""

SLEW_TOLERANCE: Final = timedelta(seconds=2)
"""A difference this small is no wrong clock."""


@dataclass(frozen=True, slots=True)
class UnconfirmedClockStep:
    """The clock shows `ahead` more time than has really passed (or less), and no call has confirmed it.

    `until_s` is in seconds of the monotonic clock.
    """

    ahead: timedelta
    until_s: float

    @property
    def max_age_error(self) -> timedelta:
        """By how much an age that was computed from the clock may be too large."""
        return max(self.ahead, CLOCK_NOT_AHEAD)


def apply_clock_step(
    before: UnconfirmedClockStep | None, step: timedelta, at_s: float
) -> UnconfirmedClockStep | None:
    """The unconfirmed step after one more step; None if the clock again shows the time that really passed."""
    ahead = step + (before.ahead if before else CLOCK_NOT_AHEAD)
    if abs(ahead) <= SLEW_TOLERANCE:
        return None
    return UnconfirmedClockStep(ahead, before.until_s if before else at_s + MAX_UNCONFIRMED.total_seconds())


def has_expired(unconfirmed: UnconfirmedClockStep, at_s: float) -> bool:
    return at_s >= unconfirmed.until_s


def is_confirmed_by(unconfirmed: UnconfirmedClockStep, called_at: datetime, now: datetime) -> bool:
    """Whether the call's own time would lie in the future if the clock were wrong, so that the clock must be
    right."""
    return is_too_far_ahead(called_at, now - unconfirmed.max_age_error) and not is_too_far_ahead(
        called_at, now
    )


def is_too_far_ahead(called_at: datetime, received_at: datetime) -> bool:
    """Whether a call's own time is so far in our future that a clock must be wrong."""
    return called_at > received_at + _CALL_TIME_TOLERANCE
