"""How far the summaries go. They hold the facts before an instant of the rows up to some, and only those.

`missedd.store.rollups.roll_up` moves both on; triggers (migrations 9 to 11) keep what is summed right,
whoever changes it. What is not summed is counted from the tables: so figures are exact at every moment,
and fast once the summaries have come near the present.
"""

from __future__ import annotations

from dataclasses import dataclass

from missedd.core.analytics.hour_grid import Grid
from missedd.core.analytics.time_buckets import BEFORE_US, Stretch
from missedd.store.db.database import Database, Rows
from missedd.store.rollups.facts import NO_ROWS, Marks, newest


@dataclass(frozen=True, slots=True)
class Summary:
    """What is summed: the facts before `until_us` of the rows up to `marks`, with hours of `grid`."""

    grid: Grid
    until_us: int = BEFORE_US
    marks: Marks = NO_ROWS
    callers: int = 0
    """How many ids callers have been given."""
    stretches: int = 0
    """How many there are, the last of which ends at `until_us`."""

    @property
    def end(self) -> Stretch:
        """The stretch that comes next."""
        return Stretch(self.stretches, self.until_us, self.until_us)


async def summary_of(db: Rows, grid: Grid) -> Summary | None:
    """The summaries of this grid, None if there are none."""
    rows = await db.fetch_all(
        """SELECT width_us, phase_us, until_at, last_call, last_action, last_lead, last_conversion, callers,
                  (SELECT coalesce(max(number) + 1, 0) FROM stretches) FROM summary"""
    )
    if not rows or Grid(*rows[0][:2]) != grid:
        return None
    until_us, *marks, callers, stretches = rows[0][2:]
    return Summary(grid, until_us, Marks(*marks), callers, stretches)


async def begin(db: Database, grid: Grid) -> bool:
    """See to it that there are summaries of this grid, and say whether they begin anew."""
    if await summary_of(db, grid) is not None:
        return False
    for statement in (
        "DELETE FROM figures",
        "DELETE FROM call_hours",
        "DELETE FROM caller_sets",
        "DELETE FROM late_callers",
        "DELETE FROM callers",
        "DELETE FROM stretches",
    ):
        await db.execute(statement)
    await keep(db, Summary(grid, marks=await newest(db)))  # of all rows, what was before any time
    return True


async def keep(db: Database, summary: Summary) -> None:
    await db.execute(
        """INSERT OR REPLACE INTO summary (id, width_us, phase_us, until_at, last_call, last_action,
                                           last_lead, last_conversion, callers)
           VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)""",
        (summary.grid.width_us, summary.grid.phase_us, summary.until_us, *summary.marks, summary.callers),
    )


async def stretch_of(db: Rows, summary: Summary, at_us: int) -> Stretch | None:
    """The stretch in which an instant lies, None if what lies there is not summed yet."""
    if at_us >= summary.until_us:
        return None
    rows = await db.fetch_all(
        """SELECT number, since_at,
                  coalesce((SELECT since_at FROM stretches AS next WHERE next.number = this.number + 1), ?)
           FROM stretches AS this WHERE since_at <= ? ORDER BY since_at DESC LIMIT 1""",
        (summary.until_us, at_us),
    )
    return Stretch(*rows[0])
