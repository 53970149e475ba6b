"""The same SQL on the same file, run in the calling thread: for virtual time.

A virtual clock jumps ahead whenever every trio task sleeps. A thread that works would look like idleness to
that clock, and time would jump past it. Here a unit is finished before anything else runs. `synchronous` is
OFF: a simulated crash drops the connection but never the machine's memory.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, MutableSet, Sequence
from pathlib import Path
from typing import Any

import trio

from missedd.store.db.database import Row, UnitOfWork
from missedd.store.db.group_commit import FaultHook, commit_group, no_fault, read_snapshot
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.db.write_counts import WriteCounts
from missedd.store.sqlite.pragmas import PRAGMAS
from missedd.store.sqlite.sqlite_engine import SQLITE

type BeforeWrite = Callable[[], Awaitable[None]]
"""Awaited before each write: the only place where time may pass, so a slow disk is simulated here."""


class InlineDatabase:
    """A `TransactionalDatabase` over sqlite3's connection; no method here ever suspends."""

    engine = SQLITE

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        return self._connection.execute(sql, params).fetchall()

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        self._connection.execute(sql, params)

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            self._connection.executemany(sql, rows)

    async def lock(self, keys: LockKeys) -> None:
        """Nobody else writes: the transaction has the whole database."""

    async def begin(self, locks: LockKeys) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        self._connection.execute("COMMIT")

    async def rollback(self) -> None:
        # SQLite has rolled back by itself when the disk is full, for example.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


class InlineConnection:
    outage: str | None = None
    counts = WriteCounts()

    def __init__(
        self, path: Path, fault_hook: FaultHook, before_write: BeforeWrite, *, read_only: bool
    ) -> None:
        self._path = path
        self.read_only = read_only
        self._fault_hook = fault_hook
        self._before_write = before_write
        self._connection = _open_connection(path, read_only=read_only)

    def reopen(self) -> sqlite3.Connection:
        """Continue with a new connection to the same path; returns the old one, in whatever transaction.

        For a forked process: it must neither use nor close the connection of its parent.
        """
        old, self._connection = self._connection, _open_connection(self._path, read_only=self.read_only)
        return old

    @property
    def _database(self) -> InlineDatabase:
        return InlineDatabase(self._connection)

    async def write(
        self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False, locks: LockKeys = EVERYTHING
    ) -> list[Any]:
        # Other trio tasks run first, as they would while a disk works. A unit itself never suspends, so it
        # cannot be cancelled.
        await self._before_write()
        return await commit_group(self._database, units, self._fault_hook, locks)

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        await trio.lowlevel.checkpoint()
        return await read_snapshot(self._database, unit)

    async def close(self) -> None:
        self._connection.close()


class InlineDriver:
    """Opens connections to one file; `fault_hook` is called at each storage step of a writer.

    Each connection is added to the set `opened`, if there is one.
    """

    def __init__(
        self,
        fault_hook: FaultHook = no_fault,
        before_write: BeforeWrite = trio.lowlevel.checkpoint,
        opened: MutableSet[InlineConnection] | None = None,
    ) -> None:
        self._fault_hook = fault_hook
        self._before_write = before_write
        self._opened = opened

    async def open(self, path: Path, *, read_only: bool) -> InlineConnection:
        connection = InlineConnection(path, self._fault_hook, self._before_write, read_only=read_only)
        if self._opened is not None:
            self._opened.add(connection)
        return connection


def _open_connection(path: Path, *, read_only: bool) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None)
    try:
        if not read_only:
            connection.execute("PRAGMA synchronous = OFF")
        for pragma in PRAGMAS[1:] if read_only else PRAGMAS:
            connection.execute(pragma)
    except BaseException:
        connection.close()
        raise
    return connection
