"""SQLite as the daemon uses it: brief units on the loop's own thread, the rest by aiosqlite in another.

A statement that finds its rows by an index takes some microseconds, and asking another thread for it
takes a hundred; for each row that a thread writes it would ask the loop for the interpreter again. So
brief units run where they are called, and only the commit, which waits for the disk, goes to a thread.
What may look at many rows runs in aiosqlite's thread as a whole: one hop carries a transaction there
and its results back.

Trio's cancellation ends at this border: a unit that was started runs to its commit, because a task
cancelled in between would strand half a transaction for the next commit to publish.
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

from missedd.store.db.database import BUSY_TIMEOUT_MS, PRAGMAS, Row, UnitOfWork
from missedd.store.db.group_commit import commit_group, read_snapshot
from missedd.store.db.inline_driver import InlineDatabase

_CHUNK: Final = 64
"""Rows that aiosqlite carries at a time where it iterates, which is nowhere here."""


class AioDatabase:
    """aiosqlite's connection in the dress of `TransactionalDatabase`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        return [tuple(row) for row in await self._connection.execute_fetchall(sql, params)]

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        await (await self._connection.execute(sql, params)).close()

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        await (await self._connection.executemany(sql, rows)).close()

    async def begin(self) -> None:
        await self.execute("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        await self.execute("COMMIT")

    async def close(self) -> None:
        await self._connection.close()


class LoopThreadDatabase(InlineDatabase):
    """The same connection from the loop's thread. What may wait, for a disk or a lock, waits in another."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__(connection)
        # Its own, so that a commit never waits for other work that was given to threads.
        self._limiter = trio.CapacityLimiter(1)

    async def begin(self) -> None:
        self._wait_for_locks(0)
        try:
            await super().begin()
        except sqlite3.OperationalError as failure:
            if failure.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        else:
            return
        finally:
            self._wait_for_locks(BUSY_TIMEOUT_MS)
        # Another program writes, or moves the log into the database.
        await self._run_in_thread("BEGIN IMMEDIATE")

    async def commit(self) -> None:
        await self._run_in_thread("COMMIT")

    def _wait_for_locks(self, ms: int) -> None:
        self._connection.execute(f"PRAGMA busy_timeout = {ms}")

    async def _run_in_thread(self, sql: str) -> None:
        with trio.CancelScope(shield=True):
            # Bounded: local disk work, and SQLite's own patience with locks.
            await trio.to_thread.run_sync(self._connection.execute, sql, limiter=self._limiter)


class AsyncioThread:
    """A thread with an asyncio loop in it, entered from trio one whole call at a time."""

    def __init__(self, portal: anyio.from_thread.BlockingPortal) -> None:
        self._portal = portal

    async def run[T](self, call: Callable[..., Awaitable[T]], *args: object) -> T:
        """Run `call(*args)` over there and wait for it, whatever becomes of the caller meanwhile."""
        finished = trio.Event()
        token = trio.lowlevel.current_trio_token()
        future = self._portal.start_task_soon(call, *args)
        future.add_done_callback(lambda _: token.run_sync_soon(finished.set))
        with trio.CancelScope(shield=True):
            await finished.wait()
        # Not a cancellation, even if there was one: what was committed must not be called undone.
        return future.result()


class AioConnection:
    """A `Connection`: one of SQLite's, used from the loop's thread or from the portal's, never from both."""

    def __init__(self, portal: AsyncioThread, connection: sqlite3.Connection, database: AioDatabase) -> None:
        self._portal = portal
        self._loop_database = LoopThreadDatabase(connection)
        self._thread_database = database
        # Two users of one connection would share one transaction.
        self._lock = trio.Lock()

    async def write(self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False) -> list[Any]:
        async with self._lock:
            if offload:
                return await self._portal.run(commit_group, self._thread_database, units)
            return await commit_group(self._loop_database, units)

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        async with self._lock:
            return await self._portal.run(read_snapshot, self._thread_database, unit)

    async def close(self) -> None:
        # Unclosed, aiosqlite's thread would keep the process from ending.
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
    # SQLite itself is built to be used from any thread; here one waits for the other.
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
