"""Inspect a database file without the daemon: is it undamaged, is it missedd's, what does it hold."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.sqlite.read_access import has_database
from missedd.store.sqlite.read_only import open_read_only

TABLES: Final = ("calls", "actions", "attempts", "reports", "leads", "suppressions")
PROBLEMS_SHOWN: Final = 5


@dataclass(slots=True)
class DatabaseReport:
    """What an inspection found; the database is healthy if there are no problems."""

    problems: list[str] = field(default_factory=list)
    version: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    pending: int = 0
    """Actions that a daemon would still send from this database."""

    @property
    def is_healthy(self) -> bool:
        return not self.problems


def inspect_database(path: Path) -> DatabaseReport:
    """Read every page of the database at `path` and follow every reference; slow for a large file."""
    report = DatabaseReport()
    try:
        if not has_database(path) or not path.is_file():
            report.problems.append("there is no such file")
            return report
        with closing(open_read_only(path)) as connection:
            _inspect(connection, report)
    except (sqlite3.Error, StoreRefused) as failure:
        report.problems.append(str(failure))
    return report


def _inspect(connection: sqlite3.Connection, report: DatabaseReport) -> None:
    (report.version,) = connection.execute("PRAGMA user_version").fetchone()
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if missing := [table for table in TABLES if table not in names]:
        report.problems.append(f"it is no database of missedd: it has no table {', '.join(missing)}")
        return
    if report.version > LATEST_VERSION:
        report.problems.append(
            f"it has schema version {report.version}, this missedd knows up to {LATEST_VERSION}"
        )
    results = [text for (text,) in connection.execute(f"PRAGMA integrity_check({PROBLEMS_SHOWN})")]
    report.problems += [] if results == ["ok"] else results
    broken = connection.execute("PRAGMA foreign_key_check").fetchmany(PROBLEMS_SHOWN)
    report.problems += [
        f"row {row} of {table} refers to a missing {parent}" for table, row, parent, _ in broken
    ]
    for table in TABLES:
        (report.counts[table],) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    (report.pending,) = connection.execute(
        "SELECT count(*) FROM actions WHERE state IN ('planned', 'held')"
    ).fetchone()
