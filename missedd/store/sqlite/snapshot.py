"""One snapshot of a SQLite database; see `missedd.store.db.snapshot`."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from missedd.store.db.database import Row, StoreRefused
from missedd.store.sqlite.integrity import recovery_advice
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.sqlite.read_access import check_database_exists
from missedd.store.sqlite.read_only import open_read_only


@dataclass(frozen=True, slots=True)
class FileSnapshot:
    connection: sqlite3.Connection

    def rows(self, sql: str, params: Sequence[object] = ()) -> Iterator[Row]:
        return self.connection.execute(sql, tuple(params))


@contextmanager
def open_file_snapshot(path: Path) -> Iterator[FileSnapshot]:
    """Raises `StoreRefused`, for example for a schema that is not the newest."""
    check_database_exists(path)
    try:
        with closing(open_read_only(path)) as connection:
            connection.execute("BEGIN")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version != LATEST_VERSION:
                raise StoreRefused(
                    f"the database has schema version {version}, this missedd reads {LATEST_VERSION}"
                )
            yield FileSnapshot(connection)
    except sqlite3.Error as failure:
        raise StoreRefused(recovery_advice(path, failure)) from failure
