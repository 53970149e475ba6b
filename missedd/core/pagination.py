"""Reading a list page by page: the query, the page, and the cursor to continue from.

A cursor is the sort key of the last row on the page. New rows may arrive before that row; the next page still
repeats no row and skips none. Clients must treat the cursor as opaque.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000

BATCH_ROWS: Final = 500
"""Rows per read when a whole list is exported: a few milliseconds, so that no other reader waits long."""


class InvalidCursor(ValueError):
    """The text is not a cursor that this list returned."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows of a list to return. None means no filter. `since` is inclusive, `until` exclusive; both are
    aware.

    `number` is E.164. Some filters apply to one list only: `kind`, `state`, `outcome`, `parked` and `settled`
    to actions; `list` and `standing` to subscriptions; `status` and `updated_since` to leads; `reference` to
    conversions; `subject` to the audit record.

    `parked` selects webhooks that were never delivered: True if they can still be resent. `settled` selects
    actions that ended as `unknown`: True if an operator has entered the outcome.
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
class Page[T]:
    """Objects of the API, newest first, and the cursor of the next page (None: this is the last page)."""

    items: list[T]
    next: str | None


type ReadPage[T] = Callable[[Query], Awaitable[Page[T]]]

type CursorKey = tuple[int | str, ...]


async def read_all_pages[T](read: ReadPage[T], query: Query) -> AsyncGenerator[list[T]]:
    """Every row that the query selects, starting at its cursor, page by page. No page stays in memory.

    Rows that arrive meanwhile come before the first page and are not returned. Raises `InvalidCursor`.
    """
    while True:
        page = await read(replace(query, limit=BATCH_ROWS))
        yield page.items
        if page.next is None:
            return
        query = replace(query, cursor=page.next)


def encode_cursor(name: str, key: CursorKey) -> str:
    """The cursor for a sort key. `name` is the name of the list, so that another list does not accept the
    cursor."""
    text = json.dumps([name, *key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(name: str, cursor: str, key_types: tuple[type, ...]) -> CursorKey:
    """The key that was given to `encode_cursor`. `key_types` are the types of its parts.

    Raises `InvalidCursor`.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        decoded = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise InvalidCursor("not a cursor of this list") from None
    if (
        not isinstance(decoded, list)
        or decoded[:1] != [name]
        or tuple(type(each) for each in decoded[1:]) != key_types
        or any(isinstance(each, int) and abs(each) >= 2**63 for each in decoded)
    ):
        raise InvalidCursor("not a cursor of this list")
    return tuple(decoded[1:])
