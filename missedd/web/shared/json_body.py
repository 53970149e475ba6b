"""Reading and checking the JSON body of an API request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from quart import request

from missedd.web.shared.problems import Problem, bad_input
from missedd.web.shared.request_values import parse_instant

MAX_LINE_CHARS = 500


async def read_json_object(*known: str) -> dict[str, Any]:
    """Read the body, a JSON object. Raises `Problem` if the body has keys other than `known`."""
    # A page of another origin can send JSON only after a preflight request, and we do not answer those.
    if request.mimetype != "application/json":
        raise Problem(415, "the body is to be application/json")
    try:
        body = json.loads(await request.get_data())
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Problem(400, "the body is no JSON object")
    return reject_unknown_keys(body, *known)


def reject_unknown_keys(body: dict[str, Any], *known: str) -> dict[str, Any]:
    """Return `body`. Raises `Problem` if it has keys other than `known`; any of them may be missing."""
    for key in body:
        if key not in known:
            raise bad_input(key[:100], f"is none of {', '.join(known)}")
    return body


def parse_line(body: Mapping[str, Any], field: str, max_chars: int = MAX_LINE_CHARS) -> str:
    """Parse a required text of one line, without the spaces around it."""
    text = body.get(field)
    if not isinstance(text, str) or not text.strip():
        raise bad_input(field, "is missing; it is a text")
    text = text.strip()
    # JSON may contain a lone surrogate, which the database cannot store.
    if len(text) > max_chars or not text.isprintable():
        raise bad_input(field, f"is not a line of at most {max_chars} characters")
    return text


def parse_until(body: Mapping[str, Any], zone: ZoneInfo, now: datetime) -> datetime | None:
    """Parse `until`, an instant in the future; None if it is absent or null (no end)."""
    if body.get("until") is None:
        return None
    until = parse_instant(body["until"], "until", zone)
    if until <= now:
        raise bad_input("until", "lies in the past")
    return until
