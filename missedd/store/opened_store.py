"""A store that is open: what the engine writes to and reads from."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import trio

from missedd.config.store_location import PostgresqlLocation
from missedd.store.backup.upgrade_copy import UpgradeResult
from missedd.store.cluster.coordination import Coordination
from missedd.store.db.database import Database, DatabaseConnection, NotDurable, UnitOfWork
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.db.write_counts import WriteCounts
from missedd.store.db.writer import Writer

MAX_WAIT_S: Final = 10.0
"""A disk may be slow for a while, and Exotel waits fifteen seconds before it sends the request again."""

SHARED_MAX_WAIT_S: Final = 4.0
"""For a PostgreSQL. Waits are checked each half second, so Exotel has its 503 within five seconds, and sends
the request again; another node, or another server, may take it then."""

READ_RETRY_S: Final = 0.5


class Driver(Protocol):
    """Opens connections to the databases of one kind."""

    async def open(self, location: Any, /, *, read_only: bool) -> DatabaseConnection:
        """`location` is a file's path or a `PostgresqlLocation`, as the driver's kind has it."""
        ...


@runtime_checkable
class SharedDriver(Driver, Protocol):
    """A driver of PostgreSQL. All methods raise `StoreRefused`."""

    async def prepare(self, location: PostgresqlLocation, account_sid: str | None) -> tuple[int, int]:
        """Make the database ready for the account's daemon; the schema's version before and after."""
        ...

    async def check(
        self, location: PostgresqlLocation, account_sid: str | None = None, *, read_only: bool = False
    ) -> int:
        """Check all that `prepare` would refuse, or only what reading needs, and change nothing.

        Returns the schema's version, 0 for a database without tables.
        """
        ...

    def coordination(self, location: PostgresqlLocation) -> Coordination:
        """The connections by which a node knows the others; they are opened when they are needed."""
        ...

    async def keep_connected(self, connection: DatabaseConnection) -> None:
        """Look after a writing connection of this driver, for ever: connect anew when it is lost."""
        ...


class Store:
    """One database: a writer with group commit, and a reader of its own."""

    def __init__(
        self,
        path: Path | None,
        writer: Writer,
        reader: DatabaseConnection,
        *,
        is_checked: bool,
        upgrade_result: UpgradeResult | None = None,
    ) -> None:
        self.path = path
        """The file of a SQLite database; None for a PostgreSQL."""
        self.max_wait_s = MAX_WAIT_S if path is not None else SHARED_MAX_WAIT_S
        """How long whoever waits for a commit should wait before it refuses its request, in seconds."""
        self._writer = writer
        self._reader = reader
        self.is_checked = is_checked
        """Whether the whole file was checked when it was opened; a very large file is not."""
        self.upgrade_result = upgrade_result
        """The upgrade of the schema when the file was opened; None if the schema was the newest."""
        self._fence: UnitOfWork[None] | None = None

    def fenced(self, fence: UnitOfWork[None] | None) -> Store:
        """The same store, except that `fence` runs first in the transaction of each unit that writes.

        If it raises, the unit does not run, and `write` raises the same; other units are not hurt. While
        the database is away, `read` waits: whoever the fence protects is cancelled when that takes too long.
        """
        fenced = copy(self)
        fenced._fence = fence
        return fenced

    async def write[T](
        self,
        unit: UnitOfWork[T],
        on_commit: Callable[[T], None] | None = None,
        *,
        offload: bool = False,
        locks: LockKeys = EVERYTHING,
    ) -> T:
        """Run a unit of work durably; see `Writer.write` for its arguments and for what it raises."""
        if self._fence is not None:
            unit = partial(_run_fenced, fence=self._fence, unit=unit)
        return await self._writer.write(unit, on_commit, offload=offload, locks=locks)

    @property
    def last_commit_error(self) -> str | None:
        """Why nothing can be committed at the moment; None while commits succeed."""
        return self._writer.last_commit_error

    @property
    def commit_failures(self) -> int:
        """How many transactions could not be made durable since the start."""
        return self._writer.commit_failures

    @property
    def counts(self) -> WriteCounts:
        """What became of transactions that did not go straight through."""
        return self._writer.counts

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        """Run a reading unit on a consistent snapshot that never waits for the writer."""
        while True:
            try:
                return await self._reader.read(unit)
            except NotDurable:
                if self._fence is None:
                    raise
            await trio.sleep(READ_RETRY_S)

    async def check_answers(self) -> None:
        """Read something small, for a watchdog; raises what every read raises.

        A PostgreSQL is not asked: a restart of this daemon would not bring it back.
        """
        if self.path is not None:
            await self._reader.read(lambda db: db.engine.schema_version(db))


async def _run_fenced[T](db: Database, fence: UnitOfWork[None], unit: UnitOfWork[T]) -> T:
    await fence(db)
    return await unit(db)
