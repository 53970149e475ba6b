"""An upgrade of the schema: a copy is kept of the database as it was, and it is said that the work goes on.

missedd.db.before-0018     the database before migration 18, as the release before wrote it
missedd.db.before-0018.2   the same of a second upgrade, after the first copy was put back

Where the file system can share blocks (FICLONE: btrfs, XFS and others) the copy takes neither time nor
room; else it is a real one, of up to a gigabyte. It holds people's numbers, so it goes after a week.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Final

from missedd.store.backup.online_backup import copy_database, fsync_path, wal_files
from missedd.store.db.database import BUSY_TIMEOUT_MS, StoreRefused
from missedd.store.db.migrate import LATEST_VERSION
from missedd.store.db.read_only import open_read_only

MAX_COPIED_BYTES: Final = 1024**3
"""Bytes that are copied where blocks cannot be shared: some ten seconds of a slow disk."""

RESERVED_BYTES: Final = 64 * 1024**2
"""Bytes that a copy leaves free for the daemon's own work."""

COPY_RETENTION: Final = timedelta(days=7)
"""Whoever goes back after that would lose a week of calls."""

ALIVE_INTERVAL_S: Final = 10.0

_FICLONE: Final = 0x40049409
"""ioctl_ficlone(2): let a file share all blocks of another one until either is written to."""

type CloneFile = Callable[[int, int], None]
"""Makes the second open file share the blocks of the first; raises OSError where that cannot be."""


def share_blocks(source: int, target: int) -> None:
    fcntl.ioctl(target, _FICLONE, source)


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """How an upgrade is gone about."""

    makes_copy: bool = True
    """Whether it may only begin once the copy is kept."""
    report_alive: Callable[[], None] = lambda: None
    """Called as it begins, and then every few seconds, from another thread, as long as it goes on."""


DEFAULT_UPGRADE: Final = UpgradeOptions()


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    from_version: int
    to_version: int
    copy: Path | None
    took_s: float


@contextmanager
def reporting_alive(report_alive: Callable[[], None]) -> Iterator[None]:
    """Call `report_alive` as long as the block takes, whatever the loop is doing meanwhile."""
    over = Event()

    def say() -> None:
        while not over.wait(ALIVE_INTERVAL_S):
            report_alive()

    report_alive()
    thread = Thread(target=say, name="missedd-upgrade", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def outdated_version(path: Path) -> int | None:
    """The schema's version where an upgrade would change it; None for a new or an unreadable file."""
    try:
        if not path.exists() or not path.stat().st_size:
            return None
        with closing(open_read_only(path)) as reading:
            version = int(reading.execute("PRAGMA user_version").fetchone()[0])
    except (sqlite3.Error, OSError):
        return None  # Whoever opens it next says what is wrong with it.
    return version if 0 < version < LATEST_VERSION else None


def make_upgrade_copy(path: Path, version: int, clone: CloneFile = share_blocks) -> Path:
    """Keep the database at `path`, which nobody else writes to, as it is; returns the copy.

    The copy is on disk before it has its name. Raises `StoreRefused` where none can be kept.
    """
    path = path.resolve()
    for leftover in path.parent.glob(f".{path.name}.before-*.unfinished"):
        leftover.unlink(missing_ok=True)
    before = [copy for number, _, copy in _copies(path) if number == version + 1]
    try:
        log_is_empty = _checkpoint_wal(path)
        if before and log_is_empty and _is_same(path, before[-1]):
            return before[-1]  # made by a start that came no further
        plain = _name(path, version)
        copy = plain if not before else plain.with_name(f"{plain.name}.{len(before) + 1}")
        if not (log_is_empty and _try_clone(path, copy, clone)):
            why = _copy_obstacle(path)
            if why is not None:
                raise StoreRefused(_refusal(path, version, why))
            copy_database(path, copy, lambda done, total: None)
        _copy_metadata(path, copy)
    except (sqlite3.Error, OSError) as failure:
        raise StoreRefused(_refusal(path, version, str(failure))) from failure
    return copy


def check_copy_possible(path: Path, version: int, clone: CloneFile = share_blocks) -> Path:
    """What the copy would be called; raises `StoreRefused` where none can be kept. Leaves nothing behind."""
    path = path.resolve()
    why = _copy_obstacle(path)
    trial = path.with_name(f".{path.name}.before-trial.unfinished")
    if why is not None and not _try_clone(path, trial, clone):
        raise StoreRefused(_refusal(path, version, why))
    trial.unlink(missing_ok=True)
    return _name(path, version)


def downgrade_advice(path: Path, version: int) -> str:
    """Which copy a missedd that knows up to `version` can go back to, in words; "" if there is none."""
    usable = [copy for number, _, copy in _copies(path.resolve()) if number <= version + 1]
    if not usable:
        return ""
    return (
        f"; {usable[-1]} is the database as it was before the upgrade, without the calls since: "
        f"`missedd restore --config FILE {usable[-1]}` puts it in place"
    )


def delete_old_copies(path: Path, now: datetime) -> list[Path]:
    """Delete the copies that were made more than `COPY_RETENTION` ago; returns them."""
    dropped = []
    for _, _, copy in _copies(path.resolve()):
        with suppress(OSError):  # of another user, perhaps: it is tried again at the next start
            if now - datetime.fromtimestamp(copy.stat().st_ctime, UTC) > COPY_RETENTION:
                copy.unlink()
                dropped.append(copy)
    return dropped


def _name(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.before-{version + 1:04d}")


def _copies(path: Path) -> list[tuple[int, int, Path]]:
    """The copies beside a database, with the migration that followed and which one it is; the newest last."""
    pattern = re.compile(rf"{re.escape(path.name)}\.before-(\d{{4}})(?:\.(\d+))?")
    found = [(pattern.fullmatch(file.name), file) for file in path.parent.iterdir()]
    return sorted((int(match[1]), int(match[2] or 1), file) for match, file in found if match)


def _checkpoint_wal(path: Path) -> bool:
    """Bring what stands in the write-ahead log into the file; whether all of it is there now."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    log, _ = wal_files(path)
    return not log.exists() or not log.stat().st_size


def _is_same(path: Path, copy: Path) -> bool:
    database, kept = path.stat(), copy.stat()
    return (database.st_size, database.st_mtime_ns) == (kept.st_size, kept.st_mtime_ns)


def _try_clone(path: Path, copy: Path, clone: CloneFile) -> bool:
    """Try to make a copy that shares the file's blocks."""
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.unfinished")
    source = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        target = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            clone(source, target)
        finally:
            os.close(target)
        fsync_path(unfinished)
        os.link(unfinished, copy)
        fsync_path(copy.parent)
    except OSError:
        return False
    finally:
        unfinished.unlink(missing_ok=True)
        os.close(source)
    return True


def _copy_obstacle(path: Path) -> str | None:
    """Why a real copy is not made; None if it is."""
    size = path.stat().st_size + sum(log.stat().st_size for log in wal_files(path)[:1] if log.exists())
    if size > MAX_COPIED_BYTES:
        return f"it has {_mb(size)}, and more than {_mb(MAX_COPIED_BYTES)} are not copied at a start"
    free = shutil.disk_usage(path.parent).free
    if free < size + RESERVED_BYTES:
        return f"a copy needs {_mb(size + RESERVED_BYTES)}, and {path.parent} has {_mb(free)} free"
    return None


def _refusal(path: Path, version: int, why: str) -> str:
    return (
        f"the database {path} has schema version {version}, which this missedd brings to "
        f"{LATEST_VERSION}, but no "
        f"copy of it can be kept beside it for the way back: {why}. Make one elsewhere "
        "(`missedd backup --config FILE OUT`), then start once with `missedd serve --no-copy`"
    )


def _mb(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB"


def _copy_metadata(path: Path, copy: Path) -> None:
    """Give the copy the database's owner, permissions and time of change, by which it is known again."""
    of = path.stat()
    if os.geteuid() == 0:
        os.chown(copy, of.st_uid, of.st_gid)
    copy.chmod(of.st_mode & 0o777)
    os.utime(copy, ns=(of.st_atime_ns, of.st_mtime_ns))
    fsync_path(copy)
