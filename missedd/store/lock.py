"""One daemon to a database: an advisory lock on a file beside it, which names its owner.

SQLite's own exclusive mode would also shut out `missedd why` and backups; this does not. The
kernel drops the lock when the process dies, so there is nothing stale to clean up.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from missedd.store.database import StoreRefused


@contextmanager
def exclusive(path: Path, owner: str) -> Iterator[None]:
    """Hold the database at `path` for `owner`; raises `StoreRefused`, naming who has it, if it is in use."""
    # By its real path: a link to a database is that database.
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
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as failure:
            holder = os.pread(descriptor, 200, 0).decode("utf-8", "replace").strip() or "another process"
            raise StoreRefused(
                f"the database {path} is in use by {holder}; "
                "stop that daemon first (under systemd its sockets too: systemctl stop missedd.socket "
                "missedd-private.socket missedd), or give this one a store.path of its own"
            ) from failure
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, owner.encode(), 0)
        _private(path)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> str | None:
    """Who has the database at `path`, None for nobody. It is looked up, not tried, so as to block nobody."""
    path = path.resolve()
    lock_path = path.with_name(path.name + ".lock")
    try:
        known = lock_path.stat()
        locks = Path("/proc/locks").read_text("ascii")
        owner = lock_path.read_text("utf-8", "replace").strip()
    except OSError:
        return None
    place = f"{os.major(known.st_dev):02x}:{os.minor(known.st_dev):02x}:{known.st_ino}"
    return owner or "another process" if f" {place} " in locks else None


def _private(path: Path) -> None:
    """Make sure that only the daemon's user reads the file: it holds people's numbers.

    SQLite gives the files beside it the permissions of this one.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
    except OSError as failure:
        raise StoreRefused(
            f"cannot use the database {path}: {failure.strerror}; it must be a file of the daemon's user"
        ) from failure
