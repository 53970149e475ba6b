"""The figures' counts, out of the summaries and what they do not hold.

What the figures mean is `missedd.core.analytics.figures`' affair; here is only how they are counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from missedd.base.clock import from_us, to_iso, to_us
from missedd.core.analytics import time_buckets
from missedd.core.analytics.figures import PeriodCounts, RollupsBehind
from missedd.core.analytics.figures import analytics_json as figures_of
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.analytics.time_buckets import (
    AFTER_US,
    BEFORE_US,
    PeriodParts,
    Remainder,
    cover_with_buckets,
    split_period,
)
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.rollups.caller_sets import count_callers
from missedd.store.rollups.facts import (
    ALL_ROWS,
    FactCount,
    campaigns_with_facts,
    count_facts,
    count_new_facts,
    is_counted_call,
)
from missedd.store.rollups.state import RollupState, load_rollup_state, time_bucket_at

MAX_CALLS_COUNTED: Final = 250_000
"""Calls to be counted one by one for a request: some seconds, in which nobody else can read."""


async def load_analytics(
    db: ReadOnlyDatabase,
    campaign: str | None,
    since: datetime | None,
    until: datetime | None,
    timezone: str,
    max_calls: int | None = None,
) -> dict[str, Any]:
    """The figures of one campaign, or of all (None), for calls at or after `since` and before `until`.

    Raises `RollupsBehind` rather than count more than `max_calls` calls one by one.
    """
    grid = hour_grid_for(timezone)
    since_us = BEFORE_US if since is None else to_us(since)
    until_us = AFTER_US if until is None else to_us(until)
    names = await campaigns_with_facts(db) if campaign is None else [campaign]
    summary = await load_rollup_state(db, grid) or RollupState(grid)
    bounds = (
        await time_bucket_at(db, summary, since_us),
        await time_bucket_at(db, summary, until_us),
        summary.next_bucket,
    )
    parts = split_period(since_us, until_us, *bounds, additive_only=False)
    if max_calls is not None:
        await _refuse_too_much(db, parts.remainders, max_calls, summary.until_us)
    facts, hours = Counter[str](), Counter[int]()
    for rest in parts.remainders:
        for name in names:
            found = await count_facts(db, name, rest.since_us, rest.until_us, grid)
            _add_counts(found, rest.sign, facts, hours)
    if parts.first < parts.last:
        await _add_rollups(db, names, parts, facts, hours)
        late = await count_new_facts(db, summary.watermarks, ALL_ROWS, parts.since_us, parts.until_us, grid)
        _add_counts((each for each in late if each.campaign in names), 1, facts, hours)
    with_callers = split_period(since_us, until_us, *bounds, additive_only=True)
    callers = await count_callers(db, names, with_callers, summary.bucket_count, summary.watermarks.call)
    return figures_of(PeriodCounts(facts, hours, callers), grid, timezone)


async def _refuse_too_much(
    db: ReadOnlyDatabase, rests: Sequence[Remainder], most: int, summed_until_us: int
) -> None:
    for rest in rests:
        ((calls,),) = await db.fetch_all(
            "SELECT count(*) FROM (SELECT 1 FROM calls WHERE called_at >= ? AND called_at < ? LIMIT ?)",
            (rest.since_us, rest.until_us, most + 1),
        )
        if calls > most:
            done = summed_until_us > BEFORE_US
            until = f"they reach up to {to_iso(from_us(summed_until_us))}" if done else "they have not begun"
            raise RollupsBehind(f"the summaries are still being made: {until}; ask again, or for less")


def _add_counts(counts: Iterable[FactCount], sign: int, facts: Counter[str], hours: Counter[int]) -> None:
    for _, _, hour, text, n in counts:
        facts[text] += sign * n
        if is_counted_call(text):
            hours[hour] += sign * n


async def _add_rollups(
    db: ReadOnlyDatabase, names: Sequence[str], parts: PeriodParts, facts: Counter[str], hours: Counter[int]
) -> None:
    """The sums of whole stretches. Where the period goes on beyond the last, so may a bucket."""
    largest = time_buckets.SPANS[-1]
    last = -(-parts.last // largest) * largest if parts.is_open else parts.last
    for run in cover_with_buckets(parts.first, last, last):
        for name in names:
            for fact, n in await db.fetch_all(_FACTS, (name, *run)):
                facts[fact] += n
            for hour, n in await db.fetch_all(_HOURS, (name, *run)):
                hours[hour] += n


_FACTS: Final = """
SELECT fact, sum(n) FROM figures
WHERE campaign = ? AND level = ? AND bucket >= ? AND bucket < ? GROUP BY fact"""
_HOURS: Final = """
SELECT hour, n FROM call_hours WHERE campaign = ? AND level = ? AND bucket >= ? AND bucket < ?"""
