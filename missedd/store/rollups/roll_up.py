"""Folding: what has become old enough is added to the summaries, a stretch of some hundred calls at a time.

A new row costs nothing before that, and what still changes is not summed yet. Summaries that were never
made, or made for another time zone, are merely far behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from missedd.base.clock import to_us
from missedd.core.analytics.hour_grid import Grid
from missedd.core.analytics.time_buckets import BEFORE_US, SPANS
from missedd.store.db.database import Database, Rows
from missedd.store.rollups.caller_sets import (
    NewCaller,
    add_callers,
    callers_of,
    make_longer_sets,
    new_callers,
)
from missedd.store.rollups.facts import (
    Fact,
    Marks,
    campaigns_with_facts,
    count_facts,
    count_new_facts,
    is_counted_call,
    newest,
)
from missedd.store.rollups.state import Summary, keep, summary_of

CALLS: Final = 500
"""In a stretch: folded in some milliseconds, so that no webhook waits long for its commit."""

ROWS: Final = 10
"""For each call of a stretch, how many new rows are looked through at most for those that are late."""

AT_ONCE: Final = timedelta(seconds=30)
"""A full stretch is folded once it is so old: most webhooks have come by then."""

LARGER: Final = 4
OLD: Final = timedelta(days=1)
"""What is older comes in stretches so many times larger: to make the summaries anew takes less so."""

AT_LAST: Final = timedelta(hours=1)
"""What is older is folded even if it is no full stretch; by then hardly anything of it still changes."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is folded next: the new rows up to `marks` that are late, and what lies before `until_us`."""

    marks: Marks
    until_us: int


async def next_step(db: Rows, summary: Summary, now: datetime, calls: int = CALLS) -> Step | None:
    """What is to be folded now, with `calls` to a stretch; None if nothing has to be yet."""
    last = await newest(db)
    marks = Marks(*(min(mark + ROWS * calls, new) for mark, new in zip(summary.marks, last, strict=True)))
    if marks != last and summary.stretches:
        return Step(marks, summary.until_us)
    until_us = await _next_end(db, summary, now, calls)
    return None if until_us is None else Step(last, until_us)


async def _next_end(db: Rows, summary: Summary, now: datetime, calls: int) -> int | None:
    first = await _called_after(db, summary.until_us, 0)
    if first is None:
        return None
    for length, age in ((LARGER * calls, OLD), (calls, AT_ONCE)):
        following = await _called_after(db, summary.until_us, length)
        if following is not None and following <= to_us(now - age):
            return max(following, first + 1)  # of one and the same instant there may be more than that
    last = to_us(now - AT_LAST)
    return last if first < last else None


async def _called_after(db: Rows, at_us: int, skipped: int) -> int | None:
    rows = await db.fetch_all(
        "SELECT called_at FROM calls WHERE called_at >= ? ORDER BY called_at LIMIT 1 OFFSET ?",
        (at_us, skipped),
    )
    return rows[0][0] if rows else None


async def is_due(db: Rows, grid: Grid, now: datetime) -> bool:
    """Whether there is something to fold."""
    summary = await summary_of(db, grid)
    return summary is not None and await next_step(db, summary, now) is not None


@dataclass(frozen=True, slots=True)
class Folded:
    """How far the summaries go now, and whether more waits to be folded."""

    until_us: int
    is_behind: bool


async def fold(db: Database, grid: Grid, now: datetime, calls: int = CALLS) -> Folded | None:
    """Add the next stretch to the summaries, or late rows; None if there is nothing to be added."""
    before = await summary_of(db, grid)
    step = None if before is None else await next_step(db, before, now, calls)
    if before is None or step is None:
        return None
    after = replace(before, until_us=step.until_us, marks=step.marks)
    names = await campaigns_with_facts(db)
    facts: list[Fact] = []
    callers: list[NewCaller] = []
    if before.stretches:  # else nothing is late
        facts += await count_new_facts(db, before.marks, step.marks, BEFORE_US, before.until_us, grid)
        callers += await new_callers(db, before.marks.call, step.marks.call, before.until_us)
    if before.until_us < after.until_us:
        new, period = before.stretches, (before.until_us, after.until_us)
        for name in names:
            facts += await count_facts(db, name, *period, grid, new)
            callers += await callers_of(db, name, *period, new)
        await db.execute("INSERT INTO stretches (number, since_at) VALUES (?, ?)", (new, before.until_us))
        after = replace(after, stretches=new + 1)
    await _add(db, facts)
    known = await add_callers(db, callers, before.stretches, before.callers)
    await make_longer_sets(db, names, before.stretches, after.stretches)
    await keep(db, replace(after, callers=known))
    return Folded(after.until_us, await next_step(db, after, now, calls) is not None)


async def _add(db: Database, facts: Iterable[Fact]) -> None:
    """Add facts to the sums of each level, and calls to those of their hour."""
    figures = Counter[tuple[str, int, int, str]]()
    hours = Counter[tuple[str, int, int, int]]()
    for campaign, stretch, hour, text, n in facts:
        is_call = is_counted_call(text)
        for level, span in enumerate(SPANS):
            figures[campaign, level, stretch // span, text] += n
            if is_call:
                hours[campaign, level, stretch // span, hour] += n
    await db.executemany(
        """INSERT INTO figures (campaign, level, bucket, fact, n) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (campaign, level, bucket, fact) DO UPDATE SET n = n + excluded.n""",
        [(*key, n) for key, n in figures.items()],
    )
    await db.executemany(
        """INSERT INTO call_hours (campaign, level, bucket, hour, n) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (campaign, level, bucket, hour) DO UPDATE SET n = n + excluded.n""",
        [(*key, n) for key, n in hours.items()],
    )
