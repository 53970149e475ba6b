"""Business hours with holidays, and the daily hours of promotional messages.

A window is local time of a named zone: it includes its start and excludes its end. A window whose end is not
after its start runs past midnight and belongs to the day on which it starts. A holiday closes every window
that starts on that day.

India has one zone and no daylight saving time. Elsewhere a start or end in a skipped hour is the instant to
which the skipped local time maps; in a repeated hour its first occurrence counts (PEP 495). A window of which
nothing is left on such a day does not open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays as holiday_calendars

HORIZON_DAYS = 60
"""How far ahead the next opening is searched: more than the longest run of holidays of any Indian state."""


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """Open from `start` to `end`, local time, on each of `weekdays` (Monday is 0)."""

    weekdays: frozenset[int]
    start: time
    end: time

    @property
    def crosses_midnight(self) -> bool:
        return self.end <= self.start


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days on which a business is closed: the public holidays of a region, individual dates, or both."""

    region: str | None
    """A country or a country and its state, as in `IN-KA`; several are separated by commas."""
    dates: frozenset[date]

    def __contains__(self, day: date) -> bool:
        return day in self.dates or (
            self.region is not None and day in _public_holidays(self.region, day.year)
        )


@lru_cache(maxsize=64)
def _public_holidays(region: str, year: int) -> frozenset[date]:
    days: set[date] = set()
    for name in region.split(","):
        country, _, state = name.partition("-")
        days.update(holiday_calendars.country_holidays(country, subdiv=state or None, years=year))
    return frozenset(days)


@dataclass(frozen=True, slots=True)
class BusinessHours:
    windows: tuple[WeeklyWindow, ...]
    holidays: Holidays
    timezone: str

    def is_open(self, instant: datetime) -> bool:
        day = instant.astimezone(ZoneInfo(self.timezone)).date()
        # A window that began yesterday may run past midnight.
        return any(
            opens <= instant < closes
            for each in (day - timedelta(days=1), day)
            for opens, closes in self._open_spans(each)
        )

    def next_opening(self, instant: datetime) -> datetime | None:
        """The first time at or after `instant` when the business is open (UTC); None if there is none within
        60 days."""
        if self.is_open(instant):
            return instant
        day = instant.astimezone(ZoneInfo(self.timezone)).date()
        # If the clocks go forward at midnight, a start of one day can be later than a start of the next
        # day, and yesterday's start can lie ahead. So each day is compared with the next one.
        starts = self._opening_times(day - timedelta(days=1), instant)
        for offset in range(HORIZON_DAYS):
            more = self._opening_times(day + timedelta(days=offset), instant)
            if starts:
                return min(starts + more)
            starts = more
        return min(starts, default=None)

    def closing_of_day(self, instant: datetime) -> datetime | None:
        """The last closing time on the day of `instant` (UTC), if it is still ahead; else None."""
        day = instant.astimezone(ZoneInfo(self.timezone)).date()
        running = [closes for opens, closes in self._open_spans(day - timedelta(days=1)) if opens <= instant]
        ends = [*running, *(closes for _, closes in self._open_spans(day))]
        return max((closes for closes in ends if closes > instant), default=None)

    def _opening_times(self, day: date, instant: datetime) -> list[datetime]:
        return [opens for opens, _ in self._open_spans(day) if opens >= instant]

    def _open_spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The open periods that start on `day`, in UTC."""
        if day in self.holidays:
            return
        zone = ZoneInfo(self.timezone)
        for window in self.windows:
            if day.weekday() in window.weekdays:
                last_day = day + timedelta(days=1) if window.crosses_midnight else day
                opens = datetime.combine(day, window.start, zone).astimezone(UTC)
                closes = datetime.combine(last_day, window.end, zone).astimezone(UTC)
                if opens < closes:
                    yield opens, closes


@dataclass(frozen=True, slots=True)
class DailyWindow:
    """The same hours every day, holidays or not. The legal quiet hours are the rest of the day."""

    start: time
    end: time

    def next_opening(self, instant: datetime, timezone: str) -> datetime:
        """`instant` if it lies inside the window, else the next start of the window (UTC)."""
        every_day = WeeklyWindow(frozenset(range(7)), self.start, self.end)
        hours = BusinessHours((every_day,), Holidays(None, frozenset()), timezone)
        opening = hours.next_opening(instant)
        if opening is None:
            raise AssertionError("a daily window opens every day")
        return opening
