"""A reading connection to a database file, without the daemon."""

from __future__ import annotations

import sqlite3
from pathlib import Path


def open_read_only(path: Path) -> sqlite3.Connection:
    """A reading connection, beside whoever writes; raises `sqlite3.Error`."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    reading = sqlite3.connect(uri, uri=True)
    try:
        reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        reading.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        # A copy that stands alone, in a folder where nothing can be put beside it.
        return sqlite3.connect(f"{uri}&immutable=1", uri=True)
    except BaseException:
        reading.close()
        raise
    return reading
