"""Rolling up: calls that are old enough are added to the rollups, a bucket of some hundred calls at a time.

A new row costs nothing until then, and rows that still change are not rolled up yet. Rollups that were never
built, or that were built for another time zone, start from the first call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from missedd.base.clock import to_us
from missedd.core.analytics import time_buckets
from missedd.core.analytics.hour_grid import HourGrid
from missedd.core.analytics.time_buckets import BEFORE_US
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.rollups.caller_sets import (
    NewCaller,
    add_callers,
    callers_in_bucket,
    merge_caller_sets,
    take_late_callers,
)
from missedd.store.rollups.facts import (
    FactCount,
    RowWatermarks,
    campaigns_with_facts,
    count_facts,
    count_new_facts,
    following_rows,
    is_counted_call,
    newest_rows,
    take_late_facts,
)
from missedd.store.rollups.state import RollupState, load_rollup_state, save_rollup_state

CALLS_PER_BUCKET: Final = 500
"""Such a bucket is rolled up in some milliseconds, so that no webhook waits long for its commit."""

ROWS_PER_CALL: Final = 10
"""A step searches at most this many new rows per call of a bucket for late ones."""

FULL_BUCKET_AGE: Final = timedelta(seconds=30)
"""A full bucket is rolled up at this age, as most webhooks about its calls have arrived by then."""

LARGE_BUCKET_FACTOR: Final = 4
LARGE_BUCKET_AGE: Final = timedelta(days=1)
"""Buckets of calls older than `LARGE_BUCKET_AGE` are four times as large, so that a rebuild is faster."""

PARTIAL_BUCKET_AGE: Final = timedelta(hours=1)
"""A partial bucket is rolled up at this age, as hardly any of its rows still change by then."""


@dataclass(frozen=True, slots=True)
class RollupStep:
    """The next step: roll up late rows up to `watermarks`, and a new bucket of calls before `until_us`."""

    watermarks: RowWatermarks
    until_us: int


async def next_rollup_step(
    db: ReadOnlyDatabase,
    state: RollupState,
    now: datetime,
    calls_per_bucket: int = CALLS_PER_BUCKET,
    up_to: RowWatermarks | None = None,
) -> RollupStep | None:
    """The step that is due at `now`, for the rows up to the ids of `up_to`; None if nothing is due."""
    newest = state.watermarks.or_later(up_to or await newest_rows(db))
    watermarks = await following_rows(db, state.watermarks, newest, ROWS_PER_CALL * calls_per_bucket)
    if state.bucket_count and (watermarks != newest or await _are_late_facts_many(db, calls_per_bucket)):
        return RollupStep(watermarks, state.until_us)
    until_us = await _next_bucket_end(db, state, now, calls_per_bucket)
    return None if until_us is None else RollupStep(newest, until_us)


async def _are_late_facts_many(db: ReadOnlyDatabase, few: int) -> bool:
    """Whether there are more than a few; those are added to the rollups with the next bucket."""
    return bool(await db.fetch_all("SELECT 1 FROM late_facts LIMIT 1 OFFSET ?", (few,)))


async def _next_bucket_end(
    db: ReadOnlyDatabase, state: RollupState, now: datetime, calls_per_bucket: int
) -> int | None:
    first = await _called_after(db, state.until_us, 0)
    if first is None:
        return None
    for length, age in (
        (LARGE_BUCKET_FACTOR * calls_per_bucket, LARGE_BUCKET_AGE),
        (calls_per_bucket, FULL_BUCKET_AGE),
    ):
        following = await _called_after(db, state.until_us, length)
        if following is not None and following <= to_us(now - age):
            return max(following, first + 1)  # a whole bucket of calls may be of one instant
    partial_end = to_us(now - PARTIAL_BUCKET_AGE)
    return partial_end if first < partial_end else None


async def _called_after(db: ReadOnlyDatabase, at_us: int, skipped: int) -> int | None:
    rows = await db.fetch_all(
        "SELECT called_at FROM calls WHERE called_at >= ? ORDER BY called_at LIMIT 1 OFFSET ?",
        (at_us, skipped),
    )
    return rows[0][0] if rows else None


async def is_rollup_due(db: ReadOnlyDatabase, grid: HourGrid, now: datetime) -> bool:
    """Whether a step is due at `now`."""
    state = await load_rollup_state(db, grid)
    return state is not None and await next_rollup_step(db, state, now) is not None


@dataclass(frozen=True, slots=True)
class RollupResult:
    """How far the rollups reach now, and whether another step is due."""

    until_us: int
    is_behind: bool


async def roll_up(
    db: Database,
    grid: HourGrid,
    now: datetime,
    calls_per_bucket: int = CALLS_PER_BUCKET,
    up_to: RowWatermarks | None = None,
) -> RollupResult | None:
    """Add the next bucket or late rows to the rollups; None if nothing is due.

    Where several nodes write, `up_to` names rows of which none is missing any more; see `settled_rows`.
    """
    before = await load_rollup_state(db, grid)
    step = None if before is None else await next_rollup_step(db, before, now, calls_per_bucket, up_to)
    if before is None or step is None:
        return None
    after = replace(before, until_us=step.until_us, watermarks=step.watermarks)
    names = await campaigns_with_facts(db)
    facts: list[FactCount] = []
    callers: list[NewCaller] = []
    facts += await take_late_facts(db, ROWS_PER_CALL * calls_per_bucket)
    if before.bucket_count:  # without a bucket no row is late
        facts += await count_new_facts(
            db, before.watermarks, step.watermarks, BEFORE_US, before.until_us, grid
        )
        callers += await take_late_callers(db, before.watermarks.call, step.watermarks.call, before.until_us)
    if before.until_us < after.until_us:
        new, period = before.bucket_count, (before.until_us, after.until_us)
        for name in names:
            facts += await count_facts(db, name, *period, grid, new, step.watermarks)
            callers += await callers_in_bucket(db, name, *period, new)
        await db.execute("INSERT INTO stretches (number, since_at) VALUES (?, ?)", (new, before.until_us))
        after = replace(after, bucket_count=new + 1)
    await _add(db, facts)
    id_count = await add_callers(db, callers, before.bucket_count, before.caller_id_count)
    await merge_caller_sets(db, names, before.bucket_count, after.bucket_count)
    await save_rollup_state(db, replace(after, caller_id_count=id_count))
    next_step = await next_rollup_step(db, after, now, calls_per_bucket, up_to)
    return RollupResult(after.until_us, next_step is not None)


async def _add(db: Database, facts: Iterable[FactCount]) -> None:
    """Add facts to the rollups of each level, and missed calls to their hour as well."""
    figures = Counter[tuple[str, int, int, str]]()
    hours = Counter[tuple[str, int, int, int]]()
    for campaign, time_bucket, hour, fact, times in facts:
        is_call = is_counted_call(fact)
        for level, span in enumerate(time_buckets.SPANS):
            figures[campaign, level, time_bucket // span, fact] += times
            if is_call:
                hours[campaign, level, time_bucket // span, hour] += times
    await db.executemany(
        """INSERT INTO figures (campaign, level, bucket, fact, n) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (campaign, level, bucket, fact) DO UPDATE SET n = figures.n + excluded.n""",
        [(*key, times) for key, times in figures.items()],
    )
    await db.executemany(
        """INSERT INTO call_hours (campaign, level, bucket, hour, n) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (campaign, level, bucket, hour) DO UPDATE SET n = call_hours.n + excluded.n""",
        [(*key, times) for key, times in hours.items()],
    )
