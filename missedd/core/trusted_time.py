"""What is surely past: an instant that lags behind the clock rather than run ahead of the truth.

What is erased is gone, so a clock that is years ahead must not erase everybody. A machine that shows the
year 2060, for an hour or for a week, is not believed: time has surely passed for as long as the daemon ran,
and up to the time that a call told of itself, which is the provider's. Whatever the clock shows beyond that
is believed slowly, seven days for each day that passes without a word from the provider; so a month in which
the machine was off is made up for in five days, and the 34 years to 2060 would take thirteen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BELIEF_RATE: Final = 7
"""Days of what the clock shows that are believed for each day that the daemon ran while no call came in."""


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """Before `until` is surely past, unless the clock was set back since; `latest_call` had told its time."""

    until: datetime
    latest_call: datetime


def advance_trusted_time(
    trusted: TrustedTime, latest_call: datetime, now: datetime, elapsed: timedelta
) -> TrustedTime:
    """What is past after the daemon ran for so long, by a clock that never steps.

    `latest_call` is the latest time that a call told of itself. Calls that come in with times that are
    far behind `now` speak against the clock: then it is not believed.
    """
    until = trusted.until + elapsed
    if latest_call <= trusted.latest_call and now > until:
        until += min(now - until, elapsed * BELIEF_RATE)
    return TrustedTime(max(until, latest_call), max(latest_call, trusted.latest_call))


def trusted_now(trusted: TrustedTime, now: datetime) -> datetime:
    """Never later than the clock shows: it may have been set right since."""
    return min(trusted.until, now)
