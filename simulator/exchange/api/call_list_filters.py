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

from simulator.exchange.model.api_requests import Refusal
from simulator.exchange.model.formats import e164, from_ist

PAGE_SIZE, PAGE_SIZE_MAX, SIDS_MAX, NUMBERS_MAX = 50, 100, 100, 5
WIDEST_RANGE = timedelta(days=31)
STATUSES = ("queued", "in-progress", "completed", "failed", "busy", "no-answer")
DIRECTIONS = ("inbound", "outbound-dial", "outbound-api")
ORDERS = ("DateCreated:desc", "DateCreated:asc")
URL_MINUTES = (5, 60)
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {"gte": ge, "gt": gt, "lte": le, "lt": lt, "eq": eq}

DateTest = Callable[[datetime], bool]


@dataclass(frozen=True, slots=True)
class Span:
    """The parts of a comparison (`gte:…;lte:…`), of which a value has to meet all."""

    parts: tuple[tuple[str, Any], ...]

    def holds(self, value: Any) -> bool:
        return all(COMPARISONS[name](value, bound) for name, bound in self.parts)


def dates(query: Mapping[str, str]) -> tuple[DateTest | None, DateTest | None]:
    """A lower and an upper test, compared in whole seconds as they are written."""
    parts = _span(query, "DateCreated", from_ist).parts
    low, high = _side(parts, "gte", "gt"), _side(parts, "lte", "lt")
    if low.parts and high.parts and high.parts[-1][1] - low.parts[-1][1] > WIDEST_RANGE:
        raise _refused("DateCreated spans more than a month")
    return _in_whole_seconds(low), _in_whole_seconds(high)


def durations(query: Mapping[str, str]) -> Span:
    return _span(query, "Duration", lambda text: int(text.removesuffix("s")))


def prices(query: Mapping[str, str]) -> Span:
    return _span(query, "Price", _rupees)


def sids(query: Mapping[str, str]) -> list[str]:
    return _listed(query, "Sid", SIDS_MAX)


def numbers(query: Mapping[str, str], name: str) -> list[str | None]:
    """E.164, None for what is no number and so finds nothing."""
    return [e164(text) for text in _listed(query, name, NUMBERS_MAX)]


def choice(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    """One of the known values, or nothing."""
    value = query.get(name, "")
    if value and value not in known:
        raise _refused(f"{name} is one of {', '.join(known)}")
    return value


def page_size(query: Mapping[str, str]) -> int:
    return _whole(query, "PageSize", PAGE_SIZE, 1, PAGE_SIZE_MAX)


def url_minutes(query: Mapping[str, str]) -> int | None:
    """How long a signed recording URL is to hold, None if none is asked for."""
    least, most = URL_MINUTES
    name = "RecordingUrlValidity"
    return _whole(query, name, least, least, most) if name in query else None


def _refused(what: str) -> Refusal:
    return Refusal(400, f"Bad or missing parameters: {what}")


def _whole(query: Mapping[str, str], name: str, usual: int, least: int, most: int) -> int:
    text = query.get(name, str(usual))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise _refused(f"{name} is {least} to {most}")
    return int(text)


def _span(query: Mapping[str, str], name: str, read: Callable[[str], Any]) -> Span:
    parts = []
    for part in filter(None, query.get(name, "").split(";")):
        comparison, _, value = part.partition(":")
        try:
            if comparison not in COMPARISONS:
                raise ValueError(comparison)
            parts.append((comparison, read(value.strip())))
        except (ValueError, OverflowError, InvalidOperation):
            raise _refused(f"{name} {part!r}") from None
    return Span(tuple(parts))


def _side(parts: tuple[tuple[str, Any], ...], closed: str, open_: str) -> Span:
    """The bounds of one side; `eq` bounds both."""
    return Span(
        tuple((closed if name == "eq" else name, at) for name, at in parts if name in (closed, open_, "eq"))
    )


def _rupees(text: str) -> Decimal:
    value = Decimal(text)
    if not value.is_finite():
        raise ValueError(text)
    return value


def _in_whole_seconds(span: Span) -> DateTest | None:
    return (lambda at: span.holds(at.replace(microsecond=0))) if span.parts else None


def _listed(query: Mapping[str, str], name: str, most: int) -> list[str]:
    values = [value.strip() for value in query.get(name, "").split(",") if value.strip()]
    if len(values) > most:
        raise _refused(f"more than {most} values of {name}")
    return values
