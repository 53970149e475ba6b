"""The summaries: facts added up by campaign and hour, so that figures stay fast as history grows.

They hold exactly the facts before `until_at`. `fold` moves that instant on, a piece at a time, and
adds what it passes; triggers (migration 9) keep what lies before it right, whoever changes it. So
a new call costs nothing extra, what still changes is not summed yet, and summaries that were never
made, or made for another time zone, are merely far behind: figures are exact at every moment, and
fast once `fold` has come near the present.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from missedd.clock import to_us
from missedd.core.grid import BEFORE_US, SPANS, Grid
from missedd.store.caller_sets import NewCaller, add_callers, close_sets
from missedd.store.database import Database
from missedd.store.facts import COUNTED_SQL, campaigns_with_facts, count_facts, is_counted_call
from missedd.store.reads_calls import Rows

PIECE: Final = 500
"""Calls folded in one transaction: some milliseconds, so that no webhook waits long for its commit."""

AT_ONCE: Final = timedelta(seconds=30)
"""A full piece is folded once it is so old: most webhooks have come by then, and need no trigger."""

LARGER: Final = 4
OLD: Final = timedelta(days=1)
"""So many pieces at once of what is older: only where the summaries are made anew, so that it takes less."""

AT_LAST: Final = timedelta(hours=1)
"""What is older is folded even if it fills no piece; by then hardly anything of it still changes."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What the summaries hold: the facts before `until_us`, by hours of `grid`."""

    grid: Grid
    until_us: int
    callers: int


async def summary_of(db: Rows, grid: Grid) -> Summary | None:
    """The summaries of this grid, None if there are none."""
    rows = await db.fetch_all("SELECT width_us, phase_us, until_at, callers FROM summary")
    if not rows or Grid(*rows[0][:2]) != grid:
        return None
    return Summary(grid, *rows[0][2:])


async def begin(db: Database, grid: Grid) -> bool:
    """See to it that there are summaries of this grid, and say whether they begin anew."""
    if await summary_of(db, grid) is not None:
        return False
    for statement in (
        "DELETE FROM figures",
        "DELETE FROM hourly_calls",
        "DELETE FROM caller_sets",
        "DELETE FROM late_callers",
    ):
        await db.execute(statement)
    await db.execute(
        """INSERT INTO summary (id, width_us, phase_us, until_at, callers) VALUES (1, ?, ?, ?, 0)
           ON CONFLICT DO UPDATE SET
               width_us = excluded.width_us, phase_us = excluded.phase_us, until_at = excluded.until_at""",
        (grid.width_us, grid.phase_us, BEFORE_US),
    )
    return True


async def next_bound(db: Rows, grid: Grid, now: datetime, piece: int = PIECE) -> int | None:
    """Up to where the next piece goes, in microseconds; None if there is none to fold yet."""
    summary = await summary_of(db, grid)
    if summary is None:
        return None
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


@dataclass(frozen=True, slots=True)
class Folded:
    """How far the summaries go now, and whether more waits to be folded."""

    until_us: int
    is_behind: bool


async def fold(db: Database, grid: Grid, now: datetime, piece: int = PIECE) -> Folded | None:
    """Add the next piece to the summaries; None if there is nothing to be added."""
    summary, until_us = await summary_of(db, grid), await next_bound(db, grid, now, piece)
    if summary is None or until_us is None:
        return None
    figures = Counter[tuple[str, int, int, str]]()
    calls = Counter[tuple[str, int]]()
    callers: list[NewCaller] = []
    names = await campaigns_with_facts(db)
    for name in names:
        for hour, fact, n in await count_facts(db, name, summary.until_us, until_us, grid):
            for level, span in enumerate(SPANS):
                figures[name, level, hour // span, fact] += n
            if is_counted_call(fact):
                calls[name, hour] += n
        callers += await _callers(db, name, summary.until_us, until_us, grid)
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
    closed, closes = grid.hour_of(summary.until_us), grid.hour_of(until_us)
    late = [NewCaller(*row) for row in await db.fetch_all("SELECT campaign, hour, number FROM late_callers")]
    known = await add_callers(db, [*late, *callers], closed, summary.callers)
    await db.execute("DELETE FROM late_callers")
    await close_sets(db, names, closed, closes)
    await db.execute("UPDATE summary SET until_at = ?, callers = ?", (until_us, known))
    return Folded(until_us, await next_bound(db, grid, now, piece) is not None)


async def _callers(db: Database, campaign: str, since_us: int, until_us: int, grid: Grid) -> list[NewCaller]:
    rows = await db.fetch_all(
        f"""SELECT DISTINCT campaign, (called_at - ?) / ?, caller FROM calls
            WHERE campaign = ? AND called_at >= ? AND called_at < ?
              AND verdict IN ({COUNTED_SQL}) AND caller IS NOT NULL""",  # noqa: S608 - the verdicts' names
        (grid.phase_us, grid.width_us, campaign, since_us, until_us),
    )
    return [NewCaller(*row) for row in rows]
