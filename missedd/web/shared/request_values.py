"""Parsing of request parameters. An invalid value raises a `Problem` that names the field. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from enum import StrEnum
from typing import Final

from missedd.base.clock import Clock
from missedd.config.values import parse_duration
from missedd.core.model import Kind, Outcome, State
from missedd.core.pagination import DEFAULT_LIMIT, MAX_LIMIT, Query
from missedd.core.people.erasure import lookup_key
from missedd.core.phone import PREFIX_WILDCARD, normalise, parse_prefix
from missedd.web.shared.problems import Problem, bad_input

_LARGEST_ID: Final = 2**63 - 1

_SPACE_FOR_PLUS = re.compile(r" (\d\d:?\d\d)$")


@dataclass(frozen=True, slots=True)
class RequestTimes:
    """What is needed to parse times: the zone of times without an offset, and the clock."""

    zone: tzinfo
    clock: Clock

    def parse_past(self, text: str, field: str) -> datetime:
        """Parse an instant, a date, or how long ago: `24h`, `7d`."""
        ago = parse_duration(text)
        if ago is not None:
            return self.clock.now() - ago
        try:
            return parse_instant(text, field, self.zone)
        except Problem:
            raise bad_input(
                field,
                "is no date like 2026-11-23, no instant like 2026-11-23T10:00:00+05:30, no time ago like 24h",
            ) from None


def parse_query(args: Mapping[str, str], times: RequestTimes) -> Query:
    """Parse the filters and the page of a list. An empty parameter counts as absent."""
    since, until = parse_period(args, times)
    return Query(
        campaign=args.get("campaign") or None,
        number=_parse_caller(args["number"]) if args.get("number") else None,
        since=since,
        until=until,
        kind=_parse_choice(Kind, args, "kind"),
        state=_parse_choice(State, args, "state"),
        outcome=_parse_choice(Outcome, args, "outcome"),
        parked=_parse_bool(args, "parked"),
        settled=_parse_bool(args, "settled"),
        limit=_parse_limit(args),
        cursor=args.get("cursor") or None,
    )


def parse_period(args: Mapping[str, str], times: RequestTimes) -> tuple[datetime | None, datetime | None]:
    since = times.parse_past(args["since"], "since") if args.get("since") else None
    until = times.parse_past(args["until"], "until") if args.get("until") else None
    if since is not None and until is not None and until < since:
        raise bad_input("until", "lies before since")
    return since, until


def wants_csv(args: Mapping[str, str]) -> bool:
    wanted = args.get("format") or "json"
    if wanted not in ("json", "csv"):
        raise bad_input("format", "is neither json nor csv")
    return wanted == "csv"


def parse_number(text: object, field: str) -> str:
    """Parse a phone number in any format and return it as E.164."""
    number = normalise(text) if isinstance(text, str) else None
    if number is None:
        raise bad_input(field, "is not a phone number that can be called; try +919876543210")
    return number


def parse_number_or_prefix(text: object) -> str:
    """Parse a phone number (returned as E.164) or a prefix such as `+232*`."""
    prefix = parse_prefix(text) if isinstance(text, str) else None
    if prefix is None and isinstance(text, str) and text.rstrip().endswith(PREFIX_WILDCARD):
        raise bad_input("number", "is no prefix: it begins with the country code, as in +232* or +9180*")
    return prefix or parse_number(text, "number")


def _parse_caller(text: str) -> str:
    """Parse a number in any format, the pseudonym of an erased number, or a prefix."""
    return lookup_key(text) or parse_prefix(text) or parse_number(text, "number")


def parse_action_id(text: str) -> int:
    """Parse the id of an action in a path."""
    return parse_id(text, "action")


def parse_id(text: str, what: str) -> int:
    """Parse the id of a row in a path. `what` names the row in the error, such as "lead"."""
    if not (text.isascii() and text.isdigit() and len(text) < 20 and 0 < int(text) <= _LARGEST_ID):
        raise bad_input("id", f"is not the id of {'an' if what[0] in 'aeiou' else 'a'} {what}")
    return int(text)


def parse_instant(text: object, field: str, zone: tzinfo) -> datetime:
    """Parse an ISO 8601 instant, or a date (its midnight). A time without an offset is in `zone`."""
    if not isinstance(text, str):
        raise bad_input(field, "is not a text with an instant")
    # Query strings turn the plus of `+05:30` into a space.
    text = _SPACE_FOR_PLUS.sub(r"+\1", text.strip())
    try:
        if len(text) == len("2026-11-23"):
            return datetime.combine(date.fromisoformat(text), time(), zone)
        instant = datetime.fromisoformat(text)
        instant = instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)
        # Near year 1 and year 9999 an instant may not exist in UTC.
        return instant.astimezone(zone)
    except (ValueError, OverflowError):
        raise bad_input(field, "is not an instant such as 2026-11-23T10:00:00+05:30") from None


def _parse_choice(kinds: type[StrEnum], args: Mapping[str, str], field: str) -> str | None:
    text = args.get(field)
    if not text:
        return None
    if text not in {each.value for each in kinds}:
        raise bad_input(field, f"is none of {', '.join(each.value for each in kinds)}")
    return text


def _parse_bool(args: Mapping[str, str], field: str) -> bool | None:
    text = args.get(field) or None
    if text not in (None, "true", "false"):
        raise bad_input(field, "is neither true nor false")
    return None if text is None else text == "true"


def _parse_limit(args: Mapping[str, str]) -> int:
    text = args.get("limit") or str(DEFAULT_LIMIT)
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= MAX_LIMIT):
        raise bad_input("limit", f"is not a whole number from 1 to {MAX_LIMIT}")
    return int(text)
