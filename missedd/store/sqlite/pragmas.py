"""Settings of every SQLite connection."""

from __future__ import annotations

from typing import Final

BUSY_TIMEOUT_MS: Final = 5000
"""How long a statement waits for another program's lock, in milliseconds."""

PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
    # Another program's checkpoint or backup may hold the file for a moment.
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    # A few megabytes of pages keep the indexes of a day's calls in memory.
    "PRAGMA cache_size = -16000",
    # Each call changes other pages of the indexes by number, and most of them change again soon. So they move
    # into the database after 16 MB of log, not after 4; that saves a tenth of what it costs to write a call.
    # To read such a log after a crash takes some hundredths of a second.
    "PRAGMA wal_autocheckpoint = 4000",
    # After a burst or a long backup the log file shrinks to this size again (bytes).
    "PRAGMA journal_size_limit = 67108864",
)
"""Settings of every connection. The driver adds `synchronous`; FULL means that a commit is on disk."""
