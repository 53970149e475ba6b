"""A connection as units of work see it, and the two ways to run them.

A *unit of work* is `async def unit(db: Database) -> T`: some SELECTs, some `executemany`, no other
awaiting, no side effect outside the database, so that it may be run again after a rollback. The
runner wraps it in a transaction. `aio` is the daemon's: what is brief runs on the loop's own thread and
is committed on another, what takes long runs in an asyncio thread, all of it out of reach of trio's
cancellation. `inline` runs the same units and the same SQL in the calling thread, for virtual time.
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
    """What a runner of units needs more than they do. Both raise `sqlite3.OperationalError`."""

    async def begin(self) -> None:
        """Take the right to write, at once or after a while."""
        ...

    async def commit(self) -> None:
        """Make it durable."""
        ...


class DatabaseConnection(Protocol):
    """Runs units on one connection, one at a time; each call is a transaction of its own."""

    async def write(self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False) -> list[Any]:
        """Run the units in one transaction and commit it, durably; `offload` if one of them takes long.

        Returns each unit's result, or the exception that it alone raised. Raises `NotDurable`,
        with nothing of any unit kept, when the transaction could not be committed.
        """
        ...

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        """Run the unit on one consistent snapshot."""
        ...

    async def close(self) -> None: ...


class NotDurable(Exception):
    """The store could not commit (disk full, I/O error, locked): nothing of the unit was kept."""


class StoreRefused(Exception):
    """The database cannot be used at all; the text says why and what to do."""


BUSY_TIMEOUT_MS = 5000
"""How long a statement waits for another program's lock."""

PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA foreign_keys = ON",
    # Another program's checkpoint or backup may hold the file for a moment.
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    # A few megabytes of pages keep the indexes of a day's calls in memory.
    "PRAGMA cache_size = -16000",
    # After a burst, or a long backup, the log's file shrinks to this again (bytes).
    "PRAGMA journal_size_limit = 67108864",
)
"""Settings of every connection. `synchronous` is added by the opener: FULL, so that a commit is on disk."""


class ReadOnlyDatabase(Protocol):
    """What a reader needs of a connection. Reads that belong together run on one snapshot."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]: ...
