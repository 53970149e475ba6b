"""How far the rollups reach: they hold exactly the facts before an instant, of rows up to a watermark.

`missedd.store.rollups.roll_up` advances both. Whenever a row changes that is rolled up already, triggers note
the difference in `late_facts`. It is added to the rollups with the next step, and to every figure until then.
All other rows are counted from the tables. So analytics are exact at every moment, and fast once the rollups
are near the present.
"""

from __future__ import annotations

from dataclasses import dataclass

from missedd.core.analytics.hour_grid import HourGrid
from missedd.core.analytics.time_buckets import BEFORE_US, TimeBucket
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.rollups.facts import NO_ROWS, RowWatermarks, newest_rows


@dataclass(frozen=True, slots=True)
class RollupState:
    """The rollups hold the facts before `until_us` of the rows up to `watermarks`, by the hours of `grid`."""

    grid: HourGrid
    until_us: int = BEFORE_US
    watermarks: RowWatermarks = NO_ROWS
    caller_id_count: int = 0
    """How many caller ids have been given out."""
    bucket_count: int = 0
    """How many buckets there are; the last one ends at `until_us`."""

    @property
    def next_bucket(self) -> TimeBucket:
        """The bucket that comes next, still empty."""
        return TimeBucket(self.bucket_count, self.until_us, self.until_us)


async def load_rollup_state(db: ReadOnlyDatabase, grid: HourGrid) -> RollupState | None:
    """The state of the rollups for this grid; None if there are none."""
    rows = await db.fetch_all(
        """SELECT width_us, phase_us, until_at, last_call, last_action, last_lead, last_conversion, callers,
                  (SELECT coalesce(max(number) + 1, 0) FROM stretches) FROM summary"""
    )
    if not rows or HourGrid(*rows[0][:2]) != grid:
        return None
    until_us, *watermarks, caller_id_count, bucket_count = rows[0][2:]
    return RollupState(grid, until_us, RowWatermarks(*watermarks), caller_id_count, bucket_count)


async def start_rollups(db: Database, grid: HourGrid) -> bool:
    """Start rollups for this grid unless they exist; returns whether they start anew."""
    if await load_rollup_state(db, grid) is not None:
        return False
    for statement in (
        "DELETE FROM figures",
        "DELETE FROM call_hours",
        "DELETE FROM caller_sets",
        "DELETE FROM late_callers",
        "DELETE FROM late_facts",
        "DELETE FROM callers",
        "DELETE FROM stretches",
    ):
        await db.execute(statement)
    # The watermarks cover all rows, but nothing lies before `until_us` yet.
    await save_rollup_state(db, RollupState(grid, watermarks=await newest_rows(db)))
    return True


async def save_rollup_state(db: Database, state: RollupState) -> None:
    await db.execute(
        """INSERT INTO summary (id, width_us, phase_us, until_at, last_call, last_action, last_lead,
                                last_conversion, callers)
           VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET
               width_us = excluded.width_us, phase_us = excluded.phase_us, until_at = excluded.until_at,
               last_call = excluded.last_call, last_action = excluded.last_action,
               last_lead = excluded.last_lead, last_conversion = excluded.last_conversion,
               callers = excluded.callers""",
        (state.grid.width_us, state.grid.phase_us, state.until_us, *state.watermarks, state.caller_id_count),
    )


async def time_bucket_at(db: ReadOnlyDatabase, state: RollupState, at_us: int) -> TimeBucket | None:
    """The bucket in which an instant lies; None if that instant is not rolled up yet."""
    if at_us >= state.until_us:
        return None
    rows = await db.fetch_all(
        """SELECT number, since_at,
                  coalesce((SELECT since_at FROM stretches AS next WHERE next.number = this.number + 1), ?)
           FROM stretches AS this WHERE since_at <= ? ORDER BY since_at DESC LIMIT 1""",
        (state.until_us, at_us),
    )
    return TimeBucket(*rows[0])
