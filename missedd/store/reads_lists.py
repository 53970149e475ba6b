"""Lists a page at a time, newest first, by keyset: the depth of a page costs nothing.

Each list names its sort key; the cursor is the key of the last row shown. Filters that a list
does not know are not applied to it.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from missedd.clock import to_us
from missedd.core.pages import Key, Page, Query, decode_cursor, encode_cursor
from missedd.store.reads_calls import ACTION_COLUMNS, CALL_COLUMNS, Rows, action_of, call_of, iso


@dataclass(frozen=True, slots=True)
class _List:
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


async def calls(db: Rows, query: Query) -> Page:
    """Every call that came in, of all verdicts; `since` and `until` are of the call's own time."""
    return await _page(db, _CALLS, query)


async def actions(db: Rows, query: Query) -> Page:
    """What is and was owed, each with its call's Sid; `since` and `until` are of `due_at`."""
    return await _page(db, _ACTIONS, query)


async def leads(db: Rows, query: Query) -> Page:
    """Persons, each once a campaign; `since` and `until` are of the first call."""
    return await _page(db, _LEADS, query)


async def suppressions(db: Rows, query: Query) -> Page:
    """Numbers that are not contacted, those whose time has run out included; they have no campaign."""
    return await _page(db, _SUPPRESSIONS, query)


async def subscriptions(db: Rows, query: Query) -> Page:
    """Consents, in force or withdrawn, in the order in which they were told of; `since` and `until` are
    of the consent's call.
    """
    return await _page(db, _SUBSCRIPTIONS, query)


async def latest_calls(db: Rows, limit: int) -> list[dict[str, Any]]:
    """The newest calls, each with its actions in brief (kind, state, outcome, due_at), for the console."""
    found = await db.fetch_all(
        f"SELECT {CALL_COLUMNS} FROM calls c ORDER BY c.called_at DESC, c.id DESC LIMIT ?", (limit,)
    )
    shown = {row[0]: call_of(row) | {"actions": []} for row in found}
    for row in await db.fetch_all(
        f"""SELECT {ACTION_COLUMNS}, a.call_id FROM actions a
            WHERE a.call_id IN (SELECT value FROM json_each(?)) ORDER BY a.id""",
        (json.dumps(list(shown)),),
    ):
        shown[row[-1]]["actions"].append(action_of(row))
    return list(shown.values())


async def due_next(db: Rows, limit: int) -> list[dict[str, Any]]:
    """What waits, the soonest first."""
    rows = await db.fetch_all(
        f"""SELECT {ACTION_COLUMNS}, a.campaign, a.number, c.call_sid
            FROM actions a JOIN calls c ON c.id = a.call_id
            WHERE a.wake_at IS NOT NULL AND a.state IN ('planned', 'held') ORDER BY a.wake_at LIMIT ?""",
        (limit,),
    )
    return [_listed_action(row) for row in rows]


async def _page(db: Rows, of: _List, query: Query) -> Page:
    where: list[str] = [] if of.only is None else [of.only]
    params: list[object] = []
    for name, column in of.filters.items():
        value = getattr(query, name)
        if value is not None:
            where.append(f"{column} = ?")
            params.append(value)
    if "state" in of.filters and query.state not in (None, "done"):
        # Said in these words the index of what is open can be used.
        where.append(f"{of.filters['state']} != 'done'")
    if query.since is not None:
        where.append(f"{of.time} >= ?")
        params.append(to_us(query.since))
    if query.until is not None:
        where.append(f"{of.time} < ?")
        params.append(to_us(query.until))
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


def _listed_action(row: Sequence[Any]) -> dict[str, Any]:
    return action_of(row) | {"campaign": row[-3], "number": row[-2], "call_sid": row[-1]}


def _lead_of(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "id": row[0],
        "campaign": row[1],
        "number": row[2],
        "source": row[3],
        "status": row[4],
        "first_seen_at": iso(row[5]),
        "last_seen_at": iso(row[6]),
        "count": row[7],
        "first_call_sid": row[8],
    }


def _suppression_of(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "number": row[0],
        "reason": row[1],
        "source": row[2],
        "since": iso(row[3]),
        "until": iso(row[4]),
        "channel": row[5],
        "call_sid": row[6],
    }


def _subscription_of(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "list": row[0],
        "number": row[1],
        "purpose": row[2],
        "state": row[3],
        "campaign": row[4],
        "exophone": row[5],
        "call_sid": row[6],
        "consented_at": iso(row[7]),
        "withdrawn_at": iso(row[8]),
        "withdrawn_by": row[9],
        "withdrawal_call_sid": row[10],
    }


_CALLS: Final = _List(
    name="calls",
    source="calls c",
    columns=CALL_COLUMNS,
    # The order of the indexes by campaign and by time, so that no page sorts.
    key=("c.called_at", "c.id"),
    like=(int, int),
    filters={"campaign": "c.campaign", "number": "c.caller"},
    time="c.called_at",
    shape=call_of,
)

# A plus before a column keeps its index out of the plan: such an index has not the order of the
# key, and sorting all of a campaign's rows for one page would cost far more than passing over others'.
_ACTIONS: Final = _List(
    name="actions",
    source="actions a JOIN calls c ON c.id = a.call_id",
    columns=f"{ACTION_COLUMNS}, a.campaign, a.number, c.call_sid",
    key=("a.id",),
    like=(int,),
    filters={
        "campaign": "+a.campaign",
        "number": "a.number",
        "kind": "+a.kind",
        "state": "a.state",
        "outcome": "+a.outcome",
    },
    time="a.due_at",
    shape=_listed_action,
)

_LEADS: Final = _List(
    name="leads",
    source="leads l JOIN calls c ON c.id = l.first_call_id",
    columns="""l.id, l.campaign, l.number, l.source, l.status, l.first_seen_at, l.last_seen_at, l.count,
               c.call_sid""",
    key=("l.id",),
    like=(int,),
    filters={"campaign": "+l.campaign", "number": "l.number"},
    time="l.first_seen_at",
    shape=_lead_of,
)

_SUPPRESSIONS: Final = _List(
    name="suppressions",
    source="suppressions s LEFT JOIN calls c ON c.id = s.call_id",
    columns="s.number, s.reason, s.source, s.since_at, s.until_at, s.channel, c.call_sid",
    key=("s.since_at", "s.number", "s.channel", "s.source"),
    like=(int, str, str, str),
    filters={"number": "s.number"},
    time="s.since_at",
    shape=_suppression_of,
)

_SUBSCRIPTIONS: Final = _List(
    name="subscriptions",
    source="""subscriptions s JOIN calls c ON c.id = s.call_id
              LEFT JOIN calls w ON w.id = s.withdrawal_call_id""",
    columns="""s.list, s.number, s.purpose, s.standing, s.campaign, c.exophone, c.call_sid, s.consented_at,
               s.withdrawn_at, s.withdrawn_by, w.call_sid""",
    key=("s.id",),
    like=(int,),
    filters={
        "list": "s.list",
        "number": "s.number",
        "campaign": "+s.campaign",
        "standing": "+s.standing",
    },
    time="s.consented_at",
    shape=_subscription_of,
    only="s.standing != 'repeated'",
)
