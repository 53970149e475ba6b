"""The summaries: facts added up by campaign and hour, so that figures stay fast as history grows.

They hold the facts before `until_us` of the rows up to `marks`, no others and all of those. `fold`
moves both on, a piece at a time, and adds what it passes; triggers (migration 9) keep what is summed
right, whoever changes it. So a new row costs nothing extra, what still changes is not summed yet,
and summaries that were never made, or made for another time zone, are merely far behind: figures
are exact at every moment, and fast once `fold` has come near the present.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from missedd.clock import to_us
from missedd.core.grid import BEFORE_US, SPANS, Grid
from missedd.store.caller_sets import add_callers, callers_of, close_sets, new_callers
from missedd.store.database import Database
from missedd.store.facts import (
    NO_ROWS,
    Fact,
    Marks,
    campaigns_with_facts,
    count_facts,
    count_new_facts,
    is_counted_call,
    newest,
)
from missedd.store.reads_calls import Rows

PIECE: Final = 500
"""Calls folded in one transaction: some milliseconds, so that no webhook waits long for its commit."""

ROWS: Final = 10
"""For each call of a piece, how many new rows are looked through at most for those that are late."""

AT_ONCE: Final = timedelta(seconds=30)
"""A full piece is folded once it is so old: most webhooks have come by then, and need no trigger."""

LARGER: Final = 4
OLD: Final = timedelta(days=1)
"""So many pieces at once of what is older: only where the summaries are made anew, so that it takes less."""

AT_LAST: Final = timedelta(hours=1)
"""What is older is folded even if it fills no piece; by then hardly anything of it still changes."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the summaries hold: the facts before `until_us` of the rows up to `marks`, by hours of `grid`."""

    grid: Grid
    until_us: int = BEFORE_US
    marks: Marks = NO_ROWS
    callers: int = 0


async def summary_of(db: Rows, grid: Grid) -> Summary | None:
    """The summaries of this grid, None if there are none."""
    rows = await db.fetch_all(
        """SELECT width_us, phase_us, until_at, callers, last_call, last_action, last_lead, last_conversion
           FROM summary"""
    )
    if not rows or Grid(*rows[0][:2]) != grid:
        return None
    until_us, callers, *marks = rows[0][2:]
    return Summary(grid, until_us, Marks(*marks), callers)


async def begin(db: Database, grid: Grid) -> bool:
    """See to it that there are summaries of this grid, and say whether they begin anew."""
    if await summary_of(db, grid) is not None:
        return False
    for statement in (
        "DELETE FROM figures",
        "DELETE FROM hourly_calls",
        "DELETE FROM caller_sets",
        "DELETE FROM late_callers",
        "DELETE FROM callers",
    ):
        await db.execute(statement)
    await _keep(db, Summary(grid, marks=await newest(db)))  # of all rows, what was before any time
    return True


@dataclass(frozen=True, slots=True)
class Step:
    """What is folded next: the new rows up to `marks` that are late, and what lies before `until_us`."""

    marks: Marks
    until_us: int


async def next_step(db: Rows, summary: Summary, now: datetime, piece: int = PIECE) -> Step | None:
    """What is to be folded now; None if nothing has to be yet."""
    last = await newest(db)
    marks = Marks(*(min(mark + ROWS * piece, new) for mark, new in zip(summary.marks, last, strict=True)))
    if marks != last:
        return Step(marks, summary.until_us)
    until_us = await _next_piece(db, summary, now, piece)
    return None if until_us is None else Step(marks, until_us)


async def _next_piece(db: Rows, summary: Summary, now: datetime, piece: int) -> int | None:
    first = await _called_after(db, summary.until_us, 0)
    if first is None:
        return None
    for calls, age in ((LARGER * piece, OLD), (piece, AT_ONCE)):
        following = await _called_after(db, summary.until_us, calls)
        if following is not None and following <= to_us(now - age):
            return max(following, first + 1)  # of one and the same instant there may be more than a piece
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


async def fold(db: Database, grid: Grid, now: datetime, piece: int = PIECE) -> Folded | None:
    """Add the next piece to the summaries; None if there is nothing to be added."""
    before = await summary_of(db, grid)
    step = None if before is None else await next_step(db, before, now, piece)
    if before is None or step is None:
        return None
    names = await campaigns_with_facts(db)
    facts = await count_new_facts(db, before.marks, step.marks, BEFORE_US, before.until_us, grid)
    callers = await new_callers(db, before.marks.call, step.marks.call, before.until_us, grid)
    for name in names if before.until_us < step.until_us else ():
        facts += await count_facts(db, name, before.until_us, step.until_us, grid)
        callers += await callers_of(db, name, before.until_us, step.until_us, grid)
    await _add(db, facts)
    closed, closes = grid.hour_of(before.until_us), grid.hour_of(step.until_us)
    known = await add_callers(db, callers, closed, before.callers)
    await close_sets(db, names, closed, closes)
    after = replace(before, until_us=step.until_us, marks=step.marks, callers=known)
    await _keep(db, after)
    return Folded(after.until_us, await next_step(db, after, now, piece) is not None)


async def _keep(db: Database, summary: Summary) -> None:
    await db.execute(
        """INSERT OR REPLACE INTO summary (id, width_us, phase_us, until_at, callers, last_call, last_action,
                                           last_lead, last_conversion)
           VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            summary.grid.width_us,
            summary.grid.phase_us,
            summary.until_us,
            summary.callers,
            *summary.marks,
        ),
    )


async def _add(db: Database, facts: Iterable[Fact]) -> None:
    """Add facts to the sums of each level, and calls to those of their hour."""
    figures = Counter[tuple[str, int, int, str]]()
    calls = Counter[tuple[str, int]]()
    for campaign, hour, fact, n in facts:
        for level, span in enumerate(SPANS):
            figures[campaign, level, hour // span, fact] += n
        if is_counted_call(fact):
            calls[campaign, hour] += n
    await db.executemany(
        """INSERT INTO figures (campaign, level, bucket, fact, n) VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (campaign, level, bucket, fact) DO UPDATE SET n = n + excluded.n""",
        [(*key, n) for key, n in figures.items()],
    )
    await db.executemany(
        """INSERT INTO hourly_calls (campaign, hour, n) VALUES (?, ?, ?)
           ON CONFLICT (campaign, hour) DO UPDATE SET n = n + excluded.n""",
        [(*key, n) for key, n in calls.items()],
    )
