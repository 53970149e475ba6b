"""What waits for a person: webhooks that were never taken, outcomes that nobody learnt, flows that tell of
calls too early.

All are few unless something is broken, and each has an index of its own, so that they cost nothing to
look at.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from missedd.base.clock import to_us
from missedd.core.pagination import Page, Query
from missedd.store.actions.rows import IS_PARKED
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.reads.calls import ACTION_COLUMNS, action_json
from missedd.store.reads.paging import ListSpec, fetch_page

COUNT_LIMIT: Final = 1_000
"""More than these are told of as so many."""

EARLY_WEBHOOK_WINDOW: Final = timedelta(hours=24)

IS_UNKNOWN: Final = "a.outcome = 'unknown' AND a.settled_outcome IS NULL"
IS_RESOLVED: Final = "a.outcome = 'unknown' AND a.settled_outcome IS NOT NULL"
_HAS_LOST_ANSWER: Final = """a.state != 'done' AND a.state = 'attempting' AND (
    SELECT result FROM attempts t WHERE t.action_id = a.id ORDER BY t.number DESC LIMIT 1) = 'unknown'"""


async def parked_webhooks(db: ReadOnlyDatabase, query: Query) -> Page:
    """Webhooks that the application never took and that were not sent again since."""
    return await fetch_page(db, _PARKED, query)


async def unknown_outcomes(db: ReadOnlyDatabase, query: Query) -> Page:
    """What ended as `unknown` and was not settled."""
    return await fetch_page(db, replace(_PARKED, name="unknown", condition=IS_UNKNOWN), query)


async def lost_answers(db: ReadOnlyDatabase, query: Query) -> Page:
    """What is still looked for, as the answer to its request never came: it may be settled already."""
    return await fetch_page(db, replace(_PARKED, name="lost", condition=_HAS_LOST_ANSWER), query)


async def attention_counts(db: ReadOnlyDatabase) -> dict[str, int]:
    """How much of each there is, at most `COUNT_LIMIT` and one."""
    found = {}
    for name, condition in (("parked", IS_PARKED), ("unknown", IS_UNKNOWN), ("lost", _HAS_LOST_ANSWER)):
        rows = await db.fetch_all(
            f"SELECT count(*) FROM (SELECT 1 FROM actions a WHERE {condition} LIMIT ?)", (COUNT_LIMIT + 1,)
        )
        found[name] = int(rows[0][0])
    return found


async def early_webhook_counts(db: ReadOnlyDatabase, now: datetime) -> list[dict[str, Any]]:
    """By campaign, the calls of the last day that were taken after all when their callback had gone out.

    Of the latest, at most `COUNT_LIMIT` and one.
    """
    rows = await db.fetch_all(
        """SELECT c.campaign FROM calls c
           WHERE c.reached_at >= ? AND EXISTS (
               SELECT 1 FROM actions a WHERE a.call_id = c.id AND a.kind = 'callback'
                 AND a.placed_at <= c.reached_at)
           ORDER BY c.reached_at DESC LIMIT ?""",
        (to_us(now - EARLY_WEBHOOK_WINDOW), COUNT_LIMIT + 1),
    )
    counts = Counter(campaign for (campaign,) in rows)
    return [{"campaign": campaign, "count": n} for campaign, n in sorted(counts.items())]


def _row(row: Sequence[Any]) -> dict[str, Any]:
    last = {"attempts": row[-3], "code": row[-2], "message": row[-1]}
    return action_json(row) | {"campaign": row[-6], "number": row[-5], "call_sid": row[-4]} | last


_PARKED: Final = ListSpec(
    name="parked",
    source="actions a JOIN calls c ON c.id = a.call_id",
    columns=f"""{ACTION_COLUMNS}, a.campaign, a.number, c.call_sid,
        (SELECT count(*) FROM attempts t WHERE t.action_id = a.id),
        (SELECT code FROM attempts t WHERE t.action_id = a.id ORDER BY t.number DESC LIMIT 1),
        (SELECT message FROM attempts t WHERE t.action_id = a.id ORDER BY t.number DESC LIMIT 1)""",
    sort_key=("a.id",),
    key_types=(int,),
    filters={"campaign": "+a.campaign", "number": "+a.number"},
    time_column="a.due_at",
    to_json=_row,
    condition=IS_PARKED,
)
