"""Hourly counts in local time: by hour of the day, by hour of the week, and by date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from missedd.core.analytics.hour_grid import HourGrid
from missedd.core.api_types.analytics import DayJson, HourJson, WeekdayHourJson

HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S
EPOCH_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday; Monday is 0."""
EPOCH_DATE: Final = date(1970, 1, 1)


def calls_by_local_hour(
    hours: Mapping[int, int], grid: HourGrid, timezone: str
) -> tuple[list[HourJson], list[WeekdayHourJson], list[DayJson]]:
    """Three tables: all 24 hours of the day; all 168 hours of the week (Monday is 0); every date, first to
    last."""
    offsets = _UtcOffsets(timezone)
    of_day, of_week, dates = [0] * 24, [0] * 168, Counter[int]()
    for hour, n in hours.items():
        begins_s = grid.start_of(hour) // 1_000_000
        local_s = begins_s + offsets.at(begins_s)
        day, hour_of_day = local_s // DAY_S, local_s % DAY_S // HOUR_S
        of_day[hour_of_day] += n
        of_week[(day + EPOCH_WEEKDAY) % 7 * 24 + hour_of_day] += n
        dates[day] += n
    with_calls = [day for day, n in dates.items() if n]
    return (
        [HourJson(hour, n) for hour, n in enumerate(of_day)],
        [WeekdayHourJson(i // 24, i % 24, n) for i, n in enumerate(of_week)],
        [
            DayJson((EPOCH_DATE + timedelta(days=day)).isoformat(), dates[day])
            for day in range(min(with_calls), max(with_calls) + 1)
        ]
        if with_calls
        else [],
    )


class _UtcOffsets:
    """A zone's offset from UTC at many times; it rarely changes, so it is computed twice for each day."""

    def __init__(self, timezone: str) -> None:
        self._zone = ZoneInfo(timezone)
        self._days: dict[int, int | None] = {}

    def at(self, epoch_s: int) -> int:
        day = epoch_s // DAY_S
        if day not in self._days:
            first, last = self._offset_s(day * DAY_S), self._offset_s((day + 1) * DAY_S - 1)
            self._days[day] = first if first == last else None
        offset_s = self._days[day]
        return self._offset_s(epoch_s) if offset_s is None else offset_s

    def _offset_s(self, epoch_s: int) -> int:
        offset = datetime.fromtimestamp(epoch_s, UTC).astimezone(self._zone).utcoffset()
        return round((offset or timedelta()).total_seconds())
