"""Looking a database over without the daemon: is it whole, is it ours, what is in it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from missedd.store.db.database import StoreRefused
from missedd.store.db.migrate import LATEST
from missedd.store.db.read_access import is_there
from missedd.store.db.read_only import open_to_read

TABLES: Final = ("calls", "actions", "attempts", "reports", "leads", "suppressions")
PROBLEMS_SHOWN: Final = 5


@dataclass(slots=True)
class Examined:
    """What was found; well if there are no problems."""

    problems: list[str] = field(default_factory=list)
    version: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    pending: int = 0
    """Actions that a daemon on this database would still send."""

    @property
    def is_well(self) -> bool:
        return not self.problems


def examine(path: Path) -> Examined:
    """Read every page of the database at `path` and follow every reference; slow where it is large."""
    found = Examined()
    try:
        if not is_there(path) or not path.is_file():
            found.problems.append("there is no such file")
            return found
        with closing(open_to_read(path)) as reading:
            _examine(reading, found)
    except (sqlite3.Error, StoreRefused) as failure:
        found.problems.append(str(failure))
    return found


def _examine(reading: sqlite3.Connection, found: Examined) -> None:
    (found.version,) = reading.execute("PRAGMA user_version").fetchone()
    names = {name for (name,) in reading.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if missing := [each for each in TABLES if each not in names]:
        found.problems.append(f"it is no database of missedd: it has no table {', '.join(missing)}")
        return
    if found.version > LATEST:
        found.problems.append(f"it has schema version {found.version}, this missedd knows up to {LATEST}")
    said = [text for (text,) in reading.execute(f"PRAGMA integrity_check({PROBLEMS_SHOWN})")]
    found.problems += [] if said == ["ok"] else said
    broken = reading.execute("PRAGMA foreign_key_check").fetchmany(PROBLEMS_SHOWN)
    found.problems += [
        f"row {row} of {table} refers to a missing {parent}" for table, row, parent, _ in broken
    ]
    for table in TABLES:
        (found.counts[table],) = reading.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - ours
    (found.pending,) = reading.execute(
        "SELECT count(*) FROM actions WHERE state IN ('planned', 'held')"
    ).fetchone()
