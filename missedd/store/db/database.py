"""The database as units of work see it, and the errors of the store.

A *unit of work* is `async def unit(db: Database) -> T`: some SELECTs, some `executemany`, no other
awaiting, and no side effect outside the database, so that it may run again after a rollback. The caller
wraps the unit in a transaction. There are two drivers. `aiosqlite_driver` is the daemon's: brief units run
on the loop's thread and are committed in another, long ones run in an asyncio thread, and trio cannot
cancel either. `inline_driver` runs the same units and the same SQL in the calling thread, for virtual time.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

type Row = tuple[Any, ...]
type UnitOfWork[T] = Callable[[Database], Awaitable[T]]


class Database(Protocol):
    """One open connection, inside a transaction."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]: ...

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None: ...

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None: ...


class TransactionalDatabase(Database, Protocol):
    """What group commit needs beside the statements of units. Both raise `sqlite3.OperationalError`."""

    async def begin(self) -> None:
        """Begin a writing transaction, after a wait while another program writes."""
        ...

    async def commit(self) -> None:
        """Make the transaction durable."""
        ...


class DatabaseConnection(Protocol):
    """Runs units on one connection, one call at a time; each call is a transaction of its own."""

    async def write(self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False) -> list[Any]:
        """Run the units in one transaction and commit it durably; `offload` if one of them takes long.

        Returns for each unit its result, or the exception that this unit raised. Raises `NotDurable` if the
        transaction could not be committed; then nothing of any unit is kept.
        """
        ...

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        """Run the unit on one consistent snapshot."""
        ...

    async def close(self) -> None: ...


class NotDurable(Exception):
    """The store could not commit (disk full, I/O error, locked), so nothing of the unit is kept."""


class StoreRefused(Exception):
    """The database cannot be used at all; the message says why and what to do."""


BUSY_TIMEOUT_MS = 5000
"""How long a statement waits for another program's lock, in milliseconds."""

PRAGMAS = (
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


class ReadOnlyDatabase(Protocol):
    """A connection that only reads. Statements of one unit run on one snapshot."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]: ...
