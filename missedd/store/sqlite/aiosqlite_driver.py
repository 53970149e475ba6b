"""SQLite as the daemon uses it: brief units on the event loop's thread, the others in aiosqlite's thread.

A statement that finds its rows by an index takes a few microseconds, but asking another thread to run it
takes a hundred. A thread that writes rows also competes with the loop for the interpreter at each row. So
brief units run where they are called, and only the commit, which waits for the disk, goes to a thread. A
unit that may read many rows runs in aiosqlite's thread as a whole: one hop carries the transaction there
and its results back.

Trio's cancellation stops at this border. A unit that has started runs to its commit: a trio task cancelled
in between would leave half a transaction, which the next commit would publish.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiosqlite
import anyio.from_thread
import trio

from missedd.store.db.database import Row, UnitOfWork
from missedd.store.db.group_commit import commit_group, no_fault, read_snapshot
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.db.write_counts import WriteCounts
from missedd.store.sqlite.inline_driver import InlineDatabase
from missedd.store.sqlite.pragmas import BUSY_TIMEOUT_MS, PRAGMAS
from missedd.store.sqlite.sqlite_engine import SQLITE

_CHUNK: Final = 64
"""Rows that aiosqlite fetches at a time when iterating. Nothing here iterates, so the value is not used."""


class AioDatabase:
    """A `TransactionalDatabase` over aiosqlite's connection."""

    engine = SQLITE

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        return [tuple(row) for row in await self._connection.execute_fetchall(sql, params)]

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        await (await self._connection.execute(sql, params)).close()

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        await (await self._connection.executemany(sql, rows)).close()

    async def lock(self, keys: LockKeys) -> None:
        """Nobody else writes: the transaction has the whole database."""

    async def begin(self, locks: LockKeys) -> None:
        await self.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        await self.execute("COMMIT")

    async def rollback(self) -> None:
        # SQLite has rolled back by itself when the disk is full, for example.
        if self._connection.in_transaction:
            await self.execute("ROLLBACK")

    async def close(self) -> None:
        await self._connection.close()


class LoopThreadDatabase(InlineDatabase):
    """The same connection used from the loop's thread; waits for the disk or a lock in another thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        # A limiter of its own, so that a commit never waits for other work in threads.
        self._limiter = trio.CapacityLimiter(1)

    async def begin(self, locks: LockKeys) -> None:
        self._wait_for_locks(0)
        try:
            await super().begin(locks)
        except sqlite3.OperationalError as failure:
            if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        else:
            return
        finally:
            self._wait_for_locks(BUSY_TIMEOUT_MS)
        # Another program is writing, or moving the log into the database.
        await self._run_in_thread("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        await self._run_in_thread("COMMIT")

    def _wait_for_locks(self, ms: int) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {ms}")

    async def _run_in_thread(self, sql: str) -> None:
        with trio.CancelScope(shield=True):
            # Bounded by local disk work and by BUSY_TIMEOUT_MS.
            await trio.to_thread.run_sync(self._connection.execute, sql, limiter=self._limiter)


class AsyncioThread:
    """A thread that runs an asyncio loop; trio hands it one whole call at a time."""

    def __init__(self, portal: anyio.from_thread.BlockingPortal) -> None:
        self._portal = portal

    async def run[T](self, call: Callable[..., Awaitable[T]], *args: object) -> T:
        """Run `call(*args)` in the thread and wait for it, even if the caller is cancelled meanwhile."""
        finished = trio.Event()
        token = trio.lowlevel.current_trio_token()
        future = self._portal.start_task_soon(call, *args)
        future.add_done_callback(lambda _: token.run_sync_soon(finished.set))
        with trio.CancelScope(shield=True):
            await finished.wait()
        # The result, even after a cancellation: a committed transaction must not be reported as undone.
        return future.result()


class AioConnection:
    """A `DatabaseConnection`: one SQLite connection, used by one thread at a time: loop or asyncio."""

    outage: str | None = None
    counts = WriteCounts()

    def __init__(self, portal: AsyncioThread, connection: sqlite3.Connection, database: AioDatabase) -> None:
        self._portal = portal
        self._loop_database = LoopThreadDatabase(connection)
        self._thread_database = database
        # Two users of one connection would share one transaction.
        self._lock = trio.Lock()

    async def write(
        self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False, locks: LockKeys = EVERYTHING
    ) -> list[Any]:
        async with self._lock:
            if offload:
                return await self._portal.run(commit_group, self._thread_database, units, no_fault, locks)
            return await commit_group(self._loop_database, units, no_fault, locks)

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        async with self._lock:
            return await self._portal.run(read_snapshot, self._thread_database, unit)

    async def close(self) -> None:
        # While aiosqlite's connection is open, its thread keeps the process from ending.
        await self._portal.run(self._thread_database.close)


class AioDriver:
    """Opens connections to one file; see `Driver`."""

    def __init__(self, portal: AsyncioThread) -> None:
        self._portal = portal

    async def open(self, path: Path, *, read_only: bool) -> AioConnection:
        connection, database = await self._portal.run(_connect, path, read_only)
        return AioConnection(self._portal, connection, database)


@asynccontextmanager
async def aio_driver() -> AsyncIterator[AioDriver]:
    """The driver of the real daemon: real threads, real fsyncs."""
    with anyio.from_thread.start_blocking_portal("asyncio", name="missedd-store") as portal:
        yield AioDriver(AsyncioThread(portal))


async def _connect(path: Path, read_only: bool) -> tuple[sqlite3.Connection, AioDatabase]:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    # SQLite may be used from any thread; the lock of `AioConnection` lets one thread wait for the other.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    database = AioDatabase(await aiosqlite.Connection(lambda: connection, _CHUNK))
    try:
        if not read_only:
            await database.execute("PRAGMA synchronous = FULL")
        for pragma in PRAGMAS[1:] if read_only else PRAGMAS:
            await database.execute(pragma)
    except BaseException:
        await database.close()
        raise
    return connection, database
