"""The connection for the cluster in virtual time: a blocking one in the loop's thread, and news in memory.

Time stands still while the server works, so the loop behaves the same in each run. It must not wait for a
lock: no transaction of the same loop may be open across an `await`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, NamedTuple

import psycopg
import trio
from psycopg.adapt import AdaptersMap

from missedd.store.db.database import NotDurable, Row
from missedd.store.postgresql.sql_text import numbered
from missedd.store.postgresql.value_types import VALUE_TYPES
from tests.store.cluster.news_bus import BusListener, NewsBus


class _Types(NamedTuple):
    """What psycopg takes types from."""

    adapters: AdaptersMap
    connection: None = None


_TYPES: Final = _Types(VALUE_TYPES)


class InlineCoordination:
    """A `Coordination` on one blocking connection in autocommit.

    `before` is awaited before each statement and each news: it may wait, or raise `NotDurable` as a cut
    would. `now_us` is the database's time, in microseconds of Unix time; None for the server's own.
    """

    def __init__(
        self,
        conninfo: str,
        bus: NewsBus,
        before: Callable[[], Awaitable[None]] = trio.lowlevel.checkpoint,
        now_us: Callable[[], int] | None = None,
    ) -> None:
        self._connection = psycopg.connect(conninfo, autocommit=True, context=_TYPES)
        self._bus = bus
        self._before = before
        self._now_us = now_us

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        await self._before()
        try:
            if self._now_us is not None:
                self._run("SELECT set_config('missedd.now_us', ?, false)", (str(self._now_us()),))
            return self._run(sql, params)
        except psycopg.OperationalError as failure:
            raise NotDurable(str(failure)) from failure

    def _run(self, sql: str, params: Sequence[object]) -> list[Row]:
        return psycopg.RawCursor(self._connection).execute(numbered(sql), params, prepare=True).fetchall()

    async def send_news(self, text: str) -> None:
        await self._before()
        self._bus.send(text)

    def listen(self) -> AbstractAsyncContextManager[BusListener]:
        return self._bus.listen()

    async def close(self) -> None:
        self._connection.close()
