"""Facts counted one by one, from the view `facts`: what is not summed yet, and parts of a stretch.

The same count makes the summaries and completes them, so neither can mean anything else by a fact.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from typing import Final, NamedTuple

from missedd.core.analytics.figures import COUNTED
from missedd.core.analytics.hour_grid import Grid
from missedd.store.db.database import Rows

COUNTED_SQL: Final = ", ".join(f"'{each}'" for each in COUNTED)

_NAMED_IN: Final = ("calls", "leads", "conversions")
"""Tables with facts of their own, each with an index that begins with the campaign."""


async def campaigns_with_facts(db: Rows) -> list[str]:
    """Every campaign that has any, in order: those of the past are not in the configuration."""
    names = set[str]()
    for table in _NAMED_IN:
        names.update(await _names(db, table))
    return sorted(names)


async def campaigns(db: Rows) -> list[str]:
    """The names under which there are calls, in order."""
    return await _names(db, "calls")


async def _names(db: Rows, table: str) -> list[str]:
    # Walks the index from name to name instead of over all rows.
    rows = await db.fetch_all(
        f"""WITH RECURSIVE names (name) AS (
               SELECT min(campaign) FROM {table}
               UNION ALL
               SELECT (SELECT min(campaign) FROM {table} WHERE campaign > name) FROM names
               WHERE name IS NOT NULL)
           SELECT name FROM names WHERE name IS NOT NULL"""
    )
    return [name for (name,) in rows]


class Marks(NamedTuple):
    """A row of each table with facts: the last that is summed, or the last that there is."""

    call: int = 0
    action: int = 0
    lead: int = 0
    conversion: int = 0


NO_ROWS: Final = Marks()
ALL_ROWS: Final = Marks(*[2**63 - 1] * 4)


class Fact(NamedTuple):
    """How often a fact of a campaign holds in an hour of the grid, and in a stretch."""

    campaign: str
    stretch: int
    hour: int
    text: str
    times: int


def stretch_at(instant: str) -> str:
    """An expression for the number of the stretch in which an instant lies."""
    return f"(SELECT number FROM stretches WHERE since_at <= {instant} ORDER BY since_at DESC LIMIT 1)"


async def newest(db: Rows) -> Marks:
    """The last row of each table."""
    ((*last,),) = await db.fetch_all(
        """SELECT (SELECT coalesce(max(id), 0) FROM calls), (SELECT coalesce(max(id), 0) FROM actions),
                  (SELECT coalesce(max(id), 0) FROM leads), (SELECT coalesce(max(id), 0) FROM conversions)"""
    )
    return Marks(*last)


async def count_facts(
    db: Rows, campaign: str, since_us: int, until_us: int, grid: Grid, stretch: int = -1
) -> list[Fact]:
    """A campaign's facts at or after `since_us` and before `until_us`, which lie in `stretch`."""
    rows = await db.fetch_all(
        """SELECT campaign, ?, (at - ?) / ?, fact, count(*) FROM facts
           WHERE campaign = ? AND at >= ? AND at < ? GROUP BY 3, 4""",
        (stretch, grid.phase_us, grid.width_us, campaign, since_us, until_us),
    )
    return [Fact(*row) for row in rows]


async def count_new_facts(
    db: Rows, after: Marks, up_to: Marks, since_us: int, until_us: int, grid: Grid
) -> list[Fact]:
    """The facts of the rows after some and up to others, at or after `since_us` and before `until_us`."""
    found: list[Fact] = []
    for source, first, last in zip(Marks._fields, after, up_to, strict=True):
        rows = await db.fetch_all(
            # The plus keeps the time out of the choice of an index: the new rows are the few.
            f"""SELECT campaign, {stretch_at("facts.at")}, (at - ?) / ?, fact, count(*) FROM facts
                WHERE source = '{source}' AND id > ? AND id <= ? AND +at >= ? AND +at < ?
                GROUP BY 1, 2, 3, 4""",
            (grid.phase_us, grid.width_us, first, last, since_us, until_us),
        )
        found += [Fact(*row) for row in rows]
    return found


def is_counted_call(fact: str) -> bool:
    """Whether a fact is a missed call to its campaign."""
    what, _, rest = fact.partition("|")
    return what == "call" and rest.partition("|")[0] in COUNTED
