"""How single values of a scenario file are read.

A reading gives the value, or raises a ValueError whose text ends the sentence that began with the
key: `people.asha.lines: must be a whole number, at least 1, not 0`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from simulator.spelling import e164
from simulator.words import Word

type Reading = Callable[[Any], Any]

LONGEST = timedelta(days=10 * 366)
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def span(value: Any) -> timedelta:
    """`"90s"`, `"1h30m"`, or seconds as a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 <= value <= LONGEST.total_seconds():
            raise ValueError(f"{value!r} is no duration; it lies between nothing and ten years")
        return timedelta(seconds=value)
    found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    if found is None:
        raise ValueError(f"{value!r} is no duration; write seconds or a text like '1h30m'")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    if days * 86_400 + hours * 3600 + minutes * 60 + seconds > LONGEST.total_seconds():
        raise ValueError(f"{value!r} is no duration; it lies between nothing and ten years")
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def seconds(value: Any) -> float:
    """A duration, as seconds."""
    return span(value).total_seconds()


def text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text in quotes, not {value!r}")
    return value


def flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def whole(least: int) -> Reading:
    """A whole number from `least` on."""

    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"must be a whole number, at least {least}, not {value!r}")
        return value

    return read


def number(value: Any) -> str:
    """A telephone number, as E.164."""
    found = e164(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"must be a telephone number like '+919876543210', not {value!r}")
    return found


def one_by_one(of: type[Word]) -> Reading:
    """One word, or a list with one for each time in turn."""

    def read(value: Any) -> Word | tuple[Word, ...]:
        if not isinstance(value, list):
            return of(value)
        if not value:
            raise ValueError(f"must be one of {of.known()}, or a list of these that is not empty")
        return tuple(of(word) for word in value)

    return read
