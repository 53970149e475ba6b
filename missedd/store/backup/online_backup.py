"""A copy of the database that is whole or not there, taken beside a running daemon or without one.

SQLite's online backup reads one snapshot through a connection of its own: the daemon goes on
writing and waits for nobody. While it lasts the write-ahead log cannot be shortened, so the log
grows by what is written meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from missedd.base.system_errors import describe_error
from missedd.store.db.database import StoreRefused
from missedd.store.db.read_only import open_read_only

PAGES_PER_STEP = 2048
"""Eight megabytes between two words of progress."""

type Progress = Callable[[int, int], None]
"""Told how many pages are copied, and of how many."""


def copy_database(source: Path, target: Path, progress: Progress, *, replace: bool = False) -> None:
    """Copy `source` to `target`, one file that needs no log beside it, readable by its owner only.

    The copy is checked and on disk before it gets its name. Raises `StoreRefused` where the source
    cannot be read or the target not be written, `FileExistsError` where there is one already.
    """
    if not replace and target.exists():
        raise FileExistsError(target)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        _create(unfinished)
        with closing(open_read_only(source)) as reading, closing(sqlite3.connect(unfinished)) as writing:
            reading.isolation_level = None
            # The transaction holds the snapshot: without it every commit of the daemon would make
            # the copy begin again.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            reading.backup(
                writing, pages=PAGES_PER_STEP, progress=lambda _, left, total: progress(total - left, total)
            )
            writing.execute("PRAGMA journal_mode = DELETE")
            (said,) = writing.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise StoreRefused(f"the database {source} is damaged, so its copy is: {said}")
        fsync_path(unfinished)
        if replace:
            for log in wal_files(target):
                log.unlink(missing_ok=True)  # a log must never meet a database that is not its own
            unfinished.replace(target)
        else:
            os.link(unfinished, target)
        fsync_path(target.parent)
    except FileExistsError:
        raise
    except (sqlite3.Error, OSError) as failure:
        raise StoreRefused(f"cannot copy {source} to {target}: {describe_error(failure)}") from failure
    finally:
        unfinished.unlink(missing_ok=True)


def wal_files(path: Path) -> tuple[Path, Path]:
    """The log of a database, and the log's index."""
    return path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")


def _create(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def fsync_path(path: Path) -> None:
    """Make a file's contents, or a folder's names, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
