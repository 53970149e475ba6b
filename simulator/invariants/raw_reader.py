"""Reads the raw tables of a run's database, through a connection that no fault of the run touches."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from missedd.config.store_location import PostgresqlLocation, StoreLocation
from missedd.store.postgresql.sql_session import SqlSession
from missedd.store.sqlite.inline_driver import InlineConnection, InlineDriver
from simulator.harness.cluster.inline_postgresql import connect_aside
from simulator.harness.daemon_cluster import DaemonCluster


class RawReader(Protocol):
    async def rows(self, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]: ...

    async def has_schema(self) -> bool: ...

    async def close(self) -> None: ...


async def open_raw_reader(store: StoreLocation, daemons: DaemonCluster) -> RawReader:
    """Open the database of a run; a SQLite file is created if no daemon has done so."""
    if isinstance(store, PostgresqlLocation):
        return _PostgresqlReader(SqlSession(connect_aside(store)))
    driver = InlineDriver(opened=daemons.hosts[0].disk.connections)
    return _SqliteReader(await driver.open(Path(store), read_only=True))


class _SqliteReader:
    def __init__(self, connection: InlineConnection) -> None:
        self._connection = connection

    async def rows(self, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        return await self._connection.read(lambda db: db.fetch_all(sql, params))

    async def has_schema(self) -> bool:
        return bool(await self.rows("SELECT 1 FROM sqlite_schema WHERE name = 'actions'", ()))

    async def close(self) -> None:
        await self._connection.close()


class _PostgresqlReader:
    def __init__(self, session: SqlSession) -> None:
        self._session = session

    async def rows(self, sql: str, params: Sequence[object]) -> list[tuple[Any, ...]]:
        found = await self._session.fetch_all(sql, params)
        return [tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in found]

    async def has_schema(self) -> bool:
        return bool(await self.rows("SELECT 1 WHERE to_regclass('actions') IS NOT NULL", ()))

    async def close(self) -> None:
        self._session.discard()
