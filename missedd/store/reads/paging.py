"""A list of the store's, a page at a time by keyset, newest first: the depth of a page costs nothing.

Each list names its sort key; the cursor is the key of the last row shown. Filters that a list
does not know are not applied to it.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from missedd.base.clock import to_us
from missedd.core.pagination import Key, Page, Query, decode_cursor, encode_cursor
from missedd.store.db.database import Rows


@dataclass(frozen=True, slots=True)
class List:
    """A list's table and columns, its sort key (descending) and the column of each filter."""

    name: str
    source: str
    columns: str
    key: tuple[str, ...]
    like: tuple[type, ...]
    filters: dict[str, str]
    time: str
    shape: Callable[[Sequence[Any]], dict[str, Any]]
    only: str | None = None
    """What of the table belongs to the list, where that is not all of it."""
    halves: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By filter that is true or false: which rows are meant by the one, and which by the other."""
    conditions: dict[str, str] = field(default_factory=dict)
    """By filter: a condition that takes its value more than once, or otherwise than by being equal."""
    updated: str | None = None
    """Where the list is of what changed since an instant: the column of its last change."""


async def page(db: Rows, of: List, query: Query) -> Page:
    where: list[str] = [] if of.only is None else [of.only]
    params: list[object] = []
    for name, column in of.filters.items():
        value = getattr(query, name)
        if value is not None:
            where.append(f"{column} = ?")
            params.append(value)
    for name, condition in of.conditions.items():
        value = getattr(query, name)
        if value is not None:
            where.append(condition)
            params.extend([value] * condition.count("?"))
    for name, (yes, no) in of.halves.items():
        value = getattr(query, name)
        if value is not None:
            where.append(yes if value else no)
    if "state" in of.filters and query.state not in (None, "done"):
        # Said in these words the index of what is open can be used.
        where.append(f"{of.filters['state']} != 'done'")
    if query.since is not None:
        where.append(f"{of.time} >= ?")
        params.append(to_us(query.since))
    if query.until is not None:
        where.append(f"{of.time} < ?")
        params.append(to_us(query.until))
    if of.updated is not None and query.updated_since is not None:
        where.append(f"{of.updated} >= ?")
        params.append(to_us(query.updated_since))
    if query.cursor is not None:
        where.append(f"({', '.join(of.key)}) < ({', '.join('?' for _ in of.key)})")
        params.extend(decode_cursor(of.name, query.cursor, of.like))
    order = ", ".join(f"{column} DESC" for column in of.key)
    # One row more than asked for tells whether there is a next page.
    rows = await db.fetch_all(
        f"""SELECT {", ".join(of.key)}, {of.columns} FROM {of.source}
            {"WHERE " + " AND ".join(where) if where else ""} ORDER BY {order} LIMIT ?""",
        (*params, query.limit + 1),
    )
    width = len(of.key)
    shown = rows[: query.limit]
    last: Key = tuple(shown[-1][:width]) if shown else ()
    return Page(
        [of.shape(row[width:]) for row in shown],
        encode_cursor(of.name, last) if len(rows) > query.limit else None,
    )
