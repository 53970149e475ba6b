"""Check whether this user may read the database, as SQLite would only say that it cannot open the file."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

from missedd.store.db.database import StoreRefused

NO_DATABASE_HINT = "has the daemon run with this configuration?"


def has_database(path: Path) -> bool:
    """Whether there is a database; raises `StoreRefused` if this user may not reach or not read it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError as refusal:
        raise StoreRefused(unreadable_message(path)) from refusal
    except OSError as failure:
        raise StoreRefused(f"cannot reach the database {path}: {failure.strerror}") from failure
    if not os.access(path, os.R_OK):
        raise StoreRefused(unreadable_message(path))
    return True


def check_database_exists(path: Path) -> None:
    """Raise `StoreRefused` if there is no database, or none that this user may read."""
    if not has_database(path):
        raise StoreRefused(f"there is no database at {path}; {NO_DATABASE_HINT}")


def unreadable_message(path: Path) -> str:
    """The error text for a user who is not the daemon's."""
    return f"{_user()} may not read the database {path}: run the command as the daemon's user, or with sudo"


def _user() -> str:
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name, as in a container
        return f"user {os.geteuid()}"
