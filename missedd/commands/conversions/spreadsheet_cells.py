"""Cells of a spreadsheet as it writes them in India: dates, sums of money, phone numbers.

Nothing is guessed. `30/11/2026` can only be a day in November and `11/12/2026` can be two, so that one
needs to be told which number comes first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, time
from enum import StrEnum
from typing import Final

from missedd.core.phone import as_visible_ascii


class DateOrder(StrEnum):
    """In which order the numbers of a date stand."""

    DMY = "dmy"
    MDY = "mdy"
    ISO = "iso"
    """The year first, and nothing else."""


class CellError(ValueError):
    """Why a cell says nothing that can be taken; the text says what to do where that is plain."""


_MONTHS: Final[Mapping[str, int]] = {
    name: number
    for number, names in enumerate(
        (
            *(("jan", "january"), ("feb", "february"), ("mar", "march"), ("apr", "april"), ("may",)),
            *(("jun", "june"), ("jul", "july"), ("aug", "august"), ("sep", "sept", "september")),
            *(("oct", "october"), ("nov", "november"), ("dec", "december")),
        ),
        1,
    )
    for name in names
}
_SEPARATED: Final = re.compile(r"(\d{1,2})\s*([/.-])\s*(\d{1,2})\s*\2\s*(\d{4}|\d{2})")
_YEAR_FIRST: Final = re.compile(r"(\d{4})([/.-])(\d{1,2})\2(\d{1,2})")
_DAY_MONTH: Final = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[\s./-]*([a-z]+)\.?[\s,./-]*(\d{4}|\d{2})", re.IGNORECASE
)
_MONTH_DAY: Final = re.compile(
    r"([a-z]+)\.?[\s./-]*(\d{1,2})(?:st|nd|rd|th)?(?:\s*,\s*|[\s./-]+)(\d{4})", re.IGNORECASE
)
_TIMED: Final = re.compile(
    r"(?P<date>.*?\d)(?:\s*,\s*|\s+|T)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.\d+)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?",
    re.IGNORECASE,
)
_SERIAL: Final = re.compile(r"\d{5}(\.\d+)?")
"""How a spreadsheet counts the days inside: 46356 is 30 November 2026."""

_AMOUNT: Final = re.compile(
    r"(?:(?:₹|rs\.?|inr)\s*)?(?P<sum>\d+(\.\d+)?|\d{1,3}(,\d{2,3})*,\d{3}(\.\d+)?)\s*(?:/-|/=)?\s*(?:inr)?",
    re.IGNORECASE,
)
"""Grouped as in 1,25,000.50 or 125,000.50, or not at all. A comma for a point is not guessed at."""

_FORMULA: Final = re.compile(r'="(.*)"')
_FRACTION: Final = re.compile(r"(\+?[\d\s-]{7,})\.0+")
_ROUNDED: Final = re.compile(r"[\d.,]+E\+?\d+", re.IGNORECASE)
_MARKED: Final = re.compile(r"(?:p|tel|ph|mob)\s*:\s*(?=[+\d(])", re.IGNORECASE)
"""What an export of leads puts before a number, so that a spreadsheet leaves it alone."""


def clean_cell(cell: str) -> str:
    """What a reader sees in a cell: without what shows nothing, and without `="…"` around it."""
    text = as_visible_ascii(cell).strip()
    wrapped = _FORMULA.fullmatch(text)
    return wrapped[1].strip() if wrapped else text


def parse_number(text: str) -> str:
    """A phone number without what a spreadsheet adds to it. Raises `CellError` where digits are lost."""
    if _ROUNDED.fullmatch(text):
        raise CellError("is rounded by the spreadsheet; format the column as text and export it again")
    text = _MARKED.sub("", text.removeprefix("'"), count=1)
    whole = _FRACTION.fullmatch(text)
    return whole[1] if whole else text


def parse_amount(text: str) -> float | None:
    """A sum of money in rupees as a spreadsheet writes it; None if it is none."""
    found = _AMOUNT.fullmatch(text)
    return float(found["sum"].replace(",", "")) if found else None


def parse_date(text: str, order: DateOrder | None) -> str:
    """A date, or a date and time, in ISO 8601. Without `order` only what can be read in one way.

    An offset is kept; there is none where the cell has none. Raises `CellError`.
    """
    if is_iso(text):
        return text
    timed = _TIMED.fullmatch(text)
    day, clock = (timed["date"].strip(), _parse_time(timed)) if timed else (text, None)
    year, month, date = _parse_day(day, order)
    try:
        read = datetime(year, month, date)  # noqa: DTZ001 - whoever takes it knows the zone
    except ValueError:
        raise CellError(f"is no date{f' as {order}' if order else ''}") from None
    if clock is None:
        return read.date().isoformat()
    return datetime.combine(read, clock).isoformat()


def is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def infer_order(text: str) -> DateOrder | None:
    """The order that a date of numbers shows by itself, as 30/11/2026 does; None where it shows none."""
    timed = _TIMED.fullmatch(text)
    found = _SEPARATED.fullmatch(timed["date"].strip() if timed else text)
    if found is None or len(found[4]) == 2:
        return None
    first, second = int(found[1]), int(found[3])
    if 12 < first <= 31 and 1 <= second <= 12:
        return DateOrder.DMY
    if 12 < second <= 31 and 1 <= first <= 12:
        return DateOrder.MDY
    return None


def _parse_day(text: str, order: DateOrder | None) -> tuple[int, int, int]:
    """Year, month and day."""
    if found := _YEAR_FIRST.fullmatch(text):
        return int(found[1]), int(found[3]), int(found[4])
    if order is DateOrder.ISO:
        raise CellError("is no date with the year first, as --dates iso has it")
    if found := _SEPARATED.fullmatch(text):
        return _apply_order(found, order)
    if (found := _DAY_MONTH.fullmatch(text)) and found[2].casefold() in _MONTHS:
        return _parse_year(found[3]), _MONTHS[found[2].casefold()], int(found[1])
    if (found := _MONTH_DAY.fullmatch(text)) and found[1].casefold() in _MONTHS:
        return _parse_year(found[3]), _MONTHS[found[1].casefold()], int(found[2])
    if _SERIAL.fullmatch(text):
        raise CellError("is how the spreadsheet counts days; format the column as a date and export it again")
    raise CellError("is no date such as 30/11/2026, 30-Nov-2026 or 2026-11-30 10:45")


def _apply_order(found: re.Match[str], order: DateOrder | None) -> tuple[int, int, int]:
    first, second, year = int(found[1]), int(found[3]), _parse_year(found[4])
    if order is None and len(found[4]) == 4:
        order = DateOrder.DMY if first == second else infer_order(found[0])
    if order is None:
        raise CellError("may be a day and a month or the other way round; say --dates dmy or --dates mdy")
    return (year, second, first) if order is DateOrder.DMY else (year, first, second)


def _parse_year(text: str) -> int:
    return int(text) if len(text) == 4 else 2000 + int(text)


def _parse_time(found: re.Match[str]) -> time:
    hour, minute, second = int(found["hour"]), int(found["minute"]), int(found["second"] or 0)
    half = (found["half"] or "").replace(".", "").lower()
    try:
        if half:
            if not 1 <= hour <= 12:
                raise ValueError
            hour = hour % 12 + (12 if half == "pm" else 0)
        return time(hour, minute, second)
    except ValueError:
        raise CellError("has no time of the day in it") from None
