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
from missedd.core.people.erasure import Cause, Erased
from missedd.store.db.database import Database, Rows
from missedd.store.people.erase import LAST_HEARD, erase

FIRST: Final = "+"
"""Sorts before every number."""

_BEHIND: Final = ","
"""Sorts behind every number, and before every pseudonym."""

SOURCES: Final = (("calls", "caller"), ("verifications", "number"), ("audit", "subject"))
"""Where a number may stand that stands nowhere else."""


@dataclass(frozen=True, slots=True)
class Silent:
    """A number to be erased, and how many rows that changes, more or less."""

    number: str
    rows: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What a piece of the walk has found, and where it ended; None at the end of all."""

    silent: tuple[Silent, ...]
    after: str | None


async def look_on(db: Rows, table: str, column: str, after: str, before: datetime, most: int) -> Looked:
    """Walk on over at most so many of the numbers of a table, in their order."""
    rows = await db.fetch_all(
        f"""WITH RECURSIVE walk (number, n) AS (
               SELECT (SELECT min({column}) FROM {table} WHERE {column} > ?), 1
               UNION ALL
               SELECT (SELECT min({column}) FROM {table} WHERE {column} > walk.number), n + 1 FROM walk
               WHERE walk.number < '{_BEHIND}' AND n < ?)
           SELECT who.number, {LAST_HEARD},
                  (SELECT count(*) FROM calls c WHERE c.caller = who.number)
                  + (SELECT count(*) FROM actions a WHERE a.number = who.number)
           FROM walk who WHERE who.number < '{_BEHIND}'""",
        (after, most),
    )
    silent = (Silent(number, count) for number, heard_us, count in rows if heard_us < to_us(before))
    return Looked(tuple(silent), rows[-1][0] if len(rows) == most else None)


async def erase_silent(db: Database, numbers: Sequence[str], before: datetime, now: datetime) -> int:
    """Erase those of the numbers of which still nothing was heard, and which owe nothing; how many."""
    erased = [await erase(db, each, now, Cause.RETENTION, unless_heard_since=before) for each in numbers]
    return sum(isinstance(each, Erased) for each in erased)
