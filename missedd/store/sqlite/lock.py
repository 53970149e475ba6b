"""One daemon per database: advisory locks on the database file and on a lock file beside it.

The lock file names its owner. It exists before the database does, and stays when a backup replaces the
database. The lock on the database itself holds under every name of the file, as a file can have several
(hard links). SQLite's own exclusive mode would also shut out `missedd why` and backups; these locks do
not. SQLite's locks are of another kind (POSIX) and do not conflict with ours (flock). The kernel drops
the locks when the process dies, so no stale lock is left.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from missedd.store.db.database import StoreRefused


@contextmanager
def lock_database(path: Path, owner: str) -> Iterator[None]:
    """Hold the database at `path` for `owner`; raises `StoreRefused`, which names the holder, if in use."""
    # The real path: a link to a database is that database.
    path = path.resolve()
    lock_path = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as failure:
        raise StoreRefused(
            f"cannot write beside the database {path}: {failure.strerror}; "
            "its folder must exist and belong to the daemon's user"
        ) from failure
    try:
        if not _try_lock(descriptor):
            raise _in_use(path, os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip())
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, owner.encode(), 0)
        database = _open_private(path)
        # Closed only after SQLite has closed its own descriptor: closing any descriptor of a file drops all
        # POSIX locks that this process has on it.
        try:
            if not _try_lock(database):
                raise _in_use(path, lock_holder(path))
            yield
        finally:
            os.close(database)
    finally:
        os.close(descriptor)


def lock_holder(path: Path) -> str | None:
    """Who holds the database at `path`; None for nobody.

    The answer comes from /proc/locks. Trying to lock the file would keep a starting daemon out.
    """
    path = path.resolve()
    try:
        file = path.stat()
    except OSError:
        return None
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    for line in _lines(Path("/proc/locks")):
        # 12: FLOCK  ADVISORY  WRITE 4711 08:01:1234567 0 EOF
        _, kind, _, _, pid, locked, *_ = line.split()
        if (kind, locked) == ("FLOCK", place):
            return _owner(pid, path, file) or f"process {pid}"
    return None


def _owner(pid: str, path: Path, file: os.stat_result) -> str | None:
    """The owner that the process wrote into its lock file; None where this user may not see it.

    The process may know the database by another name, and then its lock file has another name too.
    """
    with suppress(OSError):
        for opened in Path(f"/proc/{pid}/fd").iterdir():
            if os.path.samestat(opened.stat(), file):
                name = opened.readlink()
                owner = "".join(_lines(name.with_name(name.name + ".lock"))).strip()
                return owner if name == path or not owner else f"{owner}, by the name {name}"
    return None


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _in_use(path: Path, by: str | None) -> StoreRefused:
    return StoreRefused(
        f"the database {path} is in use by {by or 'another process'}; "
        "stop that daemon first (under systemd its sockets too: systemctl stop missedd.socket "
        "missedd-private.socket missedd), or give this one a store.path of its own"
    )


def _lines(path: Path) -> Iterator[str]:
    with suppress(OSError):
        yield from path.read_text("utf-8", "replace").splitlines()


def _open_private(path: Path) -> int:
    """Open the database file and let only the daemon's user read it, as it holds people's numbers.

    SQLite gives the log and its index the permissions of the database.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        path.chmod(0o600)
    except OSError as failure:
        raise StoreRefused(
            f"cannot use the database {path}: {failure.strerror}; it must be a file of the daemon's user"
        ) from failure
    return descriptor
