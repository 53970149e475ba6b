"""A clock that was set on, and whether that is to be believed: by what age is judged meanwhile.

At 11:00 somebody sets the machine's clock to 12:00. Whoever rang at 10:59 has not waited for an hour: until
the new time is confirmed, nothing is too old that would not be by the time that went on since 10:59. What may
go goes on by the new time, hours and caps included; only expiry keeps to the old one. The clock is believed
when a call tells a time of its own that only the new time explains, and after some hours in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missedd.core.admission.gates import CLOCK_NOT_AHEAD, is_too_far_ahead

MAX_UNCONFIRMED: Final = timedelta(hours=6)
"""For how long the new time is not believed by itself, from the first step on."""

SLEW_TOLERANCE: Final = timedelta(seconds=2)
"""So little off is not set wrong."""


@dataclass(frozen=True, slots=True)
class UnconfirmedClockStep:
    """The clock shows `ahead` more than has passed, or less; nobody has confirmed it.

    `until_s` is by the clock that never steps.
    """

    ahead: timedelta
    until_s: float

    @property
    def max_age_error(self) -> timedelta:
        """By how much an age by the clock may be too great."""
        return max(self.ahead, CLOCK_NOT_AHEAD)


def apply_clock_step(
    before: UnconfirmedClockStep | None, step: timedelta, at_s: float
) -> UnconfirmedClockStep | None:
    """What is unconfirmed after a step; None where the clock shows again what has passed."""
    ahead = step + (before.ahead if before else CLOCK_NOT_AHEAD)
    if abs(ahead) <= SLEW_TOLERANCE:
        return None
    return UnconfirmedClockStep(ahead, before.until_s if before else at_s + MAX_UNCONFIRMED.total_seconds())


def has_expired(unconfirmed: UnconfirmedClockStep, at_s: float) -> bool:
    return at_s >= unconfirmed.until_s


def is_confirmed_by(unconfirmed: UnconfirmedClockStep, called_at: datetime, now: datetime) -> bool:
    """Whether a call's own time is one that had not come yet if the clock were as far ahead as that."""
    return is_too_far_ahead(called_at, now - unconfirmed.max_age_error) and not is_too_far_ahead(
        called_at, now
    )
