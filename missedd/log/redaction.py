"""How a log line is made safe to show to others.

No full phone number and no secret appears in a line, wherever it is in a value: in a field of its own, inside
a text, in a list, or in a traceback.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

from missedd.base.clock import to_iso
from missedd.core.phone import mask

type Processor = Callable[[Any, str, MutableMapping[str, Any]], Mapping[str, Any]]

NUMBER_KEYS = frozenset({"number", "caller", "from", "to", "exophone"})
"""Fields that hold a phone number in any spelling."""

ID_KEYS = frozenset({"call_sid", "provider_sid", "action"})
"""Fields that connect lines. A CallSid may consist of digits only and must not be masked."""

FIXED_KEYS = frozenset({"event", "level", "at"})

_MAYBE_NUMBER = re.compile(r"\d(?:[ -]?\d){9}")
"""Every number contains this and most texts do not, so most texts need only one search instead of three."""

_PLUS_NUMBER = re.compile(r"(?:\+|%2[Bb])(?:\d{10,}|\d(?:[ -]?\d){9,14})")
_BARE_NUMBER = re.compile(r"(?<![0-9A-Za-z.])\d{10,15}(?![0-9A-Za-z.])")
"""Ten to fifteen digits that stand alone: Exotel also writes 09876543210."""

_REDACTED = "[secret]"


_PRIORITIES: Final = {"debug": 7, "info": 6, "warning": 4, "error": 3}


def add_journal_priority(_logger: Any, method: str, line: str) -> str:
    """A line for systemd's journal: it starts with the syslog number of its level (sd-daemon(3))."""
    return f"<{_PRIORITIES[method]}>{line}"


MIN_SECRET_LENGTH = 6
"""A shorter text is not a secret, and hiding it would garble words that contain it (characters)."""


def redactor(secrets: Iterable[str]) -> Processor:
    """Mask phone numbers and hide secrets in every value of a line, except in the fixed fields."""
    # The longest first, because a secret may contain another one.
    covered = sorted({each for each in secrets if len(each) >= MIN_SECRET_LENGTH}, key=len, reverse=True)

    def hide(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
        for key, each in line.items():
            if key not in FIXED_KEYS:
                line[key] = value(key, each)
        return line

    def value(key: str, each: Any) -> Any:
        # The most frequent types first, because this runs for every field of every line.
        if type(each) is str:
            return text(key, mask(each) if key in NUMBER_KEYS else each)
        if isinstance(each, Enum):
            return each.value  # one of our own words
        if isinstance(each, (int, float)) or each is None:
            return mask(str(each)) if key in NUMBER_KEYS and each else each
        if isinstance(each, Mapping):
            return {text("", str(name)): value(str(name), inner) for name, inner in each.items()}
        if isinstance(each, (list, tuple)):
            return [value(key, inner) for inner in each]
        if isinstance(each, (set, frozenset)):
            return sorted(str(value(key, inner)) for inner in each)
        if isinstance(each, datetime) and each.tzinfo is not None:
            return to_iso(each)
        if isinstance(each, timedelta):
            return each.total_seconds()
        return text(key, str(each))

    def text(key: str, each: str) -> str:
        for secret in covered:
            if secret in each:
                each = each.replace(secret, _REDACTED)
        if len(each) < 10 or _MAYBE_NUMBER.search(each) is None:
            return each
        each = _PLUS_NUMBER.sub(_masked, each)
        return each if key in ID_KEYS else _BARE_NUMBER.sub(_masked, each)

    return hide


def _masked(match: re.Match[str]) -> str:
    return mask(match[0].removeprefix("%2B").removeprefix("%2b"))
