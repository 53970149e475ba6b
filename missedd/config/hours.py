"""Reads business hours and the hours of promotional messages.

    open = ["mon-fri 09:30-18:30", "sat 10:00-14:00"]

A window has days (`mon-fri`, `mon,wed`, `fri-mon` across the week's end, `daily`) and hours. Hours whose end
is not after their start run past midnight; `24:00` is the end of the day.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

import holidays as holiday_calendars

from missedd.config.contact import guess_country
from missedd.config.table import ConfigTable
from missedd.config.values import closest_match, toml_repr
from missedd.core.business_hours import HORIZON_DAYS, BusinessHours, DailyWindow, Holidays, WeeklyWindow

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ANY_DAY = frozenset(range(7))
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-\u2013]\s*(\d{1,2}):(\d{2})")
_REGION_SIMILARITY = 0.8
"""There are many names of states and countries, so a weak similarity means nothing."""

_EXAMPLE = '"mon-fri 09:30-18:30"'


def parse_hours(text: str) -> tuple[time, time]:
    """`09:30-18:30` as start and end, local time. An end of 24:00 becomes 00:00, the end of the day.

    Raises ValueError; its text says what is wrong.
    """
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"has no hours such as 09:30-18:30 in {text!r}")
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    if (end_hour, end_minute) == (24, 0):
        end_hour = 0
    elif (start_hour, start_minute) == (end_hour, end_minute):
        raise ValueError("starts and ends at the same time; write 00:00-24:00 for the whole day")
    try:
        return time(start_hour, start_minute), time(end_hour, end_minute)
    except ValueError:
        raise ValueError(f"has no such time of day: {text.strip()!r}") from None


def parse_days(text: str) -> frozenset[int]:
    """`mon-fri`, `mon,wed` or `daily` as weekdays; Monday is 0. Raises ValueError; its text says what is
    wrong."""
    if text.casefold() == "daily":
        return _ANY_DAY
    days: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        start = _day(first)
        span = (_day(last) - start) % 7 if dash else 0
        days |= {(start + offset) % 7 for offset in range(span + 1)}
    return frozenset(days)


def _day(text: str) -> int:
    name = text.strip().casefold()
    for index, day in enumerate(_DAYS):
        if len(name) >= 3 and day.startswith(name):
            return index
    raise ValueError(f"has no such day: {text.strip()!r}; days are mon tue wed thu fri sat sun, or daily")


def parse_window(text: str) -> WeeklyWindow:
    """`mon-fri 09:30-18:30` as a window. Raises ValueError; its text says what is wrong."""
    split = re.search(r"\s(?=\d)", text.strip())
    if split is None:
        raise ValueError(f"must be days and hours such as {_EXAMPLE}, not {text!r}")
    days, hours = text.strip()[: split.start()], text.strip()[split.end() :]
    return WeeklyWindow(parse_days(days), *parse_hours(hours))


def format_window(window: WeeklyWindow) -> str:
    """A window as it is written in the file: `mon-fri 09:30-18:30`."""
    days = sorted(window.weekdays)
    runs: list[list[int]] = []
    for day in days:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = [_DAYS[run[0]][:3] + (f"-{_DAYS[run[-1]][:3]}" if len(run) > 1 else "") for run in runs]
    spelled = "daily" if len(days) == len(_DAYS) else ",".join(names)
    return f"{spelled} {format_hours(window.start, window.end)}"


def format_hours(start: time, end: time) -> str:
    """Hours as they are written in the file: `09:30-18:30`; the end of the day is 24:00."""
    return f"{start:%H:%M}-{f'{end:%H:%M}' if end != time() else '24:00'}"


def read_business_hours(
    table: ConfigTable, timezone: str, advice: str = "leave [campaign.hours] out to be always open"
) -> BusinessHours | None:
    """The business hours; `advice` says what to do instead of an empty list of windows."""
    windows = _windows(table, advice)
    regions, days = _holidays(table, "holidays", regions_too=True)
    _, more_days = _holidays(table, "dates", regions_too=False)
    if not windows:
        return None
    dates = frozenset(days | more_days)
    hours = BusinessHours(tuple(windows), Holidays(",".join(regions) or None, dates), timezone)
    # The business must open again after its last holiday, else calls would be held for ever.
    for day in sorted(dates):
        if hours.next_opening(datetime.combine(day, time(), ZoneInfo(timezone))) is None:
            table.problem(
                "open",
                f"does not open within {HORIZON_DAYS} days after {day}, because all of them are holidays",
            )
            break
    return hours


def _windows(table: ConfigTable, advice: str) -> list[WeeklyWindow]:
    value = table.value("open", required=True)
    if isinstance(value, str):  # one window needs no array
        texts: list[tuple[str, object]] = [("open", value)]
    else:
        texts = [(f"open[{i}]", each) for i, each in table.items("open")]
        if value == []:
            table.problem("open", f"is empty, so it would never open; {advice}")
    windows = []
    for key, text in texts:
        if not isinstance(text, str):
            table.problem(key, f"must be a string such as {_EXAMPLE}, not {toml_repr(text)}")
            continue
        try:
            windows.append(parse_window(text))
        except ValueError as wrong:
            table.problem(key, str(wrong))
    return windows


def _holidays(table: ConfigTable, key: str, *, regions_too: bool) -> tuple[list[str], set[date]]:
    value = table.value(key)
    if isinstance(value, str) and regions_too:
        members: list[tuple[str, object]] = [(key, value)]
    else:
        members = [(f"{key}[{i}]", each) for i, each in table.items(key)]
    regions: list[str] = []
    days: set[date] = set()
    for place, member in members:
        if regions_too and isinstance(member, str) and not member[:1].isdigit():
            if member in _regions():
                regions.append(member)
            else:
                reason = f"is not a region whose holidays are known: {toml_repr(member)}"
                table.problem(place, reason, _nearest_region(member))
        elif (day := _date(member)) is None:
            table.problem(place, f'must be a date such as "2026-11-09", not {toml_repr(member)}')
        else:
            days.add(day)
    return regions, days


def _date(value: object) -> date | None:
    """A TOML date, or a date in quotes, in a plausible year."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            return None
    if not isinstance(value, date) or isinstance(value, datetime):
        return None
    return value if 2000 <= value.year <= 2200 else None


def _nearest_region(text: str) -> str | None:
    """The region that was probably meant: by its code, or by the name of an Indian state or of a country."""
    country = text.partition("-")[0].upper()
    states = [region for region in _regions() if region.startswith(country + "-")]
    if by_code := closest_match(text, sorted(states)):
        return by_code
    names = holiday_calendars.country_holidays("IN").subdivisions_aliases
    if state := closest_match(text, names, _REGION_SIMILARITY):
        return f"IN-{names[state]}"
    named = guess_country(text, [region for region in _regions() if "-" not in region], _REGION_SIMILARITY)
    return named or closest_match(text, sorted(_regions()))


@cache
def _regions() -> frozenset[str]:
    """Every region that the calendar knows, such as `IN` and `IN-KA`."""
    countries = holiday_calendars.list_supported_countries(include_aliases=False)
    return frozenset(countries) | {
        f"{each}-{state}" for each, states in countries.items() for state in states
    }


def read_quiet_hours(table: ConfigTable | None, default: DailyWindow) -> DailyWindow:
    """The daily hours in which promotional messages may be sent, local time."""
    if table is None:
        return default
    text = table.text("promotional")
    if text is None:
        return default
    try:
        return DailyWindow(*parse_hours(text))
    except ValueError as wrong:
        table.problem("promotional", str(wrong))
        return default
