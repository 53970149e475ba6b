"""One connection as units of work see it: the store's SQL, in which parameters are `?`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import pq

from missedd.store.db.database import Row
from missedd.store.postgresql.sql_text import copy_statement, numbered
from missedd.store.postgresql.trio_connection import TrioConnection

COPY_FROM: Final = 8
"""Rows from which a plain INSERT is a COPY. For fewer ones its second round trip costs more than it saves."""


class SqlSession:
    """Statements on one connection; each is its own transaction unless one was begun.

    Raises psycopg's errors. After one that is not about the values (`DataError`, `IntegrityError`) the
    connection is closed, since nobody knows what it would do next.
    """

    def __init__(self, connection: TrioConnection) -> None:
        self.connection = connection

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        cursor = self._cursor()
        try:
            await cursor.execute(numbered(sql), params, prepare=True)
            return await cursor.fetchall()
        except psycopg.Error as failure:
            raise self._failed(failure) from None

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        try:
            await self._cursor().execute(numbered(sql), params, prepare=True)
        except psycopg.Error as failure:
            raise self._failed(failure) from None

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if not rows:
            return
        copy = copy_statement(sql) if len(rows) >= COPY_FROM else None
        try:
            if copy is not None:
                await self._copy(copy, rows)
            elif len(rows) == 1:
                await self._cursor().execute(numbered(sql), rows[0], prepare=True)
            else:
                await self._cursor().executemany(numbered(sql), rows)
        except psycopg.Error as failure:
            raise self._failed(failure) from None

    async def command(self, sql: str) -> str:
        """Run statements without parameters, which are not prepared; returns what the server did.

        It is the first one's command tag, for example `BEGIN`.
        """
        cursor = psycopg.AsyncRawCursor(self.connection)
        try:
            await cursor.execute(sql, prepare=False)
        except psycopg.Error as failure:
            raise self._failed(failure) from None
        return cursor.statusmessage or ""

    async def run_script(self, sql: str, index: int) -> list[Row]:
        """Run statements without parameters in one round trip; returns the rows of one, counted from 0.

        The statements are separated by semicolons.
        """
        cursor = psycopg.AsyncRawCursor(self.connection)
        try:
            await cursor.execute(sql, prepare=False)
            await cursor.set_result(index)
            return await cursor.fetchall()
        except psycopg.Error as failure:
            raise self._failed(failure) from None

    @property
    def is_open(self) -> bool:
        return self.connection.pgconn.status == pq.ConnStatus.OK

    def discard(self) -> None:
        self.connection.discard()

    async def _copy(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        async with psycopg.AsyncCursor(self.connection).copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)

    def _cursor(self) -> psycopg.AsyncRawCursor[Row]:
        cursor = psycopg.AsyncRawCursor(self.connection)
        cursor.format = pq.Format.BINARY
        return cursor

    def _failed(self, failure: psycopg.Error) -> psycopg.Error:
        if not isinstance(failure, VALUE_ERRORS):
            self.discard()
        return failure.with_traceback(None)


VALUE_ERRORS: Final[tuple[type[Any], ...]] = (psycopg.DataError, psycopg.IntegrityError)
"""Errors about the values of a statement: the transaction is undone, and the connection is in order."""
