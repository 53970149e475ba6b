"""The filters of `GET Calls`, read: text in, tests out. What does not read is refused (400).

DateCreated=gte:2026-11-23 00:00:00;lte:…   in IST, a month at most
Duration=gte:10s;lte:45s                    seconds
Price=eq:0.750                              rupees
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from operator import eq, ge, gt, le, lt
from typing import Any

from simulator.exchange.model.api_requests import RestException
from simulator.exchange.model.formats import parse_ist, parse_number

PAGE_SIZE, PAGE_SIZE_MAX, SIDS_MAX, NUMBERS_MAX = 50, 100, 100, 5
WIDEST_RANGE = timedelta(days=31)
STATUSES = ("queued", "in-progress", "completed", "failed", "busy", "no-answer")
DIRECTIONS = ("inbound", "outbound-dial", "outbound-api")
SORT_ORDERS = ("DateCreated:desc", "DateCreated:asc")
RECORDING_URL_MINUTES = (5, 60)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"gte": ge, "gt": gt, "lte": le, "lt": lt, "eq": eq}

DateTest = Callable[[datetime], bool]


@dataclass(frozen=True, slots=True)
class RangeFilter:
    """The parts of a comparison (`gte:…;lte:…`), of which a value has to meet all."""

    conditions: tuple[tuple[str, Any], ...]

    def matches(self, value: Any) -> bool:
        return all(COMPARISONS[name](value, bound) for name, bound in self.conditions)


def date_filters(query: Mapping[str, str]) -> tuple[DateTest | None, DateTest | None]:
    """A lower and an upper test, compared in whole seconds as they are written."""
    parts = _range_filter(query, "DateCreated", parse_ist).conditions
    low, high = _one_side(parts, "gte", "gt"), _one_side(parts, "lte", "lt")
    if low.conditions and high.conditions and high.conditions[-1][1] - low.conditions[-1][1] > WIDEST_RANGE:
        raise _bad_parameter("DateCreated spans more than a month")
    return _in_whole_seconds(low), _in_whole_seconds(high)


def duration_filter(query: Mapping[str, str]) -> RangeFilter:
    return _range_filter(query, "Duration", lambda text: int(text.removesuffix("s")))


def price_filter(query: Mapping[str, str]) -> RangeFilter:
    return _range_filter(query, "Price", _rupees)


def sid_filter(query: Mapping[str, str]) -> list[str]:
    return _split_list(query, "Sid", SIDS_MAX)


def number_filter(query: Mapping[str, str], name: str) -> list[str | None]:
    """E.164, None for what is no number and so finds nothing."""
    return [parse_number(text) for text in _split_list(query, name, NUMBERS_MAX)]


def choice_filter(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """One of the known values, or nothing."""
    value = query.get(name, "")
    if value and value not in known:
        raise _bad_parameter(f"{name} is one of {', '.join(known)}")
    return value


def page_size(query: Mapping[str, str]) -> int:
    return _whole_number(query, "PageSize", PAGE_SIZE, 1, PAGE_SIZE_MAX)


def recording_url_minutes(query: Mapping[str, str]) -> int | None:
    """How long a signed recording URL is to hold, None if none is asked for."""
    least, most = RECORDING_URL_MINUTES
    name = "RecordingUrlValidity"
    return _whole_number(query, name, least, least, most) if name in query else None


def _bad_parameter(what: str) -> RestException:
    return RestException(400, f"Bad or missing parameters: {what}")


def _whole_number(query: Mapping[str, str], name: str, default: int, minimum: int, maximum: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and minimum <= int(text) <= maximum):
        raise _bad_parameter(f"{name} is {minimum} to {maximum}")
    return int(text)


def _range_filter(query: Mapping[str, str], name: str, read: Callable[[str], Any]) -> RangeFilter:
    parts = []
    for part in filter(None, query.get(name, "").split(";")):
        comparison, _, value = part.partition(":")
        try:
            if comparison not in COMPARISONS:
                raise ValueError(comparison)
            parts.append((comparison, read(value.strip())))
        except (ValueError, OverflowError, InvalidOperation):
            raise _bad_parameter(f"{name} {part!r}") from None
    return RangeFilter(tuple(parts))


def _one_side(parts: tuple[tuple[str, Any], ...], closed: str, open_: str) -> RangeFilter:
    """The bounds of one side; `eq` bounds both."""
    return RangeFilter(
        tuple((closed if name == "eq" else name, at) for name, at in parts if name in (closed, open_, "eq"))
    )


def _rupees(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _in_whole_seconds(span: RangeFilter) -> DateTest | None:
    return (lambda at: span.matches(at.replace(microsecond=0))) if span.conditions else None


def _split_list(query: Mapping[str, str], name: str, most: int) -> list[str]:
    values = [value.strip() for value in query.get(name, "").split(",") if value.strip()]
    if len(values) > most:
        raise _bad_parameter(f"more than {most} values of {name}")
    return values
