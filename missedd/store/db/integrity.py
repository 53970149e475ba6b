"""Is the file whole? Asked once at each start, before anything is decided on what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from missedd.store.db.database import Database, StoreRefused

LARGEST_CHECKED: Final = 2 * 1024**3
"""Bytes. 0.5 s a gigabyte of pages in memory on the slowest machine we know, ten from a slow disk;
a start may take some seconds, not minutes. Beyond it `missedd restore --verify` on a backup does it."""


async def check_integrity(db: Database) -> bool:
    """Read the whole file and follow its references, as a reading unit; False if it is too large for that.

    Raises `StoreRefused` for what is damaged; `sqlite3.DatabaseError` where it cannot even be read.
    """
    pages, size = (await db.fetch_all("SELECT * FROM pragma_page_count(), pragma_page_size()"))[0]
    if pages * size > LARGEST_CHECKED:
        return False
    said = (await db.fetch_all("PRAGMA quick_check(1)"))[0][0]
    if said != "ok":
        raise StoreRefused(str(said))
    broken = await db.fetch_all('SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 1')
    if broken:
        table, row, parent = broken[0]
        raise StoreRefused(f"row {row} of {table} refers to a missing one of {parent}")
    return True


def recovery_advice(path: Path, why: object) -> str:
    """What to tell an operator whose database cannot be used."""
    return (
        f"cannot use the database {path}: {why}; "
        "if the file is damaged, move it away and restore a backup in its place (`missedd restore` does "
        "both), or save what can be read of it: sqlite3 DAMAGED .recover | sqlite3 NEW"
    )
