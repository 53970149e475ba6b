"""SQLite's texts in PostgreSQL's spelling."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.store.postgresql.sql_text import copy_statement, numbered


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT 1", "SELECT 1"),
        ("SELECT a FROM t WHERE b = ? AND c IN (?, ?)", "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3)"),
        ("UPDATE t SET a = ?2 WHERE b = ?1 OR c = ?1", "UPDATE t SET a = $2 WHERE b = $1 OR c = $1"),
        ("SELECT ?3, ?, ?1, ?", "SELECT $3, $4, $1, $5"),
        ("SELECT ? FROM t WHERE a = '?' OR b = 'it''s ?'", "SELECT $1 FROM t WHERE a = '?' OR b = 'it''s ?'"),
        ('SELECT "?" FROM t WHERE a = ?', 'SELECT "?" FROM t WHERE a = $1'),
        ("SELECT ? -- isn't it?\n, ?", "SELECT $1 -- isn't it?\n, $2"),
        ("SELECT ? /* don't\n? */ , ?", "SELECT $1 /* don't\n? */ , $2"),
        ("SELECT ? WHERE a LIKE '%?%' AND b < ?", "SELECT $1 WHERE a LIKE '%?%' AND b < $2"),
    ],
)
def test_parameters_are_numbered(sql: str, expected: str) -> None:
    assert numbered(sql) == expected


_PIECES = st.sampled_from(["?", "?2", "?4", "'?'", "'it''s'", '"?"', "/* ?' */ 7", "1 -- ?'\n"])


@given(st.lists(_PIECES, min_size=1, max_size=8))
def test_numbers_are_those_that_sqlite_gives(pieces: list[str]) -> None:
    """SQLite takes `?NNN` too: both texts, bound to the same values, give the same row."""
    sql = "SELECT " + ", ".join(pieces).replace('"?"', "'a name'")
    values = tuple(range(100, 120))
    connection = sqlite3.connect(":memory:")
    highest = max((int(part) for part in _numbers(numbered(sql))), default=0)
    row = connection.execute(sql, values[:highest]).fetchone()
    assert connection.execute(numbered(sql).replace("$", "?"), values[:highest]).fetchone() == row
    connection.close()


def _numbers(sql: str) -> list[str]:
    return [part.split(",")[0].split()[0] for part in sql.split("$")[1:]]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("INSERT INTO t (a, b) VALUES (?, ?)", "COPY t (a, b) FROM STDIN"),
        ("\n  INSERT INTO t\n  (a,\n  b)\n  VALUES (?, ?)\n", "COPY t (a, b) FROM STDIN"),
        ("insert into t (a) values ( ? )", "COPY t (a) FROM STDIN"),
        ("INSERT INTO t (a, b) VALUES (?, 1)", None),
        ("INSERT INTO t (a, b) VALUES (?1, ?1)", None),
        ("INSERT INTO t (a) VALUES (?) ON CONFLICT DO NOTHING", None),
        ("INSERT INTO t (a) VALUES (?) RETURNING a", None),
        ("INSERT INTO t (a) SELECT ?", None),
        ("INSERT INTO t VALUES (?)", None),
        ("INSERT OR REPLACE INTO t (a) VALUES (?)", None),
        ("UPDATE t SET a = ?", None),
    ],
)
def test_only_plain_inserts_become_copies(sql: str, expected: str | None) -> None:
    assert copy_statement(sql) == expected
