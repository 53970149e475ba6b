"""A copy of the database that is complete or does not exist, taken with or without a running daemon.

SQLite's online backup reads one snapshot through a connection of its own, so the daemon goes on writing and
does not wait. During the backup the write-ahead log cannot be shortened, so the log grows by what is written
meanwhile.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from missedd.base.system_errors import describe_error
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.read_only import open_read_only

PAGES_PER_STEP = 2048
"""Progress is reported every 2048 pages, which are eight megabytes."""

type Progress = Callable[[int, int], None]
"""Called with the number of pages that are copied, and the number of all pages."""


def copy_database(source: Path, target: Path, progress: Progress, *, replace: bool = False) -> None:
    """Copy the database `source` to `target`: one file without a log, readable by its owner only.

    The copy is checked and on disk before it gets its name. Raises `StoreRefused` if the source cannot be
    read or the target cannot be written, and `FileExistsError` if the target exists and `replace` is not set.
    """
    if not replace and target.exists():
        raise FileExistsError(target)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        _create(unfinished)
        with closing(open_read_only(source)) as reading, closing(sqlite3.connect(unfinished)) as writing:
            reading.isolation_level = None
            # The transaction holds the snapshot. Without it every commit of the daemon would make the
            # copy start again.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            reading.backup(
                writing, pages=PAGES_PER_STEP, progress=lambda _, left, total: progress(total - left, total)
            )
            writing.execute("PRAGMA journal_mode = DELETE")
            (result,) = writing.execute("PRAGMA quick_check(1)").fetchone()
        if result != "ok":
            raise StoreRefused(f"the database {source} is damaged, and so is its copy: {result}")
        fsync_path(unfinished)
        if replace:
            for log in wal_files(target):
                log.unlink(missing_ok=True)  # SQLite must never apply a log to another database
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
    """The paths of a database's write-ahead log and of the log's index."""
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
