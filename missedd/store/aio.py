"""SQLite by aiosqlite, in an asyncio thread of its own.

Trio's cancellation ends at this border: a unit that was started runs to its commit, because a
task cancelled inside aiosqlite would strand half a transaction for the next commit to publish.
One hop carries a whole transaction there and its results back.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiosqlite
import anyio.from_thread
import trio

from missedd.store.database import PRAGMAS, Row, Unit
from missedd.store.group import commit_group, snapshot


class AioDatabase:
    """aiosqlite's connection in the dress of `Database`."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        return [tuple(row) for row in await self._connection.execute_fetchall(sql, params)]

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        await (await self._connection.execute(sql, params)).close()

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        await (await self._connection.executemany(sql, rows)).close()


class Portal:
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
            # Bounded: local disk work, and SQLite's own busy timeout of five seconds.
            await finished.wait()
        # Not a cancellation, even if there was one: what was committed must not be called undone.
        return future.result()


class AioConnection:
    """A `Connection` whose units run in the portal's thread."""

    def __init__(self, portal: Portal, database: AioDatabase) -> None:
        self._portal = portal
        self._database = database
        # Two readers on one connection would share one transaction.
        self._turn = trio.Lock()

    async def write(self, units: Sequence[Unit[Any]]) -> list[Any]:
        async with self._turn:
            return await self._portal.run(commit_group, self._database, units)

    async def read[T](self, unit: Unit[T]) -> T:
        async with self._turn:
            return await self._portal.run(snapshot, self._database, unit)

    async def close(self) -> None:
        # Unclosed, aiosqlite's thread would keep the process from ending.
        await self._portal.run(self._database._connection.close)


class AioDriver:
    """Opens connections to one file; see `Driver`."""

    def __init__(self, portal: Portal) -> None:
        self._portal = portal

    async def open(self, path: Path, *, read_only: bool) -> AioConnection:
        return AioConnection(self._portal, await self._portal.run(_connect, path, read_only))


@asynccontextmanager
async def aio_driver() -> AsyncIterator[AioDriver]:
    """The driver of the real daemon: real threads, real fsyncs."""
    with anyio.from_thread.start_blocking_portal("asyncio", name="missedd-store") as portal:
        yield AioDriver(Portal(portal))


async def _connect(path: Path, read_only: bool) -> AioDatabase:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    connection = await aiosqlite.connect(uri, uri=True, isolation_level=None)
    try:
        if not read_only:
            await connection.execute("PRAGMA synchronous = FULL")
        for pragma in PRAGMAS[1:] if read_only else PRAGMAS:
            await connection.execute(pragma)
    except BaseException:
        await connection.close()
        raise
    return AioDatabase(connection)
