"""Facts counted one by one, from the view `facts`: what is not summed yet, and parts of an hour.

The same count makes the summaries and completes them, so neither can mean anything else by a fact.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

from __future__ import annotations

from typing import Final

from missedd.core.analytics import COUNTED
from missedd.core.grid import Grid
from missedd.store.reads_calls import Rows

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


async def count_facts(
    db: Rows, campaign: str, since_us: int, until_us: int, grid: Grid
) -> list[tuple[int, str, int]]:
    """(hour of the grid, fact, how often) of a campaign, at or after `since_us` and before `until_us`."""
    rows = await db.fetch_all(
        """SELECT (at - ?) / ?, fact, count(*) FROM facts
           WHERE campaign = ? AND at >= ? AND at < ? GROUP BY 1, 2""",
        (grid.phase_us, grid.width_us, campaign, since_us, until_us),
    )
    return [(hour, fact, n) for hour, fact, n in rows]


def is_counted_call(fact: str) -> bool:
    """Whether a fact is a missed call to its campaign."""
    what, _, rest = fact.partition("|")
    return what == "call" and rest.partition("|")[0] in COUNTED
