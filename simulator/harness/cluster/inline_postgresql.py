"""Connections to a real PostgreSQL for virtual time: time stands still while the server works.

A virtual clock jumps ahead whenever every trio task waits, and an answer on a socket would look like idleness
to it. So a connection here waits in the loop's thread. No transaction is ever suspended, and no two of them
overlap: who waits for whom is the business of the stepper over real connections. Everything else, from the
SQL to what becomes of a COMMIT without an answer, is the daemon's own code.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final, Self

import psycopg
import trio
from psycopg import pq, waiting
from psycopg.abc import PQGen, PQGenConn
from psycopg.conninfo import make_conninfo

from missedd.base.clock import EPOCH
from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.database import NotDurable, Row, StoreRefused
from missedd.store.db.lock_keys import LockKeys, MoreLocks
from missedd.store.postgresql.connecting import ConnectionFactory, Unreachable
from missedd.store.postgresql.coordinating import PostgresqlCoordination
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.postgresql.preparing import prepare_database
from missedd.store.postgresql.reading import READER_SETTINGS, ReadingConnections
from missedd.store.postgresql.sql_session import SqlSession
from missedd.store.postgresql.trio_connection import TrioConnection
from missedd.store.postgresql.writing import WritingConnection, WritingDatabase
from simulator.harness.cluster.simulated_database import SimulatedDatabase
from simulator.harness.cluster.simulated_news import SimulatedListener
from simulator.harness.cluster.simulated_node import SimulatedNode

LOOK_UP_EVERY_S: Final = 10.0
"""Real seconds after which whoever waits for the server looks whether somebody pressed Ctrl-C."""

CHECK_CONNECTION_EVERY_S: Final = 5.0

type StorageStep = Callable[[str], None]
"""Called with `begin`, `before-commit` and `after-commit`; raises where the daemon dies."""


class _NoLock:
    """No second task ever finds a statement running, and to take a real lock would let others run."""

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *failure: object) -> None: ...


class BlockingConnection(TrioConnection):
    """A connection whose every exchange with the server is one step of the loop."""

    node: SimulatedNode

    def __init__(self, pgconn: Any) -> None:
        super().__init__(pgconn)
        self.lock = _NoLock()  # type: ignore[assignment] # used by `async with` only
        self._shown_us = 0

    async def wait[T](self, gen: PQGen[T], interval: float = 0.0, timeout: float | None = None) -> T:
        if (why := self.node.why_no_database()) is not None:
            self.discard()
            raise psycopg.OperationalError(why)
        return waiting.wait(gen, self.pgconn.socket, LOOK_UP_EVERY_S)

    def show_time(self) -> None:
        """Show the session the virtual time, if it has changed; call this before a transaction begins."""
        now_us = self.node.database.now_us()
        if now_us != self._shown_us and self.pgconn.transaction_status == pq.TransactionStatus.IDLE:
            self.pgconn.exec_(f"SET missedd.now_us = '{now_us}'".encode())
            self._shown_us = now_us

    @classmethod
    def connect_at_once(cls, conninfo: str) -> Self:
        gen: PQGenConn[Self] = cls._connect_gen(conninfo)
        return waiting.wait_conn(gen, LOOK_UP_EVERY_S)


@dataclass(frozen=True, slots=True)
class InlineConnectionFactory(ConnectionFactory):
    node: SimulatedNode = field(kw_only=True)

    async def connect(self, limit_s: float = 0.0) -> TrioConnection:
        if (why := self.node.why_no_database()) is not None:
            raise Unreachable(why)
        settings = {**self.settings, "synchronous_commit": "off"}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        conninfo = make_conninfo(self.location.url, options=options, client_encoding="utf-8")
        connection = BlockingConnection.connect_at_once(conninfo)
        connection.node = self.node
        connection.show_time()
        return connection


class SimulatedWritingDatabase(WritingDatabase):
    """The daemon's own writer; its transactions pass the storage steps and the faults of the connection."""

    def __init__(
        self, factory: InlineConnectionFactory, connection: TrioConnection, writer_id: int, step: StorageStep
    ) -> None:
        super().__init__(factory, connection, writer_id)
        self._step = step
        self._node = factory.node

    async def begin(self, locks: LockKeys) -> None:
        self._pass("begin")
        _show_time(self.connection)
        await super().begin(locks)

    async def command(self, sql: str) -> str:
        return await (self._commit_in_trouble() if sql == "COMMIT" else super().command(sql))

    async def _commit_in_trouble(self) -> str:
        self._pass("before-commit")
        if self._node.database.breaks_before_commit():
            raise self._broken("lost commits")
        done = await super().command("COMMIT")
        self._pass("after-commit")
        if self._node.database.breaks_after_commit():
            raise self._broken("lost answers to commits")
        if self._node.on_write is not None:
            self._node.on_write()
        return done

    def _pass(self, point: str) -> None:
        try:
            self._step(point)
        except BaseException:
            # At once: nobody in this loop could wait for a lock that a dead daemon holds.
            self.discard()
            raise

    def _broken(self, situation: str) -> psycopg.OperationalError:
        self._node.meet(situation)
        self.discard()
        return psycopg.OperationalError("server closed the connection unexpectedly")

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        rows = await super().fetch_all(sql, params)
        if not rows and "FROM leadership" in sql:
            self._node.meet("writes refused by the fence")
        return rows

    async def lock(self, keys: LockKeys) -> None:
        try:
            await super().lock(keys)
        except MoreLocks:
            self._node.meet("groups run again with more locks")
            raise


class SimulatedConnection(WritingConnection):
    """The connection of the daemon's store, which looks after itself less often: idle time is dear here."""

    async def keep_connected(self) -> None:
        while True:
            await trio.sleep(CHECK_CONNECTION_EVERY_S)
            await self._check()


class SimulatedCoordination(PostgresqlCoordination):
    """The daemon's own heartbeats over an inline connection; its news go through the simulation's memory."""

    _factory: InlineConnectionFactory

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        if self._session is not None and self._session.is_open:
            _show_time(self._session.connection)
        return await super().fetch_all(sql, params)

    async def send_news(self, text: str) -> None:
        node = self._factory.node
        await trio.lowlevel.checkpoint()
        if (why := node.why_no_news()) is not None:
            raise NotDurable(why)
        node.meet("news")
        node.database.news.send(text)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[SimulatedListener]:  # type: ignore[override] # a listener, too
        node = self._factory.node
        if (why := node.why_no_news()) is not None:
            raise NotDurable(why)
        with node.database.news.listening(node.why_no_news) as listener:
            yield listener


def _show_time(connection: TrioConnection) -> None:
    if isinstance(connection, BlockingConnection):
        connection.show_time()


class InlinePostgresqlDriver(PostgresqlDriver):
    """The daemon's driver over inline connections; `step` is called at each storage step of its writer."""

    def __init__(self, node: SimulatedNode, step: StorageStep) -> None:
        self._node = node
        self._step = step

    async def open(
        self, location: PostgresqlLocation, *, read_only: bool
    ) -> WritingConnection | ReadingConnections:
        factory = self._factory(location)
        if read_only:
            return ReadingConnections(replace(factory, settings=READER_SETTINGS))
        try:
            connection = await factory.connect()
        except Unreachable as failure:
            raise StoreRefused(f"cannot reach the database {location}: {failure}") from failure
        ((writer_id,),) = await SqlSession(connection).fetch_all(
            "SELECT set_config('missedd.writer', nextval('writer_ids')::text, false)"
        )
        of_writer = replace(factory, settings={"missedd.writer": writer_id})
        return SimulatedConnection(
            SimulatedWritingDatabase(of_writer, connection, int(writer_id), self._step)
        )

    def coordination(self, location: PostgresqlLocation) -> SimulatedCoordination:
        return SimulatedCoordination(self._factory(location))

    async def prepare(self, location: PostgresqlLocation, account_sid: str | None) -> tuple[int, int]:
        try:
            connection = await self._factory(location).connect()
        except Unreachable as failure:
            raise StoreRefused(f"cannot reach the database {location}: {failure}") from failure
        try:
            return await prepare_database(SqlSession(connection), account_sid)
        finally:
            connection.discard()

    def _factory(self, location: PostgresqlLocation) -> InlineConnectionFactory:
        return InlineConnectionFactory(location, node=self._node)


def connect_aside(location: PostgresqlLocation) -> BlockingConnection:
    """A connection of the simulation itself, which no fault touches."""
    connection = BlockingConnection.connect_at_once(make_conninfo(location.url, client_encoding="utf-8"))
    database = SimulatedDatabase(lambda: EPOCH, Random(0))  # noqa: S311 - it is never asked
    connection.node = SimulatedNode(0, database)
    return connection
