"""The mark of a SQLite database whose content was moved to a PostgreSQL.

Two daemons, one on each, would both send what was pending. So the file is marked before the other database
has anything: a daemon on it refuses from then on. Programs that only read it go on working.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from missedd.base.clock import from_us, to_iso, to_us
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.read_only import open_read_only


@dataclass(frozen=True, slots=True)
class Move:
    """Where the content went."""

    target: str
    """The URL, without a password."""
    at: datetime
    is_finished: bool
    """Whether the content is there; else the move was cut off, and nobody knows yet."""


def read_move(path: Path) -> Move | None:
    """The mark of the database, which must exist; None if it was never moved. Raises `sqlite3.Error`."""
    with closing(open_read_only(path)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'moved'").fetchone():
            return None
        target, at_us, is_finished = connection.execute(
            "SELECT target, at, is_finished FROM moved"
        ).fetchone()
        return Move(target, from_us(at_us), bool(is_finished))


def write_move(path: Path, move: Move) -> None:
    """Mark the database, durably."""
    _run(
        path,
        """CREATE TABLE IF NOT EXISTS moved (
            id INTEGER PRIMARY KEY CHECK (id = 1), target TEXT NOT NULL, at INTEGER NOT NULL,
            is_finished INTEGER NOT NULL) STRICT""",
        ("INSERT OR REPLACE INTO moved VALUES (1, ?, ?, ?)", (move.target, to_us(move.at), move.is_finished)),
    )


def remove_move(path: Path) -> None:
    """Take the mark away: nothing was moved."""
    _run(path, "DROP TABLE moved")


def check_not_moved(path: Path) -> None:
    """Raise `StoreRefused` for a database that was moved. Other checks find what is missing or damaged."""
    try:
        move = read_move(path) if path.exists() else None
    except sqlite3.Error:
        return
    if move is not None and move.is_finished:
        raise StoreRefused(
            f"the database {path} was moved to {move.target} at {to_iso(move.at)}, and no daemon may use it "
            "any more; write that url under [store] instead of path"
        )
    if move is not None:
        raise StoreRefused(
            f"the move of the database {path} to {move.target} was cut off; "
            "run `missedd migrate-store` again, which finishes it or begins anew"
        )


def _run(path: Path, *statements: str | tuple[str, tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            sql, params = statement if isinstance(statement, tuple) else (statement, ())
            connection.execute(sql, params)
        connection.execute("COMMIT")
