"""Check at each start that the database file is undamaged, before anything is decided by its contents."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from missedd.store.db.database import Database, StoreRefused

LARGEST_CHECKED: Final = 2 * 1024**3
"""Bytes. A gigabyte takes 0.5 s from memory on the slowest machine we know, and 10 s from a slow disk.
A start may take seconds but not minutes. For a larger file use `missedd restore --verify` on a backup."""


async def check_integrity(db: Database) -> bool:
    """Read the whole file and follow its references, as a reading unit; False if the file is too large.

    Raises `StoreRefused` if the file is damaged, and `sqlite3.DatabaseError` if it cannot be read at all.
    """
    pages, size = (await db.fetch_all("SELECT * FROM pragma_page_count(), pragma_page_size()"))[0]
    if pages * size > LARGEST_CHECKED:
        return False
    result = (await db.fetch_all("PRAGMA quick_check(1)"))[0][0]
    if result != "ok":
        raise StoreRefused(str(result))
    broken = await db.fetch_all('SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 1')
    if broken:
        table, row, parent = broken[0]
        raise StoreRefused(f"row {row} of {table} refers to a missing one of {parent}")
    return True


def recovery_advice(path: Path, why: object) -> str:
    """The error text for an operator whose database cannot be used."""
    return (
        f"cannot use the database {path}: {why}; "
        "if the file is damaged, move it away and restore a backup in its place (`missedd restore` does "
        "both), or save what can be read of it: sqlite3 DAMAGED .recover | sqlite3 NEW"
    )
