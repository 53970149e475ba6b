"""Places in the file: how messages name a table of an array, and where a misplaced key belongs.

campaign "admissions"        by its name
campaign 2 (+918047120002)   by its position and ExoPhone, if the name is missing, wrong or not unique
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from missedd.core.phone import normalise
from missedd.core.policy import quoted

MAX_NAME_LENGTH: Final = 100
"""Characters in the name of a campaign or a poll."""

ALL_TABLES: Final[Mapping[str, object]] = {
    **{name: {} for name in ("store", "node", "listen", "exotel", "retention", "quiet_hours", "contact")},
    "poll": [{}],
    "campaign": [
        {
            **{name: {} for name in ("callback", "sms", "lead", "webhook", "hours", "contact")},
            **{name: {} for name in ("vote", "subscribe", "unsubscribe", "verify")},
            "after_hours": {"sms": {}},
        }
    ],
}
"""A file with all tables and no keys. Reading it asks for every key that exists."""


def table_labels(key: str, tables: Sequence[Mapping[str, object]]) -> list[str]:
    """What messages call each table of the array `key`; all labels differ."""
    named: list[str] = []
    for place, raw in enumerate(tables, 1):
        name = f"{key} {spelled}" if (spelled := _name(raw)) else ""
        named.append(name if name and name not in named else f"{key} {place}{_number(raw)}")
    return named


def key_locations(key: str, known: Mapping[str, set[str]], parent_header: str = "") -> list[str]:
    """Every place of a key, such as `in [campaign.callback]`; `known` are the known keys by the header of
    their table.

    `parent_header` is the header under which the whole file stands, if it is part of another file.
    """
    return [_describe_location(header, parent_header) for header in sorted(known) if key in known[header]]


def _describe_location(header: str, parent_header: str) -> str:
    written = ".".join(part for part in (parent_header, header) if part)
    if not written:
        return "at the top of the file, before the first table"
    return f"in [[{written}]]" if isinstance(ALL_TABLES.get(header), list) else f"in [{written}]"


def _name(raw: Mapping[str, object]) -> str:
    """The name of a table in quotes; "" if it has no printable name."""
    name = raw.get("name")
    if not isinstance(name, str) or not name.strip() or not name.isprintable() or len(name) > MAX_NAME_LENGTH:
        return ""
    return quoted(name)


def _number(raw: Mapping[str, object]) -> str:
    """The first ExoPhone of a table, to identify it: ` (+918047120001)`."""
    numbers = raw.get("exophones")
    first = numbers[0] if isinstance(numbers, list) and numbers else None
    number = normalise(first) if isinstance(first, str) else None
    return f" ({number})" if number else ""
