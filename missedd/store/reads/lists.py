"""The lists of calls, actions, suppressions and subscriptions, and what the console shows of them."""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from missedd.base.clock import to_us
from missedd.core.admission.concurrent_calls import CAPACITY_REASONS
from missedd.core.pagination import Page, Query
from missedd.store.actions.concurrent_calls import IS_WAITING_CALLBACK
from missedd.store.actions.provider_holds import IS_HELD_WITH_LANE
from missedd.store.actions.rows import IS_PARKED, IS_RESENT
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.db.json_values import iso_from_us
from missedd.store.reads.attention import IS_RESOLVED, IS_UNKNOWN
from missedd.store.reads.calls import ACTION_COLUMNS, CALL_COLUMNS, action_json, call_json
from missedd.store.reads.paging import ListSpec, fetch_page


async def calls(db: ReadOnlyDatabase, query: Query) -> Page:
    """Every call that came in, of all verdicts; `since` and `until` are of the call's own time."""
    return await fetch_page(db, _CALLS, query)


async def actions(db: ReadOnlyDatabase, query: Query) -> Page:
    """What is and was owed, each with its call's Sid; `since` and `until` are of `due_at`."""
    return await fetch_page(db, _ACTIONS, query)


async def suppressions(db: ReadOnlyDatabase, query: Query) -> Page:
    """Numbers that are not contacted, those whose time has run out included; they have no campaign."""
    return await fetch_page(db, _SUPPRESSIONS, query)


async def subscriptions(db: ReadOnlyDatabase, query: Query) -> Page:
    """Consents, in force or withdrawn, in the order in which they were told of; `since` and `until` are
    of the consent's call.
    """
    return await fetch_page(db, _SUBSCRIPTIONS, query)


async def latest_calls(db: ReadOnlyDatabase, limit: int) -> list[dict[str, Any]]:
    """The newest calls, each with its actions in brief (kind, state, outcome, due_at), for the console."""
    found = await db.fetch_all(
        f"SELECT {CALL_COLUMNS} FROM calls c ORDER BY c.called_at DESC, c.id DESC LIMIT ?", (limit,)
    )
    shown = {row[0]: call_json(row) | {"actions": []} for row in found}
    for row in await db.fetch_all(
        f"""SELECT {ACTION_COLUMNS}, a.call_id FROM actions a
            WHERE a.call_id IN (SELECT value FROM json_each(?)) ORDER BY a.id""",
        (json.dumps(list(shown)),),
    ):
        shown[row[-1]]["actions"].append(action_json(row))
    return list(shown.values())


_WAITS_FOR_CAPACITY: Final = f"reason IN ({', '.join(f"'{reason}'" for reason in CAPACITY_REASONS)})"
DISPATCH_ORDER: Final = (
    "wake_at <= ?1 ORDER BY wake_at DESC, id DESC",
    f"+wake_at > ?1 AND {IS_HELD_WITH_LANE} AND kind IN ('callback', 'sms') ORDER BY due_at DESC, id DESC",
    f"+wake_at > ?1 AND {IS_WAITING_CALLBACK} AND {_WAITS_FOR_CAPACITY} "
    "ORDER BY coalesce(chain_at, base_at), id",
    f"wake_at > ?1 AND (state = 'planned' OR NOT ({IS_HELD_WITH_LANE} OR {_WAITS_FOR_CAPACITY})) "
    "ORDER BY wake_at, id",
)
"""Each with its order, that of the dispatcher: what is due, and what waits for the provider, the freshest
first; callbacks that wait for a place, whoever rang first; what is not due yet, the soonest first. A plus
keeps SQLite from the index of instants, where the few that are held have one of their own."""


async def next_actions(db: ReadOnlyDatabase, now: datetime, limit: int) -> list[dict[str, Any]]:
    """What waits, in the order in which it goes."""
    found: list[Sequence[Any]] = []
    for which in DISPATCH_ORDER:
        found += await db.fetch_all(
            f"""SELECT {ACTION_COLUMNS}, a.campaign, a.number, c.call_sid
                FROM (SELECT id AS next, row_number() OVER () AS turn FROM (
                        SELECT id FROM actions WHERE state IN ('planned', 'held') AND {which} LIMIT ?2))
                JOIN actions a ON a.id = next JOIN calls c ON c.id = a.call_id ORDER BY turn""",
            (to_us(now), limit - len(found)),
        )
    return [_listed_action_json(row) for row in found]


def _listed_action_json(row: Sequence[Any]) -> dict[str, Any]:
    return action_json(row) | {"campaign": row[-3], "number": row[-2], "call_sid": row[-1]}


def _suppression_json(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "number": row[0],
        "reason": row[1],
        "source": row[2],
        "since": iso_from_us(row[3]),
        "until": iso_from_us(row[4]),
        "channel": row[5],
        "class": row[6] or None,
        "sender": row[7] or None,
        "call_sid": row[8],
    }


def _subscription_json(row: Sequence[Any]) -> dict[str, Any]:
    return {
        "list": row[0],
        "number": row[1],
        "purpose": row[2],
        "state": row[3],
        "campaign": row[4],
        "exophone": row[5],
        "call_sid": row[6],
        "consented_at": iso_from_us(row[7]),
        "withdrawn_at": iso_from_us(row[8]),
        "withdrawn_by": row[9],
        "withdrawal_call_sid": row[10],
    }


_CALLS: Final = ListSpec(
    name="calls",
    source="calls c",
    columns=CALL_COLUMNS,
    # The order of the indexes by campaign and by time, so that no page sorts.
    sort_key=("c.called_at", "c.id"),
    key_types=(int, int),
    filters={"campaign": "c.campaign", "number": "c.caller"},
    time_column="c.called_at",
    to_json=call_json,
)

# A plus before a column keeps its index out of the plan: such an index has not the order of the
# key, and sorting all of a campaign's rows for one page would cost far more than passing over others'.
_ACTIONS: Final = ListSpec(
    name="actions",
    source="actions a JOIN calls c ON c.id = a.call_id",
    columns=f"{ACTION_COLUMNS}, a.campaign, a.number, c.call_sid",
    sort_key=("a.id",),
    key_types=(int,),
    filters={
        "campaign": "+a.campaign",
        "number": "a.number",
        "kind": "+a.kind",
        "state": "a.state",
        "outcome": "+a.outcome",
    },
    time_column="a.due_at",
    to_json=_listed_action_json,
    boolean_filters={"parked": (IS_PARKED, IS_RESENT), "settled": (IS_RESOLVED, IS_UNKNOWN)},
)

_COVERS_NUMBER: Final = """s.rowid IN (
    SELECT own.rowid FROM suppressions own WHERE own.number = ?
    UNION ALL
    SELECT p.rowid FROM suppressions p WHERE p.number GLOB '*[*]' AND p.number != ? AND ? GLOB p.number)"""
"""A number's own suppressions, and those of the prefixes that it begins with."""

_SUPPRESSIONS: Final = ListSpec(
    name="suppressions",
    source="suppressions s LEFT JOIN calls c ON c.id = s.call_id",
    columns="""s.number, s.reason, s.source, s.since_at, s.until_at, s.channel, s.class, s.sender,
               c.call_sid""",
    sort_key=("s.since_at", "s.number", "s.channel", "s.class", "s.sender", "s.source"),
    key_types=(int, str, str, str, str, str),
    filters={},
    filter_conditions={"number": _COVERS_NUMBER},
    time_column="s.since_at",
    to_json=_suppression_json,
)

_SUBSCRIPTIONS: Final = ListSpec(
    name="subscriptions",
    source="""subscriptions s JOIN calls c ON c.id = s.call_id
              LEFT JOIN calls w ON w.id = s.withdrawal_call_id""",
    columns="""s.list, s.number, s.purpose, s.standing, s.campaign, c.exophone, c.call_sid, s.consented_at,
               s.withdrawn_at, s.withdrawn_by, w.call_sid""",
    sort_key=("s.id",),
    key_types=(int,),
    filters={
        "list": "s.list",
        "number": "s.number",
        "campaign": "+s.campaign",
        "standing": "+s.standing",
    },
    time_column="s.consented_at",
    to_json=_subscription_json,
    condition="s.standing != 'repeated'",
)
