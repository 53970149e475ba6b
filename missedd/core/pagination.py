"""Lists a page at a time: what a reader asked for, what it is given, and where to go on.

A cursor is the sort key of the last row shown, so a page stays where it was while new rows arrive
in front of it: nothing is shown twice and nothing is skipped. It is opaque to its holder.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000

BATCH_ROWS: Final = 500
"""Rows a read, where all of a list is told: some milliseconds, so that nobody else waits for it."""


class InvalidCursor(ValueError):
    """Not a cursor that this list handed out."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows of a list are wanted; None asks for all. `since` is included, `until` is not.

    `number` is E.164. `kind`, `state`, `outcome`, `parked` and `settled` concern actions only, `list`
    and `standing` subscriptions, `status` and `updated_since` leads, `reference` conversions, `subject`
    the audit record.

    `parked` is of webhooks that were never taken: whether they still wait to be sent again. `settled` is of
    actions that ended as `unknown`: whether an operator has said what became of them.
    """

    campaign: str | None = None
    number: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    kind: str | None = None
    state: str | None = None
    outcome: str | None = None
    parked: bool | None = None
    settled: bool | None = None
    list: str | None = None
    standing: str | None = None
    status: str | None = None
    updated_since: datetime | None = None
    reference: str | None = None
    subject: str | None = None
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as JSON objects, newest first, and the cursor of the next page (None: this was the last)."""

    items: list[Mapping[str, Any]]
    next: str | None


type PageRows = list[Mapping[str, Any]]
type ReadPage = Callable[[Query], Awaitable[Page]]

type CursorKey = tuple[int | str, ...]


async def read_all_pages(read: ReadPage, query: Query) -> AsyncGenerator[PageRows]:
    """Every row that the query selects from its cursor on, a page at a time; nothing is held in between.

    What comes in meanwhile is in front of the first page, and not told. Raises `InvalidCursor`.
    """
    while True:
        page = await read(replace(query, limit=BATCH_ROWS))
        yield page.items
        if page.next is None:
            return
        query = replace(query, cursor=page.next)


def encode_cursor(name: str, key: CursorKey) -> str:
    """`name` is the list's: a cursor of another list is not taken."""
    text = json.dumps([name, *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(name: str, cursor: str, key_types: tuple[type, ...]) -> CursorKey:
    """The key that `encode_cursor` was given; `key_types` are the types of its parts. Raises
    `InvalidCursor`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidCursor("not a cursor of this list") from None
    if (
        not isinstance(found, list)
        or found[:1] != [name]
        or tuple(type(each) for each in found[1:]) != key_types
        or any(isinstance(each, int) and abs(each) >= 2**63 for each in found)
    ):
        raise InvalidCursor("not a cursor of this list")
    return tuple(found[1:])
