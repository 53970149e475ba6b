"""An upgrade of the schema: keep a copy of the old database, and report that the upgrade is still running.

missedd.db.before-0018     the database before migration 18, as the previous release wrote it
missedd.db.before-0018.2   the same from a second upgrade, after the first copy was restored

If the file system can share blocks (FICLONE: btrfs, XFS and others), the copy takes neither time nor space.
Else it is a real copy of up to a gigabyte. The copy holds people's numbers, so it is deleted after a week.
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
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.sqlite.pragmas import BUSY_TIMEOUT_MS
from missedd.store.sqlite.read_only import open_read_only

MAX_COPIED_BYTES: Final = 1024**3
"""The most bytes that are copied if blocks cannot be shared: about ten seconds of a slow disk."""

RESERVED_BYTES: Final = 64 * 1024**2
"""Free bytes that a copy leaves for the daemon."""

COPY_RETENTION: Final = timedelta(days=7)
"""How long a copy is kept. After a week, restoring the copy would lose a week of calls."""

ALIVE_INTERVAL_S: Final = 10.0

_FICLONE: Final = 0x40049409
"""ioctl_ficlone(2): one file shares all blocks of another until either of them is written to."""

type CloneFile = Callable[[int, int], None]
"""Makes the second open file share the blocks of the first; raises OSError if that is not possible."""


def share_blocks(source: int, target: int) -> None:
    fcntl.ioctl(target, _FICLONE, source)


@dataclass(frozen=True, slots=True)
class UpgradeOptions:
    """The settings of an upgrade."""

    makes_copy: bool = True
    """Whether the database is copied before the upgrade begins."""
    report_alive: Callable[[], None] = lambda: None
    """Called at the beginning, and then every `ALIVE_INTERVAL_S` from another thread until the end."""


DEFAULT_UPGRADE: Final = UpgradeOptions()


@dataclass(frozen=True, slots=True)
class UpgradeResult:
    from_version: int
    to_version: int
    copy: Path | None
    took_s: float


@contextmanager
def reporting_alive(report_alive: Callable[[], None]) -> Iterator[None]:
    """Call `report_alive` again and again while the block runs, even if the event loop is blocked."""
    is_over = Event()

    def report_until_over() -> None:
        while not is_over.wait(ALIVE_INTERVAL_S):
            report_alive()

    report_alive()
    thread = Thread(target=report_until_over, name="missedd-upgrade", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def outdated_version(path: Path) -> int | None:
    """The schema's version if an upgrade would change it; None if not, or for a new or unreadable file."""
    try:
        if not path.exists() or not path.stat().st_size:
            return None
        with closing(open_read_only(path)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except (sqlite3.Error, OSError):
        return None  # The caller opens the file next and reports what is wrong.
    return version if 0 < version < LATEST_VERSION else None


def make_upgrade_copy(path: Path, version: int, clone: CloneFile = share_blocks) -> Path:
    """Copy the database at `path`, which nobody else may write to; returns the path of the copy.

    The copy is on disk before it has its name. Raises `StoreRefused` if no copy can be made.
    """
    path = path.resolve()
    for leftover in path.parent.glob(f".{path.name}.before-*.unfinished"):
        leftover.unlink(missing_ok=True)
    earlier = [copy for number, _, copy in _copies(path) if number == version + 1]
    try:
        log_is_empty = _checkpoint_wal(path)
        if earlier and log_is_empty and _is_same(path, earlier[-1]):
            return earlier[-1]  # an earlier start made this copy and then failed
        plain = _name(path, version)
        copy = plain if not earlier else plain.with_name(f"{plain.name}.{len(earlier) + 1}")
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
    """The path that the copy would have; raises `StoreRefused` if no copy can be made. Leaves no file."""
    path = path.resolve()
    why = _copy_obstacle(path)
    trial = path.with_name(f".{path.name}.before-trial.unfinished")
    if why is not None and not _try_clone(path, trial, clone):
        raise StoreRefused(_refusal(path, version, why))
    trial.unlink(missing_ok=True)
    return _name(path, version)


def downgrade_advice(path: Path, version: int) -> str:
    """Advice which copy to restore for a missedd that knows schemas up to `version`; "" if there is none."""
    usable = [copy for number, _, copy in _copies(path.resolve()) if number <= version + 1]
    if not usable:
        return ""
    return (
        f"; {usable[-1]} is the database as it was before the upgrade, without the calls since: "
        f"`missedd restore --config FILE {usable[-1]}` puts it in place"
    )


def delete_old_copies(path: Path | None, now: datetime) -> list[Path]:
    """Delete the copies that were made more than `COPY_RETENTION` ago; returns their paths.

    `path` is None for a PostgreSQL, which has no copies.
    """
    deleted = []
    for _, _, copy in _copies(path.resolve()) if path is not None else ():
        with suppress(OSError):  # for example another user's file; the next start tries again
            if now - datetime.fromtimestamp(copy.stat().st_ctime, UTC) > COPY_RETENTION:
                copy.unlink()
                deleted.append(copy)
    return deleted


def _name(path: Path, version: int) -> Path:
    return path.with_name(f"{path.name}.before-{version + 1:04d}")


def _copies(path: Path) -> list[tuple[int, int, Path]]:
    """The copies of a database as (next migration, number of the copy, path); the newest last."""
    pattern = re.compile(rf"{re.escape(path.name)}\.before-(\d{{4}})(?:\.(\d+))?")
    matches = [(pattern.fullmatch(file.name), file) for file in path.parent.iterdir()]
    return sorted((int(match[1]), int(match[2] or 1), file) for match, file in matches if match)


def _checkpoint_wal(path: Path) -> bool:
    """Write the write-ahead log into the database file; whether the log is empty now."""
    with closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        writing.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    log, _ = wal_files(path)
    return not log.exists() or not log.stat().st_size


def _is_same(path: Path, copy: Path) -> bool:
    original, copied = path.stat(), copy.stat()
    return (original.st_size, original.st_mtime_ns) == (copied.st_size, copied.st_mtime_ns)


def _try_clone(path: Path, copy: Path, clone: CloneFile) -> bool:
    """Try to make a copy that shares the file's blocks; False if that is not possible."""
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
    """Why no real copy can be made; None if one can."""
    size = path.stat().st_size + sum(log.stat().st_size for log in wal_files(path)[:1] if log.exists())
    if size > MAX_COPIED_BYTES:
        return f"it has {_mb(size)}, and a start copies at most {_mb(MAX_COPIED_BYTES)}"
    free = shutil.disk_usage(path.parent).free
    if free < size + RESERVED_BYTES:
        return f"a copy needs {_mb(size + RESERVED_BYTES)}, and {path.parent} has {_mb(free)} free"
    return None


def _refusal(path: Path, version: int, why: str) -> str:
    return (
        f"the database {path} has schema version {version}, and this missedd upgrades it to "
        f"{LATEST_VERSION}, but no copy for the way back can be kept beside it: {why}. Make a copy elsewhere "
        "(`missedd backup --config FILE OUT`), then start once with `missedd serve --no-copy`"
    )


def _mb(size: int) -> str:
    return f"{size / 1024**2:,.0f} MB"


def _copy_metadata(path: Path, copy: Path) -> None:
    """Give the copy the database's owner, permissions and change time; `_is_same` compares the time."""
    original = path.stat()
    if os.geteuid() == 0:
        os.chown(copy, original.st_uid, original.st_gid)
    copy.chmod(original.st_mode & 0o777)
    os.utime(copy, ns=(original.st_atime_ns, original.st_mtime_ns))
    fsync_path(copy)
