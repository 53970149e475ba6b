"""The lists of calls, actions, suppressions and subscriptions, and what the console shows of them."""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from missedd.base.clock import to_us
from missedd.core.admission.concurrent_calls import CAPACITY_REASONS
from missedd.core.api_types.actions import BriefActionJson, ListedActionJson
from missedd.core.api_types.calls import CallJson, LatestCallJson
from missedd.core.api_types.consents import SubscriptionJson
from missedd.core.api_types.suppressions import SuppressionJson
from missedd.core.pagination import Page, Query
from missedd.store.actions.concurrent_calls import IS_WAITING_CALLBACK
from missedd.store.actions.provider_holds import IS_HELD_WITH_LANE
from missedd.store.actions.rows import IS_PARKED, IS_RESENT
from missedd.store.db.columns import Columns
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.reads.attention import IS_RESOLVED, IS_UNKNOWN
from missedd.store.reads.calls import ACTION, ACTION_COLUMNS, CALL, CALL_COLUMNS
from missedd.store.reads.paging import ListSpec, fetch_page


async def calls(db: ReadOnlyDatabase, query: Query) -> Page[CallJson]:
    """Every call that came in, of all verdicts; `since` and `until` are of the call's own time."""
    return await fetch_page(db, _CALLS, query)


async def actions(db: ReadOnlyDatabase, query: Query) -> Page[ListedActionJson]:
    """What is and was owed, each with its call's Sid; `since` and `until` are of `due_at`."""
    return await fetch_page(db, _ACTIONS, query)


async def suppressions(db: ReadOnlyDatabase, query: Query) -> Page[SuppressionJson]:
    """Numbers that are not contacted, those whose time has run out included; they have no campaign."""
    return await fetch_page(db, _SUPPRESSIONS, query)


async def subscriptions(db: ReadOnlyDatabase, query: Query) -> Page[SubscriptionJson]:
    """Consents, in force or withdrawn, in the order in which they were told of; `since` and `until` are
    of the consent's call.
    """
    return await fetch_page(db, _SUBSCRIPTIONS, query)


async def latest_calls(db: ReadOnlyDatabase, limit: int) -> list[LatestCallJson]:
    """The newest calls, each with its actions in brief, for the console."""
    calls = await db.fetch_all(
        f"SELECT c.id, {_LATEST_CALL.sql} FROM calls c ORDER BY c.called_at DESC, c.id DESC LIMIT ?", (limit,)
    )
    actions: defaultdict[int, list[BriefActionJson]] = defaultdict(list)
    for call_id, *action in await db.fetch_all(
        f"""SELECT a.call_id, {ACTION.sql} FROM actions a
            WHERE a.call_id IN (SELECT CAST(value AS BIGINT) FROM json_each(?)) ORDER BY a.id""",
        (json.dumps([call_id for call_id, *_ in calls]),),
    ):
        actions[call_id].append(ACTION.read(action))
    return [_LATEST_CALL.read(call, actions[call_id]) for call_id, *call in calls]


_LATEST_CALL: Final = Columns(LatestCallJson, "c", **CALL_COLUMNS, given=("actions",))

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


async def next_actions(db: ReadOnlyDatabase, now: datetime, limit: int) -> list[ListedActionJson]:
    """What waits, in the order in which it goes."""
    found: list[Sequence[Any]] = []
    for which in DISPATCH_ORDER:
        found += await db.fetch_all(
            f"""SELECT {_LISTED_ACTION.sql}
                FROM (SELECT id AS next, row_number() OVER () AS turn FROM (
                        SELECT id FROM actions WHERE state IN ('planned', 'held') AND {which} LIMIT ?2
                    ) waiting) turns
                JOIN actions a ON a.id = next JOIN calls c ON c.id = a.call_id ORDER BY turn""",
            (to_us(now), limit - len(found)),
        )
    return [_LISTED_ACTION.read(row) for row in found]


# What a code means the provider's room knows: `add_code_words`.
_LISTED_ACTION: Final = Columns(
    ListedActionJson, "a", **ACTION_COLUMNS, call_sid="c.call_sid", code_words="NULL"
)

_CALLS: Final = ListSpec(
    name="calls",
    source="calls c",
    columns=CALL,
    # The order of the indexes by campaign and by time, so that no page sorts.
    sort_key=("c.called_at", "c.id"),
    key_types=(int, int),
    filters={"campaign": "c.campaign", "number": "c.caller"},
    time_column="c.called_at",
)

# A plus before a column keeps its index out of the plan: such an index has not the order of the
# key, and sorting all of a campaign's rows for one page would cost far more than passing over others'.
_ACTIONS: Final = ListSpec(
    name="actions",
    source="actions a JOIN calls c ON c.id = a.call_id",
    columns=_LISTED_ACTION,
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
    boolean_filters={"parked": (IS_PARKED, IS_RESENT), "settled": (IS_RESOLVED, IS_UNKNOWN)},
)

_COVERS_NUMBER: Final = """s.number IN (
    SELECT ?
    UNION ALL
    SELECT p.number FROM suppressions p
    WHERE p.number != rtrim(p.number, '*') AND substr(?, 1, length(p.number) - 1) = rtrim(p.number, '*'))"""
"""A number's own suppressions, and those of the prefixes that it begins with."""

_SUPPRESSIONS: Final = ListSpec(
    name="suppressions",
    source="suppressions s LEFT JOIN calls c ON c.id = s.call_id",
    columns=Columns(
        SuppressionJson,
        "s",
        since="s.since_at",
        until="s.until_at",
        class_="nullif(s.class, '')",
        sender="nullif(s.sender, '')",
        call_sid="c.call_sid",
    ),
    sort_key=("s.since_at", "s.number", "s.channel", "s.class", "s.sender", "s.source"),
    key_types=(int, str, str, str, str, str),
    filters={},
    filter_conditions={"number": _COVERS_NUMBER},
    time_column="s.since_at",
)

_SUBSCRIPTIONS: Final = ListSpec(
    name="subscriptions",
    source="""subscriptions s JOIN calls c ON c.id = s.call_id
              LEFT JOIN calls w ON w.id = s.withdrawal_call_id""",
    columns=Columns(
        SubscriptionJson,
        "s",
        state="s.standing",
        exophone="c.exophone",
        call_sid="c.call_sid",
        withdrawal_call_sid="w.call_sid",
    ),
    sort_key=("s.id",),
    key_types=(int,),
    filters={
        "list": "s.list",
        "number": "s.number",
        "campaign": "+s.campaign",
        "standing": "+s.standing",
    },
    time_column="s.consented_at",
    condition="s.standing != 'repeated'",
)
