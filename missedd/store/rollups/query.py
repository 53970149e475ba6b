"""Count facts for analytics: from the rollups, and from the rows that are not rolled up yet.

`missedd.core.analytics.figures` says what the figures mean; this module only counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

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
from missedd.core.api_types.analytics import FiguresJson
from missedd.store.db.database import ReadOnlyDatabase
from missedd.store.rollups.caller_sets import count_callers
from missedd.store.rollups.facts import (
    ALL_ROWS,
    FactCount,
    campaigns_with_facts,
    count_facts,
    count_late_facts,
    count_new_facts,
    is_counted_call,
)
from missedd.store.rollups.state import RollupState, load_rollup_state, time_bucket_at

MAX_CALLS_COUNTED: Final = 250_000
"""The most calls that one request counts one by one: that takes seconds, in which nobody else can read."""


async def load_analytics(
    db: ReadOnlyDatabase,
    campaign: str | None,
    since: datetime | None,
    until: datetime | None,
    timezone: str,
    max_calls: int | None = None,
) -> FiguresJson:
    """The analytics of one campaign, or of all (None), for calls at or after `since` and before `until`.

    `timezone` is an IANA name, for the hours of the day. Raises `RollupsBehind` instead of counting more than
    `max_calls` calls one by one.
    """
    grid = hour_grid_for(timezone)
    since_us = BEFORE_US if since is None else to_us(since)
    until_us = AFTER_US if until is None else to_us(until)
    names = await campaigns_with_facts(db) if campaign is None else [campaign]
    state = await load_rollup_state(db, grid) or RollupState(grid)
    bounds = (
        await time_bucket_at(db, state, since_us),
        await time_bucket_at(db, state, until_us),
        state.next_bucket,
    )
    parts = split_period(since_us, until_us, *bounds, additive_only=False)
    if max_calls is not None:
        await _refuse_too_much(db, parts.remainders, max_calls, state.until_us)
    facts, hours = Counter[str](), Counter[int]()
    for remainder in parts.remainders:
        for name in names:
            counts = await count_facts(db, name, remainder.since_us, remainder.until_us, grid)
            _add_counts(counts, remainder.sign, facts, hours)
    if parts.first < parts.last:
        await _add_rollups(db, names, parts, facts, hours)
        late = await count_new_facts(db, state.watermarks, ALL_ROWS, parts.since_us, parts.until_us, grid)
        late += await count_late_facts(db, parts.first, parts.last)
        _add_counts((count for count in late if count.campaign in names), 1, facts, hours)
    caller_parts = split_period(since_us, until_us, *bounds, additive_only=True)
    callers = await count_callers(db, names, caller_parts, state.bucket_count, state.watermarks.call)
    return figures_of(PeriodCounts(facts, hours, callers), grid, timezone)


async def figures_soon(
    db: ReadOnlyDatabase, campaign: str | None, since: datetime | None, until: datetime | None, timezone: str
) -> FiguresJson:
    """The same for somebody who waits: raises `RollupsBehind` while the summaries are far behind."""
    return await load_analytics(db, campaign, since, until, timezone, max_calls=MAX_CALLS_COUNTED)


async def _refuse_too_much(
    db: ReadOnlyDatabase, remainders: Sequence[Remainder], max_calls: int, rolled_up_until_us: int
) -> None:
    for remainder in remainders:
        ((calls,),) = await db.fetch_all(
            "SELECT count(*) FROM (SELECT 1 FROM calls WHERE called_at >= ? AND called_at < ? LIMIT ?) few",
            (remainder.since_us, remainder.until_us, max_calls + 1),
        )
        if calls > max_calls:
            has_begun = rolled_up_until_us > BEFORE_US
            progress = f"reach {to_iso(from_us(rolled_up_until_us))}" if has_begun else "have not begun"
            raise RollupsBehind(
                f"the rollups for analytics are still being built, and {progress}; "
                "try again later, or ask for a shorter period"
            )


def _add_counts(counts: Iterable[FactCount], sign: int, facts: Counter[str], hours: Counter[int]) -> None:
    for _, _, hour, fact, times in counts:
        facts[fact] += sign * times
        if is_counted_call(fact):
            hours[hour] += sign * times


async def _add_rollups(
    db: ReadOnlyDatabase, names: Sequence[str], parts: PeriodParts, facts: Counter[str], hours: Counter[int]
) -> None:
    """Add the rollups of whole buckets. If the period has no end, so may the last, longer bucket."""
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
