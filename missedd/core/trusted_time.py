"""A time that is certainly past: it may lag behind the clock, but it never runs ahead of the real time.

Example: a clock that shows the year 2060 by mistake must not erase every number, because an erasure cannot be
undone. So the clock alone is not trusted, neither for an hour nor for a week.

Two things prove that time has passed: the time that the daemon has been running, and the provider's time of a
call. Beyond them the clock is trusted slowly: seven days for each day without a call. A machine that was off
for a month catches up in five days; the 34 years to 2060 would take nearly five years.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

BELIEF_RATE: Final = 7
"""Days of the clock that are trusted for each day in which the daemon ran and no call came in."""


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """Every time before `until` is certainly past, unless the clock was set back since. `latest_call` is the
    latest provider's time of any call."""

    until: datetime
    latest_call: datetime


def advance_trusted_time(
    trusted: TrustedTime, latest_call: datetime, now: datetime, elapsed: timedelta
) -> TrustedTime:
    """The trusted time after the daemon has run for `elapsed`, measured on a monotonic clock.

    `latest_call` is the latest provider's time of a call. A call whose time is far behind `now` contradicts
    the clock; in that case the clock is not trusted further.
    """
    until = trusted.until + elapsed
    if latest_call <= trusted.latest_call and now > until:
        until += min(now - until, elapsed * BELIEF_RATE)
    return TrustedTime(max(until, latest_call), max(latest_call, trusted.latest_call))


def trusted_now(trusted: TrustedTime, now: datetime) -> datetime:
    """The trusted time as the present, never later than the clock: the clock may have been corrected
    since."""
    return min(trusted.until, now)
