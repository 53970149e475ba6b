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

from missedd.store.db.database_engine import DatabaseEngine
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.db.write_counts import WriteCounts

type Row = tuple[Any, ...]
type UnitOfWork[T] = Callable[[Database], Awaitable[T]]


class Database(Protocol):
    """One open connection, inside a transaction."""

    @property
    def engine(self) -> DatabaseEngine:
        """Which database this is, for the few acts that differ."""
        ...

    async def lock(self, keys: LockKeys) -> None:
        """Hold the keys until the transaction ends; raises `MoreLocks` if it was begun without them.

        Call this before the unit reads what it is going to decide by. With a single writer nothing happens.
        """
        ...

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]: ...

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None: ...

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None: ...


class TransactionalDatabase(Database, Protocol):
    """What group commit needs beside the statements of units. They raise the engine's `failures`."""

    async def begin(self, locks: LockKeys) -> None:
        """Begin a writing transaction that holds `locks`, after a wait while others hold them."""
        ...

    async def commit(self) -> None:
        """Make the transaction durable."""
        ...

    async def rollback(self) -> None:
        """End the transaction, if there still is one, so that nothing of it is kept."""
        ...


class DatabaseConnection(Protocol):
    """Runs units on one connection, one call at a time; each call is a transaction of its own."""

    @property
    def outage(self) -> str | None:
        """Why the database cannot be reached at the moment; None while it can, and always for a file."""
        ...

    @property
    def counts(self) -> WriteCounts: ...

    async def write(
        self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False, locks: LockKeys = EVERYTHING
    ) -> list[Any]:
        """Run the units in one transaction and commit it durably; `offload` if one of them takes long.

        `locks` are held from the first statement of the transaction to its end.

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


class NotLeading(Exception):
    """The unit belongs to a term that is over: another node leads, or may. Nothing of the unit is kept."""


class StoreRefused(Exception):
    """The database cannot be used at all; the message says why and what to do."""


class NewerSchema(StoreRefused):
    """The database was written by a newer missedd, and this one cannot use it."""


class ReadOnlyDatabase(Protocol):
    """A connection that only reads. Statements of one unit run on one snapshot."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]: ...
