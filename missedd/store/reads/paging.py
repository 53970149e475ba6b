"""A list of the store's, a page at a time by keyset, newest first: the depth of a page costs nothing.

Each list names its sort key; the cursor is the key of the last row shown. Filters that a list
does not know are not applied to it.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from dataclasses import dataclass, field

from missedd.base.clock import to_us
from missedd.core.api_types.base import ApiObject
from missedd.core.pagination import CursorKey, Page, Query, decode_cursor, encode_cursor
from missedd.store.db.columns import Columns
from missedd.store.db.database import ReadOnlyDatabase


@dataclass(frozen=True, slots=True)
class ListSpec[T: ApiObject]:
    """A list's table and columns, its sort key (descending) and the column of each filter."""

    name: str
    source: str
    columns: Columns[T]
    sort_key: tuple[str, ...]
    key_types: tuple[type, ...]
    filters: dict[str, str]
    time_column: str
    condition: str | None = None
    """What of the table belongs to the list, where that is not all of it."""
    boolean_filters: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By filter that is true or false: which rows are meant by the one, and which by the other."""
    filter_conditions: dict[str, str] = field(default_factory=dict)
    """By filter: a condition that takes its value more than once, or otherwise than by being equal."""
    updated_column: str | None = None
    """Where the list is of what changed since an instant: the column of its last change."""


async def fetch_page[T: ApiObject](db: ReadOnlyDatabase, spec: ListSpec[T], query: Query) -> Page[T]:
    where: list[str] = [] if spec.condition is None else [spec.condition]
    params: list[object] = []
    for name, column in spec.filters.items():
        value = getattr(query, name)
        if value is not None:
            where.append(f"{column} = ?")
            params.append(value)
    for name, condition in spec.filter_conditions.items():
        value = getattr(query, name)
        if value is not None:
            where.append(condition)
            params.extend([value] * condition.count("?"))
    for name, (yes, no) in spec.boolean_filters.items():
        value = getattr(query, name)
        if value is not None:
            where.append(yes if value else no)
    if "state" in spec.filters and query.state not in (None, "done"):
        # Said in these words the index of what is open can be used.
        where.append(f"{spec.filters['state']} != 'done'")
    if query.since is not None:
        where.append(f"{spec.time_column} >= ?")
        params.append(to_us(query.since))
    if query.until is not None:
        where.append(f"{spec.time_column} < ?")
        params.append(to_us(query.until))
    if spec.updated_column is not None and query.updated_since is not None:
        where.append(f"{spec.updated_column} >= ?")
        params.append(to_us(query.updated_since))
    if query.cursor is not None:
        where.append(f"({', '.join(spec.sort_key)}) < ({', '.join('?' for _ in spec.sort_key)})")
        params.extend(decode_cursor(spec.name, query.cursor, spec.key_types))
    order = ", ".join(f"{column} DESC" for column in spec.sort_key)
    # One row more than asked for tells whether there is a next page.
    rows = await db.fetch_all(
        f"""SELECT {", ".join(spec.sort_key)}, {spec.columns.sql} FROM {spec.source}
            {"WHERE " + " AND ".join(where) if where else ""} ORDER BY {order} LIMIT ?""",
        (*params, query.limit + 1),
    )
    width = len(spec.sort_key)
    shown = rows[: query.limit]
    last: CursorKey = tuple(shown[-1][:width]) if shown else ()
    return Page(
        [spec.columns.read(row[width:]) for row in shown],
        encode_cursor(spec.name, last) if len(rows) > query.limit else None,
    )
