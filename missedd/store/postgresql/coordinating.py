"""The connections for the cluster, on trio: one for heartbeats and news, one that listens."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import psycopg
import trio
from psycopg.generators import notifies

from missedd.store.db.database import NotDurable, Row
from missedd.store.db.error_text import first_line
from missedd.store.postgresql.connecting import ConnectionFactory
from missedd.store.postgresql.sql_session import SqlSession
from missedd.store.postgresql.trio_connection import TrioConnection

CHANNEL: Final = "missedd_news"
"""The name of the news in LISTEN and NOTIFY."""

QUIET_S: Final = 4.0
"""After this time without news the server is asked whether it is still there. A machine that hangs keeps its
connections, and by then another one may be the primary. Shorter than a silence that counts as a failure."""


class PostgresqlCoordination:
    """A `Coordination` with psycopg; several trio tasks may use it, one after the other."""

    def __init__(self, factory: ConnectionFactory) -> None:
        self._factory = factory
        self._session: SqlSession | None = None
        self._turn = trio.Lock()

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """See `Coordination.fetch_all`. After an error the next call connects anew, to whoever is primary."""
        async with self._turn:
            with _not_durable():
                if self._session is None or not self._session.is_open:
                    self._session = SqlSession(await self._factory.connect())
                return await self._session.fetch_all(sql, params)

    async def send_news(self, text: str) -> None:
        """See `Coordination.send_news`."""
        await self.fetch_all(f"SELECT pg_notify('{CHANNEL}', ?)", (text,))

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[PostgresqlListener]:
        """See `Coordination.listen`."""
        with _not_durable():
            connection = await self._factory.connect()
        try:
            listener = PostgresqlListener(connection)
            with _not_durable():
                await SqlSession(connection).command(f"LISTEN {CHANNEL}")
            yield listener
        finally:
            connection.discard()

    async def close(self) -> None:
        """Close the connection; a statement that goes on is undone, or its answer is lost."""
        if self._session is not None:
            self._session.discard()
        await trio.lowlevel.checkpoint()


class PostgresqlListener:
    """A `NewsListener` that reads all the time: news that nobody fetches would pile up in the server."""

    def __init__(self, connection: TrioConnection) -> None:
        self._connection = connection
        self._waiting: deque[str] = deque()
        connection.add_notify_handler(lambda notify: self._waiting.append(notify.payload))

    async def receive(self) -> str:
        """See `NewsListener.receive`."""
        while not self._waiting:
            with _not_durable():
                with trio.move_on_after(QUIET_S) as waited:
                    await self._connection.wait(notifies(self._connection.pgconn))
                if waited.cancelled_caught:
                    await SqlSession(self._connection).command("SELECT 1")
        return self._waiting.popleft()


@contextmanager
def _not_durable() -> Iterator[None]:
    try:
        yield
    except psycopg.Error as failure:
        raise NotDurable(first_line(failure)) from failure
