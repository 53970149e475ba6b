"""Inactive numbers: found by walking an index from number to number, and erased.

Pseudonyms sort after all numbers, so the walk skips numbers that are erased already. One pass costs
O(remaining numbers).
"""

# ruff: noqa: S608 - only constants of this module are put into these statements, never input

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from missedd.base.clock import to_us
from missedd.core.people.erasure import ErasureCause, ErasureResult
from missedd.store.db.database import Database, ReadOnlyDatabase
from missedd.store.people.erase import LAST_ACTIVITY, erase_number

BEFORE_ALL_NUMBERS: Final = "+"
"""Sorts before every number."""

_AFTER_ALL_NUMBERS: Final = ","
"""Sorts after every number and before every pseudonym."""

NUMBER_COLUMNS: Final = (("calls", "caller"), ("verifications", "number"), ("audit", "subject"))
"""The columns to walk: every number in the database stands in at least one of them."""


@dataclass(frozen=True, slots=True)
class InactiveNumber:
    """A number to be erased, and about how many rows that changes."""

    number: str
    rows: int


@dataclass(frozen=True, slots=True)
class NumberScan:
    """The inactive numbers in one piece of the walk."""

    inactive: tuple[InactiveNumber, ...]
    next_after: str | None
    """The last number of the piece, after which the walk goes on; None at the end."""


async def scan_numbers(
    db: ReadOnlyDatabase, table: str, column: str, after: str, before: datetime, limit: int
) -> NumberScan:
    """Walk over at most `limit` numbers of a column in their order, from the one behind `after` on.

    A number is inactive if its last activity is before `before`.
    """
    rows = await db.fetch_all(
        f"""WITH RECURSIVE walk (number, n) AS (
               SELECT (SELECT min({column}) FROM {table} WHERE {column} > ?), 1
               UNION ALL
               SELECT (SELECT min({column}) FROM {table} WHERE {column} > walk.number), n + 1 FROM walk
               WHERE walk.number < '{_AFTER_ALL_NUMBERS}' AND n < ?)
           SELECT who.number, {LAST_ACTIVITY},
                  (SELECT count(*) FROM calls c WHERE c.caller = who.number)
                  + (SELECT count(*) FROM actions a WHERE a.number = who.number)
           FROM walk who WHERE who.number < '{_AFTER_ALL_NUMBERS}'""",
        (after, limit),
    )
    inactive = (
        InactiveNumber(number, count) for number, active_us, count in rows if active_us < to_us(before)
    )
    return NumberScan(tuple(inactive), rows[-1][0] if len(rows) == limit else None)


async def erase_inactive(db: Database, numbers: Sequence[str], before: datetime, now: datetime) -> int:
    """Erase those of the numbers that are still inactive and that nothing blocks; returns how many."""
    results = [
        await erase_number(db, number, now, ErasureCause.RETENTION, unless_active_since=before)
        for number in numbers
    ]
    return sum(isinstance(result, ErasureResult) for result in results)
