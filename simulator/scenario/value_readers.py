"""Readers of the single values of a scenario file.

A reader returns the value, or raises a ValueError whose text completes a sentence that begins with the
key. Example: `people.asha.lines: must be a whole number, at least 1, not 0`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from simulator.base.choices import Choice, unknown_value_text
from simulator.exchange.model.formats import parse_number

type ValueReader = Callable[[Any], Any]

MAX_DURATION = timedelta(days=10 * 366)
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
"""A name in a text of an `api` event: `{asha}` is her number, `{first.body.id}` is from a stored answer."""

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


def duration(value: Any) -> timedelta:
    """`"90s"`, `"1h30m"`, or seconds as a number."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if abs(value) < 1e12 else -1.0
    else:
        found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
        if found is None:
            raise ValueError(f"{value!r} is no duration; write seconds or a text like '1h30m'")
        days, hours, minutes, rest = (float(part or 0) for part in found.groups())
        seconds = days * 86_400 + hours * 3_600 + minutes * 60 + rest
    if not 0 <= seconds <= MAX_DURATION.total_seconds():
        raise ValueError(f"{value!r} is no duration; it lies between nothing and ten years")
    return timedelta(seconds=seconds)


def format_duration(length: timedelta) -> str:
    """Format a duration as in a scenario file: `2d`, `1h30m`, `2.5s`."""
    left, parts = abs(length.total_seconds()), []
    for unit, unit_s in (("d", 86_400), ("h", 3_600), ("m", 60)):
        count, left = divmod(left, unit_s)
        if count:
            parts.append(f"{count:.0f}{unit}")
    if left or not parts:
        parts.append(f"{round(left, 3):g}s")
    return ("-" if length < timedelta(0) else "") + "".join(parts)


def duration_s(value: Any) -> float:
    """A duration, as seconds."""
    return duration(value).total_seconds()


def signed_duration(value: Any) -> timedelta:
    """A duration with its sign: `"+1h"` (or `"1h"`) ahead, `"-90s"` back."""
    if not isinstance(value, str):
        raise ValueError(f"must be a text like '+1h' or '-90s', not {value!r}")
    return -duration(value[1:]) if value.startswith("-") else duration(value.removeprefix("+"))


def instant_with_offset(value: Any) -> datetime:
    """An instant with its offset."""
    if not isinstance(value, datetime):
        raise ValueError(f"must be an instant like 2026-11-23T11:00:00+05:30, without quotes, not {value!r}")
    if value.tzinfo is None:
        raise ValueError("has no offset; write it like 2026-11-23T11:00:00+05:30")
    return value


def toml_table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table, not {value!r}")
    return value


def non_empty_text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"must be a text in quotes, not {value!r}")
    return value


def api_path(value: Any) -> str:
    if not non_empty_text(value).startswith("/"):
        raise ValueError(f"must be a path like '/api/v1/leads', not {value!r}")
    return str(value)


def any_value(value: Any) -> Any:
    return value


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def only_true(value: Any) -> bool:
    if value is not True:
        raise ValueError(f"must be true, not {value!r}: leave it out if the opposite is meant")
    return True


def whole_number(minimum: int | None = None, maximum: int | None = None) -> ValueReader:
    """A whole number from `minimum` to `maximum`; None means no bound."""
    bounds = ("" if minimum is None else f", at least {minimum}") + (
        "" if maximum is None else f", at most {maximum}"
    )

    def read(value: Any) -> int:
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or (minimum is not None and value < minimum)
            or (maximum is not None and value > maximum)
        ):
            raise ValueError(f"must be a whole number{bounds}, not {value!r}")
        return value

    return read


http_status = whole_number(100, 599)
"""An HTTP status."""


def any_number(value: Any) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value != value:
        raise ValueError(f"must be a number, not {value!r}")
    return value


def non_negative_number(value: Any) -> float:
    if any_number(value) < 0:
        raise ValueError(f"must be a number, at least 0, not {value!r}")
    return float(value)


def fraction(value: Any) -> float:
    """A probability or a share, from 0 to 1."""
    if not 0 <= any_number(value) <= 1:
        raise ValueError(f"must be a number from 0 to 1, not {value!r}")
    return float(value)


def ordered_pair(reader: ValueReader) -> ValueReader:
    """Two values, the lower one first."""

    def read(value: Any) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(f"must be a list of two numbers, not {value!r}")
        low, high = reader(value[0]), reader(value[1])
        if low > high:
            raise ValueError(f"the lower number comes first, not {value!r}")
        return low, high

    return read


def phone_number(value: Any) -> str:
    """A telephone number, as E.164."""
    found = parse_number(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"must be a telephone number like '+919876543210', not {value!r}")
    return found


def one_of(*known: str | int) -> ValueReader:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or value not in known:
            raise ValueError(unknown_value_text(value, map(str, known)))
        return value

    return read


def one_or_more(reader: ValueReader) -> ValueReader:
    """A list of values, or one by itself."""

    def read(value: Any) -> tuple[Any, ...]:
        return tuple(reader(member) for member in (value if isinstance(value, list) else [value]))

    return read


def one_or_sequence(choice_type: type[Choice]) -> ValueReader:
    """One value, or a list with a value for each ring in turn."""

    def read(value: Any) -> Choice | tuple[Choice, ...]:
        if not isinstance(value, list):
            return choice_type(value)
        if not value:
            raise ValueError(f"must be one of {choice_type.listing()}, or a list of these that is not empty")
        return tuple(choice_type(word) for word in value)

    return read


def list_of(reader: ValueReader) -> ValueReader:
    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(f"must be a list, not {value!r}")
        return tuple(reader(member) for member in value)

    return read
