"""The hours of a time zone, numbered from 1970.

They begin where its clocks show a full hour: in India at half past, by UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from math import gcd
from typing import Final
from zoneinfo import ZoneInfo

HOUR_US: Final = 3_600_000_000

_FIRST_YEAR, _LAST_YEAR = 2005, 2045
"""Of calls that there can be. Where a law changes a zone in years to come the summaries are made anew."""


@dataclass(frozen=True, slots=True)
class HourGrid:
    """Hours begin `phase_us` after a multiple of `width_us` since 1970 UTC."""

    width_us: int = HOUR_US
    phase_us: int = 0

    def hour_of(self, at_us: int) -> int:
        return (at_us - self.phase_us) // self.width_us

    def start_of(self, hour: int) -> int:
        return hour * self.width_us + self.phase_us


@cache
def hour_grid_for(timezone: str) -> HourGrid:
    """The grid on which each hour lies in one local hour, summer and winter.

    Where a zone's clocks are set by parts of an hour (Lord Howe Island's are), its "hours" are
    those parts.
    """
    zone, at = ZoneInfo(timezone), datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    offsets_s = set[int]()
    while at.year < _LAST_YEAR:
        offsets_s.add(round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds()))
        at += timedelta(days=7)
    first_s = min(offsets_s)
    width_us = gcd(HOUR_US, *((each - first_s) * 1_000_000 for each in offsets_s))
    return HourGrid(width_us, -first_s * 1_000_000 % width_us)
