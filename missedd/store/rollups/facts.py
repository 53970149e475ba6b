"""Count facts one by one, from the view `facts`: rows that are not rolled up yet, and parts of a bucket.

The same statements build the rollups and complete them, so a fact means the same in both.
"""

# ruff: noqa: S608 - only constants of this module are put into these statements, never input

from __future__ import annotations

from itertools import chain
from typing import Final, NamedTuple

from missedd.core.analytics.figures import COUNTED_VERDICTS
from missedd.core.analytics.hour_grid import HourGrid
from missedd.store.db.database import Database, ReadOnlyDatabase

COUNTED_VERDICTS_SQL: Final = ", ".join(f"'{each}'" for each in COUNTED_VERDICTS)

_FACT_TABLES: Final = ("calls", "leads", "conversions")
"""Tables with facts of their own, each with an index that begins with the campaign."""


async def campaigns_with_facts(db: ReadOnlyDatabase) -> list[str]:
    """Every campaign with facts, in order; past campaigns are not in the configuration."""
    names = set[str]()
    for table in _FACT_TABLES:
        names.update(await _names(db, table))
    return sorted(names)


async def campaigns(db: ReadOnlyDatabase) -> list[str]:
    """The names of all campaigns with calls, in order."""
    return await _names(db, "calls")


async def _names(db: ReadOnlyDatabase, table: str) -> list[str]:
    # The recursion walks the index from name to name instead of reading all rows.
    rows = await db.fetch_all(
        f"""WITH RECURSIVE names (name) AS (
               SELECT min(campaign) FROM {table}
               UNION ALL
               SELECT (SELECT min(campaign) FROM {table} WHERE campaign > name) FROM names
               WHERE name IS NOT NULL)
           SELECT name FROM names WHERE name IS NOT NULL"""
    )
    return [name for (name,) in rows]


class RowWatermarks(NamedTuple):
    """A row id of each table with facts: the last row that is rolled up, or the last that exists."""

    call: int = 0
    action: int = 0
    lead: int = 0
    conversion: int = 0

    def or_later(self, other: RowWatermarks) -> RowWatermarks:
        """Of each table the later of two rows."""
        return RowWatermarks(*map(max, self, other))


_TABLES: Final = ("calls", "actions", "leads", "conversions")
"""The tables of the watermarks, in their order."""

NO_ROWS: Final = RowWatermarks()
ALL_ROWS: Final = RowWatermarks(*[2**63 - 1] * 4)


class FactCount(NamedTuple):
    """How often a fact of a campaign is true in an hour of the grid and in a bucket."""

    campaign: str
    time_bucket: int
    hour: int
    fact: str
    times: int


def time_bucket_sql(instant: str) -> str:
    """SQL for the number of the bucket in which an instant lies."""
    return f"(SELECT number FROM stretches WHERE since_at <= {instant} ORDER BY since_at DESC LIMIT 1)"


async def newest_rows(db: ReadOnlyDatabase) -> RowWatermarks:
    """The id of the last row of each table."""
    newest = [f"(SELECT coalesce(max(id), 0) FROM {table})" for table in _TABLES]
    ((*ids,),) = await db.fetch_all(f"SELECT {', '.join(newest)}")
    return RowWatermarks(*ids)


async def following_rows(
    db: ReadOnlyDatabase, after: RowWatermarks, up_to: RowWatermarks, limit: int
) -> RowWatermarks:
    """The last of the next `limit` rows of each table, with `after < id <= up_to`; `after` if there are none.

    Ids may have large gaps, so they are not reckoned with.
    """
    last = [
        f"""(SELECT coalesce(max(id), ?)
             FROM (SELECT id FROM {table} WHERE id > ? AND id <= ? ORDER BY id LIMIT ?) few)"""
        for table in _TABLES
    ]
    bounds = [(first, first, last_id, limit) for first, last_id in zip(after, up_to, strict=True)]
    ((*ids,),) = await db.fetch_all(f"SELECT {', '.join(last)}", tuple(chain.from_iterable(bounds)))
    return RowWatermarks(*ids)


async def count_facts(
    db: ReadOnlyDatabase,
    campaign: str,
    since_us: int,
    until_us: int,
    grid: HourGrid,
    time_bucket: int = -1,
    up_to: RowWatermarks = ALL_ROWS,
) -> list[FactCount]:
    """A campaign's facts at or after `since_us` and before `until_us`, which all lie in `time_bucket`.

    Only those of the rows up to the ids of `up_to`.
    """
    # The plus: the facts of a period are found by its bounds, not by the ids of all rows before.
    rows = await db.fetch_all(
        """SELECT (at - ?) / ?, fact, count(*) FROM facts
           WHERE campaign = ? AND at >= ? AND at < ?
             AND +id <= CASE source WHEN 'call' THEN ? WHEN 'action' THEN ? WHEN 'lead' THEN ? ELSE ? END
           GROUP BY 1, 2""",
        (grid.phase_us, grid.width_us, campaign, since_us, until_us, *up_to),
    )
    return [FactCount(campaign, time_bucket, *row) for row in rows]


async def count_new_facts(
    db: ReadOnlyDatabase,
    after: RowWatermarks,
    up_to: RowWatermarks,
    since_us: int,
    until_us: int,
    grid: HourGrid,
) -> list[FactCount]:
    """The facts at or after `since_us` and before `until_us` of rows with `after < id <= up_to`."""
    counts: list[FactCount] = []
    for source, first, last in zip(RowWatermarks._fields, after, up_to, strict=True):
        rows = await db.fetch_all(
            # The plus keeps SQLite from using an index by time, as there are few new rows.
            f"""SELECT campaign, {time_bucket_sql("facts.at")}, (at - ?) / ?, fact, count(*) FROM facts
                WHERE source = '{source}' AND id > ? AND id <= ? AND +at >= ? AND +at < ?
                GROUP BY 1, 2, 3, 4""",
            (grid.phase_us, grid.width_us, first, last, since_us, until_us),
        )
        counts += [FactCount(*row) for row in rows]
    return counts


async def count_late_facts(db: ReadOnlyDatabase, first: int, last: int) -> list[FactCount]:
    """How facts have changed since they were rolled up, in the buckets from `first` to before `last`."""
    rows = await db.fetch_all(
        """SELECT campaign, stretch, hour, fact, sum(n) FROM late_facts
           WHERE stretch >= ? AND stretch < ? GROUP BY 1, 2, 3, 4""",
        (first, last),
    )
    return [FactCount(*row) for row in rows]


async def take_late_facts(db: Database, limit: int) -> list[FactCount]:
    """Remove at most `limit` changes of facts from the table `late_facts`, and return them."""
    rows = await db.fetch_all(
        """DELETE FROM late_facts WHERE id IN (SELECT id FROM late_facts ORDER BY id LIMIT ?)
           RETURNING campaign, stretch, hour, fact, n""",
        (limit,),
    )
    return [FactCount(*row) for row in rows]


def is_counted_call(fact: str) -> bool:
    """Whether a fact is a missed call to its campaign."""
    subject, _, values = fact.partition("|")
    return subject == "call" and values.partition("|")[0] in COUNTED_VERDICTS
