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
    # After a burst or a long backup the log file shrinks to this size again (bytes).
    "PRAGMA journal_size_limit = 67108864",
)
"""Settings of every connection. The driver adds `synchronous`; FULL means that a commit is on disk."""
