"""The hours of a time zone, numbered from 1970.

An hour begins when the zone's clocks show a full hour. In India this is half past the hour in UTC.
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
"""Range of years whose UTC offsets are considered. If a law changes a zone later, the rollups are rebuilt."""


@dataclass(frozen=True, slots=True)
class HourGrid:
    """Hours begin `phase_us` after a multiple of `width_us`, counted from 1970 UTC (microseconds)."""

    width_us: int = HOUR_US
    phase_us: int = 0

    def hour_of(self, at_us: int) -> int:
        return (at_us - self.phase_us) // self.width_us

    def start_of(self, hour: int) -> int:
        return hour * self.width_us + self.phase_us


@cache
def hour_grid_for(timezone: str) -> HourGrid:
    """The grid on which each hour belongs to one local hour, in summer and in winter.

    If a zone changes its clocks by a part of an hour, as Lord Howe Island does, its "hours" are such parts.
    """
    zone, at = ZoneInfo(timezone), datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
    offsets_s = set[int]()
    while at.year < _LAST_YEAR:
        offsets_s.add(round((at.astimezone(zone).utcoffset() or timedelta()).total_seconds()))
        at += timedelta(days=7)
    first_s = min(offsets_s)
    width_us = gcd(HOUR_US, *((each - first_s) * 1_000_000 for each in offsets_s))
    return HourGrid(width_us, -first_s * 1_000_000 % width_us)
