"""One connection as units of work see it: the store's SQL, in which parameters are `?`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import pq

from missedd.store.db.database import Row
from missedd.store.postgresql.sql_text import copy_statement, numbered
from missedd.store.postgresql.statements import Statements
from missedd.store.postgresql.trio_connection import TrioConnection

COPY_FROM: Final = 8
"""Rows from which a plain INSERT is a COPY. For fewer ones its second round trip costs more than it saves."""

VALUE_ERRORS: Final[tuple[type[Any], ...]] = (psycopg.DataError, psycopg.IntegrityError)
"""Errors about the values of a statement: the transaction is undone, and the connection is in order."""


class SqlSession:
    """Statements on one connection; each is its own transaction unless one was begun.

    Raises psycopg's errors. After one that is not about the values (`VALUE_ERRORS`) the connection is closed,
    since nobody knows what it would do next.
    """

    def __init__(self, connection: TrioConnection) -> None:
        self.use(connection)

    def use(self, connection: TrioConnection) -> None:
        """Go on with this connection instead of the one before."""
        self.connection = connection
        self._statements = Statements(connection)

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        return await self._run(sql, params)

    async def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        await self._run(sql, params)

    async def executemany(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if len(rows) == 1:
            await self._run(sql, rows[0])
        elif (copy := copy_statement(sql)) is not None and len(rows) >= COPY_FROM:
            try:
                await self._statements.copy(copy, rows)
            except psycopg.Error as failure:
                raise self._failed(failure) from None
        elif rows:
            await self._run_for_each(sql, rows)

    async def command(self, sql: str) -> str:
        """Run statements without parameters, which are not prepared; returns what the server did.

        It is the first one's command tag, for example `BEGIN`.
        """
        try:
            first, *_ = await self._statements.script(sql)
        except psycopg.Error as failure:
            raise self._failed(failure) from None
        return (first.command_status or b"").decode()

    async def run_script(self, sql: str, index: int) -> list[Row]:
        """Run statements without parameters in one round trip; returns the rows of one, counted from 0.

        The statements are separated by semicolons.
        """
        try:
            answers = await self._statements.script(sql)
            return self._statements.rows_of_script(answers[index])
        except psycopg.Error as failure:
            raise self._failed(failure) from None

    @property
    def is_open(self) -> bool:
        return self.connection.pgconn.status == pq.ConnStatus.OK

    def discard(self) -> None:
        self.connection.discard()

    async def _run(self, sql: str, params: Sequence[object]) -> list[Row]:
        try:
            return await self._statements.run(numbered(sql), params)
        except psycopg.Error as failure:
            raise self._failed(failure) from None

    async def _run_for_each(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        is_done = False
        try:
            await self._statements.run_for_each(numbered(sql), rows)
            is_done = True
        except psycopg.Error as failure:
            raise self._failed(failure) from None
        finally:
            if not is_done:
                self.discard()  # answers of statements behind the failed one would be taken for others'

    def _failed(self, failure: psycopg.Error) -> psycopg.Error:
        if not isinstance(failure, VALUE_ERRORS):
            self.discard()
        return failure.with_traceback(None)
