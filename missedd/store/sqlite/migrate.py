"""Numbered migrations: SQL files that are applied in order, and never edited once released."""

from __future__ import annotations

import sqlite3
from importlib import resources
from typing import Final

from missedd.store.db.database import Database, NewerSchema, StoreRefused

_FILES: Final = sorted(
    (file.name, file.read_text("utf-8"))
    for file in resources.files("missedd.store.sqlite").joinpath("migrations").iterdir()
    if file.name.endswith(".sql")
)
LATEST_VERSION: Final = len(_FILES)


async def schema_version(db: Database) -> int:
    return int((await db.fetch_all("PRAGMA user_version"))[0][0])


async def migrate(db: Database) -> int:
    """Bring the schema to the newest version, as a unit of work; returns that version.

    Raises `StoreRefused` for a database of a newer missedd, as this one could misread it.
    """
    current = await supported_version(db)
    for number, (_, script) in enumerate(_FILES[current:], current + 1):
        for statement in _statements(script):
            await db.execute(statement)
        await db.execute(f"PRAGMA user_version = {number}")
    return LATEST_VERSION


async def check_schema(db: Database) -> int:
    """The schema's version, as a reading unit; raises `StoreRefused` unless it is the newest.

    A reader cannot migrate, and its statements need the newest schema.
    """
    current = await supported_version(db)
    if current < LATEST_VERSION:
        raise StoreRefused(
            f"the database has schema version {current}, this missedd reads {LATEST_VERSION}; "
            "start its daemon once, which brings the database up to date"
        )
    return current


async def supported_version(db: Database) -> int:
    """The schema's version, as a reading unit; raises `NewerSchema` if this missedd does not know it.

    Raises `StoreRefused` for the database of another program.
    """
    current = await schema_version(db)
    if current > LATEST_VERSION:
        raise NewerSchema(
            f"the database has schema version {current}, this missedd knows up to {LATEST_VERSION}; "
            "run the newer missedd that wrote it, or restore a backup made before the upgrade"
        )
    if current == 0 and await db.fetch_all("SELECT 1 FROM sqlite_schema LIMIT 1"):
        raise StoreRefused(
            "the database belongs to another program: it has tables but no schema version of missedd; "
            "name another file in store.path"
        )
    return current


def _statements(script: str) -> list[str]:
    """Split a script into its statements; SQLite says where each one ends."""
    statements, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            statements.append(pending)
            pending = ""
    return statements
