"""Runs statements by libpq's own calls, on a connection whose waiting is trio's.

psycopg's cursors do the same with three times as much Python for each statement. That is most of what a
node pays for a small statement, since the rows themselves are read and written in C.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg import pq
from psycopg._copy_base import format_row_text
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.generators import copy_end, copy_to, execute, fetch_many, pipeline_communicate
from psycopg.pq.abc import PGresult

from missedd.store.db.database import Row
from missedd.store.postgresql.trio_connection import TrioConnection

MAX_PREPARED: Final = 1000
"""Prepared statements of a connection. A text needs one for each choice of its parameters that are null."""

ROWS_IN_FLIGHT: Final = 200
"""Rows that are sent before their answers are read, so that neither side waits with a full buffer."""

COPY_BLOCK_BYTES: Final = 1 << 20

_BINARY, _TEXT = pq.Format.BINARY, pq.Format.TEXT
_DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)


class Statements:
    """The statements of one connection, for one trio task at a time; raises psycopg's errors."""

    def __init__(self, connection: TrioConnection) -> None:
        self._connection = connection
        self._pgconn = connection.pgconn
        self._values = Transformer(connection)
        self._names = connection.statement_names

    async def run(self, sql: str, params: Sequence[object]) -> list[Row]:
        """Run one statement, which is prepared when it is run for the first time; parameters are `$1`."""
        values, types, formats = self._bound(params)
        name = self._names.get((sql, types))
        if name is None and len(self._names) < MAX_PREPARED:
            name = self._new_name()
            self._pgconn.send_prepare(name, sql.encode(), param_types=types)
            await self._answers()
            self._names[sql, types] = name
        if name is None:
            self._pgconn.send_query_params(
                sql.encode(), values, param_types=types, param_formats=formats, result_format=_BINARY
            )
        else:
            self._pgconn.send_query_prepared(name, values, param_formats=formats, result_format=_BINARY)
        (answer,) = await self._answers()
        return self._rows(answer)

    async def run_for_each(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """Run one statement for each row, without waiting for one answer before the next is sent.

        After an error the connection is not fit for use any more.
        """
        for first in range(0, len(rows), ROWS_IN_FLIGHT):
            await self._pipeline(sql, rows[first : first + ROWS_IN_FLIGHT])

    async def copy(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """Run a `COPY … FROM STDIN` with the rows. A value that cannot be sent is found before it begins."""
        data = bytearray()
        for row in rows:
            format_row_text(row, self._values, data)
        self._pgconn.send_query(statement.encode())
        (answer,) = await self._connection.wait(execute(self._pgconn))
        if answer.status != pq.ExecStatus.COPY_IN:
            raise error_from_result(answer)
        for first in range(0, len(data), COPY_BLOCK_BYTES):
            await self._connection.wait(copy_to(self._pgconn, data[first : first + COPY_BLOCK_BYTES]))
        await self._connection.wait(copy_end(self._pgconn, None))

    async def script(self, sql: str) -> list[PGresult]:
        """Run statements without parameters, separated by semicolons, in one round trip."""
        self._pgconn.send_query(sql.encode())
        return await self._answers()

    def rows_of_script(self, answer: PGresult) -> list[Row]:
        """The rows of one statement of a script."""
        return self._rows(answer)

    def _bound(self, params: Sequence[object]) -> tuple[Sequence[Any], tuple[int, ...], Sequence[pq.Format]]:
        values = self._values.dump_sequence(params, [PyFormat.AUTO] * len(params))
        return values, self._values.types or (), self._values.formats or ()

    def _new_name(self) -> bytes:
        return f"s{len(self._names)}".encode()

    def _rows(self, answer: PGresult) -> list[Row]:
        if not answer.ntuples:
            return []
        self._values.set_pgresult(answer)
        return self._values.load_rows(0, answer.ntuples, tuple)

    async def _answers(self) -> list[PGresult]:
        answers: list[PGresult] = await self._connection.wait(execute(self._pgconn))
        for answer in answers:
            _check(answer)
        return answers

    async def _pipeline(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        self._pgconn.enter_pipeline_mode()
        expected = 1  # the end of the pipeline
        for row in rows:
            values, types, formats = self._bound(row)
            name = self._names.get((sql, types))
            if name is None:
                name = self._names[sql, types] = self._new_name()
                self._pgconn.send_prepare(name, sql.encode(), param_types=types)
                expected += 1
            self._pgconn.send_query_prepared(name, values, param_formats=formats, result_format=_BINARY)
            expected += 1
        self._pgconn.pipeline_sync()
        answers = await self._connection.wait(pipeline_communicate(self._pgconn, deque()))
        while len(answers) < expected:
            answers.append(await self._connection.wait(fetch_many(self._pgconn)))
        for (answer,) in answers[:-1]:
            _check(answer)
        self._pgconn.exit_pipeline_mode()


def _check(answer: PGresult) -> None:
    if answer.status not in _DONE and answer.status != pq.ExecStatus.EMPTY_QUERY:
        if answer.status == pq.ExecStatus.FATAL_ERROR:
            raise error_from_result(answer)
        raise psycopg.InternalError(f"the server answered {pq.ExecStatus(answer.status).name}")
