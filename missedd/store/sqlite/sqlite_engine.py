"""SQLite's spelling of the acts that databases do differently."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count

from missedd.store.db.database import Database
from missedd.store.db.database_engine import DatabaseEngine, IdTable
from missedd.store.sqlite.migrate import schema_version


async def _new_ids(db: Database, table: IdTable, at_least: int) -> Iterator[int]:
    """Count on from the table's last id: one writer gives out all ids, so nobody else can take them."""
    if table == "actions":
        rows = await db.fetch_all("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'actions'")
        return count(int(rows[0][0]) if rows else 1)
    rows = await db.fetch_all(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")  # noqa: S608 - a table of ours
    return count(int(rows[0][0]))


async def _skip_action_ids(db: Database, number: int) -> None:
    await db.execute("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'actions'", (number,))
    await db.execute(
        """INSERT INTO sqlite_sequence (name, seq) SELECT 'actions', ?
           WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'actions')""",
        (number,),
    )


@asynccontextmanager
async def _erasing(db: Database) -> AsyncIterator[None]:
    """Overwrite freed parts of pages, as not every build of SQLite does by itself.

    Copies from earlier moves may still remain.
    """
    ((before,),) = await db.fetch_all("PRAGMA secure_delete")
    await db.fetch_all("PRAGMA secure_delete = ON")
    try:
        yield
    finally:
        await db.fetch_all(f"PRAGMA secure_delete = {before}")


async def _transaction_number(db: Database) -> int:
    return 0


async def _have_ended(db: Database, number: int) -> bool:
    return True


SQLITE = DatabaseEngine(
    name="sqlite",
    new_ids=_new_ids,
    schema_version=schema_version,
    skip_action_ids=_skip_action_ids,
    erasing=_erasing,
    transaction_number=_transaction_number,
    have_ended=_have_ended,
    has_one_writer=True,
    failures=(sqlite3.OperationalError,),
)
