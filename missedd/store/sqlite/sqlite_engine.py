"""SQLite's spelling of the acts that databases do differently."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import count

from missedd.store.db.database import Database
from missedd.store.db.database_engine import DatabaseEngine, IdTable
from missedd.store.sqlite.migrate import schema_version


async def _new_ids(db: Database, table: IdTable, at_least: int) -> Iterator[int]:
    """Count on from the table's last id: one writer gives out all ids, so nobody else can take them."""
    if table == "actions":
        rows = await db.fetch_all("SELECT seq + 1 FROM sqlite_sequence WHERE name = 'actions'")
        return count(int(rows[0][0]) if rows else 1)
    rows = await db.fetch_all("SELECT coalesce(max(id), 0) + 1 FROM calls")
    return count(int(rows[0][0]))


async def _erase_for_good(db: Database) -> None:
    await db.execute("PRAGMA secure_delete = ON")


SQLITE = DatabaseEngine(
    name="sqlite",
    new_ids=_new_ids,
    schema_version=schema_version,
    erase_for_good=_erase_for_good,
    failures=(sqlite3.OperationalError,),
)
