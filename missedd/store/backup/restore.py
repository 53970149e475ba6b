"""A backup takes the database's place; what was there is kept, what it owes waits.

The order makes every moment safe: the copy is complete, migrated, quarantined and on disk before
the old file loses its name, and a name is only ever moved from one whole file to another.
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
from missedd.store.db.inline_driver import InlineDriver
from missedd.store.db.lock import lock_database
from missedd.store.db.migrate import migrate


@dataclass(frozen=True, slots=True)
class RestoreResult:
    old_database: Path | None
    """Where the database that was there is now."""
    quarantined_actions: int
    """Actions that are under quarantine."""


async def restore_backup(path: Path, backup: Path, now: datetime, progress: Progress) -> RestoreResult:
    """Put `backup`, which was examined, in the place of the database at `path`.

    For a program that does nothing else meanwhile: it blocks. Raises `StoreRefused` where a daemon
    has the database, or the copy cannot be made; then nothing has changed.
    """
    path = path.resolve()
    had_one = path.exists()
    with lock_database(path, "missedd restore"):
        copy = path.with_name(f".{path.name}.restoring")
        try:
            copy_database(backup, copy, progress, replace=True)
            waiting = await _prepare(copy, now)
            fsync_path(copy)
            _chown_like(path.parent, copy, path.with_name(path.name + ".lock"))
            kept = _rename_old_database(path, now) if had_one else None
            copy.replace(path)
            fsync_path(path.parent)
        except (OSError, sqlite3.Error) as failure:
            raise StoreRefused(f"cannot restore into {path}: {describe_error(failure)}") from failure
        finally:
            if not had_one and path.stat().st_size == 0:
                path.unlink()  # made to be locked, and nothing has taken its place
            for leftover in (copy, *wal_files(copy)):
                leftover.unlink(missing_ok=True)
    return RestoreResult(kept, waiting)


async def _prepare(copy: Path, now: datetime) -> int:
    """Bring the copy's schema up to date and put what it owes under quarantine, in one transaction."""
    connection = await InlineDriver().open(copy, read_only=False)
    try:
        results = await connection.write([migrate, partial(start_quarantine, now=now)])
    finally:
        await connection.close()  # as the last one it empties the log into the file
    for each in results:
        if isinstance(each, BaseException):
            raise each
    return int(results[1])


def _rename_old_database(path: Path, now: datetime) -> Path:
    """Give the old database another name beside its own, its log with it."""
    kept = path.with_name(f"{path.name}.before-restore-{now:%Y%m%dT%H%M%SZ}")
    # Not opened, not even to empty its log: opening a damaged file can throw that log away.
    (log, index), (kept_log, _) = wal_files(path), wal_files(kept)
    os.link(path, kept)
    if log.exists():
        log.replace(kept_log)
    index.unlink(missing_ok=True)
    fsync_path(path.parent)
    return kept


def _chown_like(folder: Path, *files: Path) -> None:
    """Restored by root, it is still the daemon's: the folder says whose that is."""
    if os.geteuid() == 0:
        owner = folder.stat()
        for each in files:
            os.chown(each, owner.st_uid, owner.st_gid)
