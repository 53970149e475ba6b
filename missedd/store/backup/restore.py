"""Restore a backup: it replaces the database, the old file is kept, and pending actions are quarantined.

A crash at any moment is safe. The copy is complete, migrated, quarantined and on disk before the old file
loses its name, and the database's name always belongs to a complete file.
"""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from missedd.base.system_errors import describe_error
from missedd.store.actions.quarantine import start_quarantine
from missedd.store.backup.online_backup import Progress, copy_database, fsync_path, wal_files
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.sqlite.lock import lock_database
from missedd.store.sqlite.migrate import migrate


@dataclass(frozen=True, slots=True)
class RestoreResult:
    old_database: Path | None
    """Where the previous database is now; None if there was none."""
    quarantined_actions: int
    """The number of actions in quarantine."""


async def restore_backup(path: Path, backup: Path, now: datetime, progress: Progress) -> RestoreResult:
    """Replace the database at `path` with `backup`, which must have been inspected before.

    This call blocks the thread, so it is for a program that does nothing else. Raises `StoreRefused` if a
    daemon holds the database or the copy cannot be made; then nothing has changed.
    """
    path = path.resolve()
    had_database = path.exists()
    with lock_database(path, "missedd restore"):
        copy = path.with_name(f".{path.name}.restoring")
        try:
            copy_database(backup, copy, progress, replace=True)
            quarantined = await _prepare(copy, now)
            fsync_path(copy)
            _chown_like(path.parent, copy, path.with_name(path.name + ".lock"))
            old_database = _rename_old_database(path, now) if had_database else None
            copy.replace(path)
            fsync_path(path.parent)
        except (OSError, sqlite3.Error) as failure:
            raise StoreRefused(f"cannot restore into {path}: {describe_error(failure)}") from failure
        finally:
            if not had_database and path.stat().st_size == 0:
                path.unlink()  # the lock created this empty file, and no backup has replaced it
            for leftover in (copy, *wal_files(copy)):
                leftover.unlink(missing_ok=True)
    return RestoreResult(old_database, quarantined)


async def _prepare(copy: Path, now: datetime) -> int:
    """Migrate the copy's schema and quarantine its pending actions, in one transaction."""
    connection = await InlineDriver().open(copy, read_only=False)
    try:
        results = await connection.write([migrate, partial(start_quarantine, now=now)])
    finally:
        await connection.close()  # the last connection writes the log into the file
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return int(results[1])


def _rename_old_database(path: Path, now: datetime) -> Path:
    """Give the old database and its log another name in the same folder."""
    renamed = path.with_name(f"{path.name}.before-restore-{now:%Y%m%dT%H%M%SZ}")
    # The old database is not opened, not even to empty its log: opening a damaged file can drop that log.
    (log, index), (renamed_log, _) = wal_files(path), wal_files(renamed)
    os.link(path, renamed)
    if log.exists():
        log.replace(renamed_log)
    index.unlink(missing_ok=True)
    fsync_path(path.parent)
    return renamed


def _chown_like(folder: Path, *files: Path) -> None:
    """After a restore by root, give the files to the daemon's user, who owns the folder."""
    if os.geteuid() == 0:
        owner = folder.stat()
        for file in files:
            os.chown(file, owner.st_uid, owner.st_gid)
