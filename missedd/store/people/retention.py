"""Numbers of which nothing has been heard for long: found by walking an index from number to number.

Pseudonyms sort behind every number, so the walk never meets those that are erased already, and a pass
costs as much as there are numbers left.
"""

# ruff: noqa: S608 - what is put into these statements are names from this room, never input

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
"""Sorts behind every number, and before every pseudonym."""

NUMBER_COLUMNS: Final = (("calls", "caller"), ("verifications", "number"), ("audit", "subject"))
"""Where a number may stand that stands nowhere else."""


@dataclass(frozen=True, slots=True)
class InactiveNumber:
    """A number to be erased, and how many rows that changes, more or less."""

    number: str
    rows: int


@dataclass(frozen=True, slots=True)
class NumberScan:
    """What a piece of the walk has found, and where it ended; None at the end of all."""

    inactive: tuple[InactiveNumber, ...]
    next_after: str | None


async def scan_numbers(
    db: ReadOnlyDatabase, table: str, column: str, after: str, before: datetime, limit: int
) -> NumberScan:
    """Walk on over at most so many of the numbers of a table, in their order."""
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
    silent = (InactiveNumber(number, count) for number, heard_us, count in rows if heard_us < to_us(before))
    return NumberScan(tuple(silent), rows[-1][0] if len(rows) == limit else None)


async def erase_inactive(db: Database, numbers: Sequence[str], before: datetime, now: datetime) -> int:
    """Erase those of the numbers of which still nothing was heard, and which owe nothing; how many."""
    erased = [
        await erase_number(db, each, now, ErasureCause.RETENTION, unless_active_since=before)
        for each in numbers
    ]
    return sum(isinstance(each, ErasureResult) for each in erased)
