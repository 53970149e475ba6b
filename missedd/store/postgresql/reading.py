"""The reading connections: two of them, each unit on one snapshot that never waits for a writer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
import trio

from missedd.store.db.database import NotDurable, StoreRefused, UnitOfWork
from missedd.store.db.error_text import first_line
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.db.write_counts import WriteCounts
from missedd.store.postgresql.connecting import ConnectionFactory
from missedd.store.postgresql.postgresql_engine import POSTGRESQL
from missedd.store.postgresql.sql_session import SqlSession
from missedd.store.postgresql.trio_connection import NoAnswer

MAX_READERS: Final = 2
"""Connections of a daemon. A page of the console that reads for long leaves one for the others."""

STATEMENT_LIMIT_S: Final = 20
"""How long the server works on one statement. A long snapshot keeps VACUUM from removing old rows."""

ANSWER_LIMIT_S: Final = STATEMENT_LIMIT_S + 5.0

READER_SETTINGS: Final = {"statement_timeout": STATEMENT_LIMIT_S * 1000}

_BEGIN: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


class ReadingDatabase(SqlSession):
    """A `Database` for units that only read."""

    engine = POSTGRESQL

    async def lock(self, keys: LockKeys) -> None:
        """A reading unit sees one snapshot, and changes nothing."""


class ReadingConnections:
    """A `DatabaseConnection` that only reads. Each unit has a connection of its own while it runs."""

    outage: str | None = None
    counts = WriteCounts()

    def __init__(self, factory: ConnectionFactory) -> None:
        self._factory = factory
        self._idle: list[ReadingDatabase] = []
        self._places = trio.Semaphore(MAX_READERS)

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        """Run the unit on one consistent snapshot; raises `NotDurable` if the database cannot be reached."""
        async with self._places:
            try:
                database = await self._begun()
                try:
                    result = await unit(database)
                    await database.command("COMMIT")
                    self._idle.append(database)
                except BaseException:
                    database.discard()
                    raise
            except psycopg.OperationalError as failure:
                raise NotDurable(f"the database cannot be read: {first_line(failure)}") from failure
        return result

    async def write(
        self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False, locks: LockKeys = EVERYTHING
    ) -> list[Any]:
        raise StoreRefused("this connection only reads")

    async def close(self) -> None:
        while self._idle:
            self._idle.pop().discard()

    async def _begun(self) -> ReadingDatabase:
        """A connection with an open snapshot: one that idled, or a new one if it broke meanwhile."""
        while self._idle:
            database = self._idle.pop()
            try:
                await database.command(_BEGIN)
            except NoAnswer:
                raise
            except psycopg.OperationalError:
                continue
            return database
        connection = await self._factory.connect()
        connection.answer_limit_s = ANSWER_LIMIT_S
        database = ReadingDatabase(connection)
        await database.command(_BEGIN)
        return database
