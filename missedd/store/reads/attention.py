"""What waits for a person: webhooks that were never taken, outcomes that nobody learnt, flows that tell of
calls too early.

All are few unless something is broken, and each has an index of its own, so that they cost nothing to
look at.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from missedd.base.clock import to_us
from missedd.core.api_types.actions import StuckActionJson
from missedd.core.pagination import Page, Query
from missedd.store.actions.rows import IS_PARKED
from missedd.store.db.columns import Columns
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.reads.calls import ACTION_COLUMNS
from missedd.store.reads.paging import ListSpec, fetch_page

COUNT_LIMIT: Final = 1_000
"""More than these are told of as so many."""

EARLY_WEBHOOK_WINDOW: Final = timedelta(hours=24)

IS_UNKNOWN: Final = "a.outcome = 'unknown' AND a.settled_outcome IS NULL"
IS_RESOLVED: Final = "a.outcome = 'unknown' AND a.settled_outcome IS NOT NULL"
_HAS_LOST_ANSWER: Final = """a.state != 'done' AND a.state = 'attempting' AND (
    SELECT result FROM attempts t WHERE t.action_id = a.id ORDER BY t.number DESC LIMIT 1) = 'unknown'"""


async def parked_webhooks(db: ReadOnlyDatabase, query: Query) -> Page[StuckActionJson]:
    """Webhooks that the application never took and that were not sent again since."""
    return await fetch_page(db, _PARKED, query)


async def unknown_outcomes(db: ReadOnlyDatabase, query: Query) -> Page[StuckActionJson]:
    """What ended as `unknown` and was not settled."""
    return await fetch_page(db, replace(_PARKED, name="unknown", condition=IS_UNKNOWN), query)


async def lost_answers(db: ReadOnlyDatabase, query: Query) -> Page[StuckActionJson]:
    """What is still looked for, as the answer to its request never came: it may be settled already."""
    return await fetch_page(db, replace(_PARKED, name="lost", condition=_HAS_LOST_ANSWER), query)


async def attention_counts(db: ReadOnlyDatabase) -> dict[str, int]:
    """How much of each there is, at most `COUNT_LIMIT` and one."""
    found = {}
    for name, condition in (("parked", IS_PARKED), ("unknown", IS_UNKNOWN), ("lost", _HAS_LOST_ANSWER)):
        rows = await db.fetch_all(
            f"SELECT count(*) FROM (SELECT 1 FROM actions a WHERE {condition} LIMIT ?) few",
            (COUNT_LIMIT + 1,),
        )
        found[name] = int(rows[0][0])
    return found


async def early_webhook_counts(db: ReadOnlyDatabase, now: datetime) -> dict[str, int]:
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
    return dict(sorted(Counter(campaign for (campaign,) in rows).items()))


_LAST_ATTEMPT: Final = "FROM attempts t WHERE t.action_id = a.id ORDER BY t.number DESC LIMIT 1"
_PARKED: Final = ListSpec(
    name="parked",
    source="actions a JOIN calls c ON c.id = a.call_id",
    columns=Columns(
        StuckActionJson,
        "a",
        **ACTION_COLUMNS,
        call_sid="c.call_sid",
        code=f"(SELECT code {_LAST_ATTEMPT})",
        code_words="NULL",
        attempts="(SELECT count(*) FROM attempts t WHERE t.action_id = a.id)",
        message=f"(SELECT message {_LAST_ATTEMPT})",
    ),
    sort_key=("a.id",),
    key_types=(int,),
    filters={"campaign": "+a.campaign", "number": "+a.number"},
    time_column="a.due_at",
    condition=IS_PARKED,
)
