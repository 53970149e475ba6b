"""Values go to PostgreSQL and come back as they do with SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import psycopg
import pytest

from missedd.store.db.database import Database, NotDurable
from missedd.store.postgresql.sql_session import COPY_FROM
from missedd.store.postgresql.writing import WritingConnection
from tests.postgresql_server import PostgresqlDatabase

ODD_TEXTS = [
    "a\tb",
    "a\nb\r\nc",
    "back\\slash, \\N, \\., \\t",
    "\\.",
    "\\N",
    "",
    " ",
    "'; DROP TABLE calls; --",
    "नमस्ते 😀",
    '{"a": "\\u0000"}',
    "\x01\x7f",
]


class Colour(StrEnum):
    RED = "red"


async def written(writing: WritingConnection, unit: Any) -> Any:
    (result,) = await writing.write([unit])
    if isinstance(result, BaseException):
        raise result
    return result


@pytest.mark.parametrize(
    ("sql", "params", "expected"),
    [
        ("SELECT ?, ?, ?, ?", (1, -(2**63), 2**63 - 1, None), (1, -(2**63), 2**63 - 1, None)),
        ("SELECT ?, ?", (True, False), (1, 0)),
        ("SELECT ?, ?", (Colour.RED, "x"), ("red", "x")),
        ("SELECT ?, ?", (b"\x00\xff", 1.5), (b"\x00\xff", 1.5)),
        ("SELECT 1 = 1, 1 = 2", (), (1, 0)),
        ("SELECT sum(n), avg(n), count(*) FROM (VALUES (2), (4)) v (n)", (), (6, 3.0, 2)),
        ("SELECT sum(CAST(n AS bigint)), avg(n) FROM (VALUES (-2), (-5)) v (n)", (), (-7, -3.5)),
        ("SELECT json_build_object('a', CAST(? AS text))", ("b",), ('{"a" : "b"}',)),
    ],
)
async def test_values_are_bound_and_read_as_with_sqlite(
    writing: WritingConnection, sql: str, params: Sequence[object], expected: tuple[object, ...]
) -> None:
    (row,) = await writing.read(lambda db: db.fetch_all(sql, params))
    assert row == expected
    assert [type(value) for value in row] == [type(value) for value in expected]


@pytest.mark.parametrize("count", [1, COPY_FROM - 1, COPY_FROM, 200])
async def test_rows_are_inserted_whatever_their_texts(
    writing: WritingConnection, postgresql_database: PostgresqlDatabase, count: int
) -> None:
    rows = [(index, ODD_TEXTS[index % len(ODD_TEXTS)], None if index % 2 else True) for index in range(count)]

    async def insert(db: Database) -> None:
        await db.executemany("INSERT INTO odd (id, words, flag) VALUES (?, ?, ?)", rows)

    with postgresql_database.connect() as connection:
        connection.execute("CREATE TABLE odd (id bigint, words text, flag bigint)")
        await written(writing, insert)
        stored = connection.execute("SELECT id, words, flag FROM odd ORDER BY id").fetchall()
    assert stored == [(index, words, None if flag is None else 1) for index, words, flag in rows]


@pytest.mark.parametrize("count", [1, 2, COPY_FROM])
async def test_a_nul_fails_its_unit_alone(
    writing: WritingConnection, postgresql_database: PostgresqlDatabase, count: int
) -> None:
    async def bad(db: Database) -> None:
        await db.executemany("INSERT INTO odd (words) VALUES (?)", [("a\0b",)] * count)

    async def good(db: Database) -> None:
        await db.execute("INSERT INTO odd (words) VALUES (?)", ("good",))

    with postgresql_database.connect() as connection:
        connection.execute("CREATE TABLE odd (words text)")
        first, second, third = await writing.write([good, bad, good])
        assert connection.execute("SELECT words FROM odd").fetchall() == [("good",), ("good",)]
    assert (first, third) == (None, None)
    assert isinstance(second, psycopg.DataError)
    assert "NUL" in str(second)


async def test_a_number_beyond_64_bits_fails_its_unit_alone(writing: WritingConnection) -> None:
    async def bad(db: Database) -> None:
        await db.execute("SELECT ?", (2**63,))

    async def good(db: Database) -> list[Any]:
        return await db.fetch_all("SELECT ?", (1,))

    first, second = await writing.write([bad, good])
    assert isinstance(first, OverflowError)
    assert second == [(1,)]


async def test_a_mistake_in_a_text_is_reported_as_not_durable(writing: WritingConnection) -> None:
    with pytest.raises(NotDurable, match='relation "nowhere" does not exist'):
        await writing.write([lambda db: db.execute("SELECT 1 FROM nowhere")])
    assert await writing.read(lambda db: db.fetch_all("SELECT 1")) == [(1,)]
