"""Check whether a database can be opened or created at a path, without changing anything."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from missedd.store.db.database import StoreRefused


def check_path(path: Path) -> None:
    """Raise `StoreRefused` if the file system does not let a daemon of this user use its database."""
    try:
        path = path.resolve()
        _check(path)
    except OSError as failure:
        raise StoreRefused(
            f"cannot reach the database {path}: {failure.strerror}; "
            "its folder must exist and belong to the daemon's user"
        ) from failure


def read_only_mount_message(path: Path) -> str | None:
    """The error text if the database's disk is mounted read-only, else None.

    On such a disk the advice to change the folder's owner would be wrong.
    """
    if not os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        return None
    return (
        f"cannot write beside the database {path}: its disk is mounted read-only; the system's log (dmesg) "
        "says why, as after a fault of the disk. Under systemd all but $STATE_DIRECTORY is read-only to the "
        "daemon: leave the database there, or name its folder in the unit's ReadWritePaths="
    )


def _check(path: Path) -> None:
    folder = path.parent
    if not folder.exists():
        raise StoreRefused(
            f"there is no folder {folder} for the database {path}: its folder must exist and belong to the "
            "daemon's user, so make it, or name another file in store.path"
        )
    if not folder.is_dir():
        raise StoreRefused(f"cannot use the database {path}: {folder} is not a folder")
    if (message := read_only_mount_message(path)) is not None:
        raise StoreRefused(message)
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise StoreRefused(
            f"cannot write beside the database {path}: {folder} may not be written to; "
            "its folder must belong to the daemon's user"
        )
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        raise StoreRefused(f"cannot use the database {path}: it is not a regular file")
    if not os.access(path, os.R_OK | os.W_OK):
        raise StoreRefused(
            f"cannot use the database {path}: it may not be read and written; "
            "it must be a file of the daemon's user"
        )
