"""SQLite's functions give in PostgreSQL what they give in SQLite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.postgresql_server import PostgresqlDatabase

SAME = (
    """SELECT value FROM json_each('["a","9"]')""",
    "SELECT iif(1 = 1, 'a', 'b'), iif(1 = NULL, NULL, 3), iif(1 = 2, 1, NULL)",
    "SELECT max(1, 2), max(2, 1), max(1, NULL), min(1, 2), min(2, 1), min(NULL, 1)",
    """SELECT '{"a":"x","b":7,"c":null}' ->> 'a', '{"a":"x"}' ->> '$.a', '{"b":"x"}' ->> 'a'""",
    """SELECT value ->> 0, CAST(value ->> 1 AS BIGINT), value ->> 2 FROM json_each('[["x",5]]')""",
    "SELECT 1 FROM (SELECT '+91' AS number) a WHERE +number = '+91'",
    "SELECT rtrim('+232*', '*'), rtrim('+232', '*')",
)
SAME_JSON = (
    """SELECT json_set('{"a":1}', '$.b', 'it''s "x"')""",
    """SELECT json_set('{"a":"x"}', '$.a', 'y')""",
    """SELECT json_remove('{"a":1,"b":"x","c":null}', '$.a', '$.c', '$.d')""",
    """SELECT json_remove('{"a":1}', '$.a')""",
)


@pytest.mark.parametrize("sql", SAME)
def test_a_function_gives_what_sqlite_gives(postgresql_database: PostgresqlDatabase, sql: str) -> None:
    with closing(sqlite3.connect(":memory:")) as sqlite, postgresql_database.connect() as postgresql:
        assert postgresql.execute(sql.encode()).fetchall() == sqlite.execute(sql).fetchall()


@pytest.mark.parametrize("sql", SAME_JSON)
def test_a_function_gives_the_json_that_sqlite_gives(
    postgresql_database: PostgresqlDatabase, sql: str
) -> None:
    with closing(sqlite3.connect(":memory:")) as sqlite, postgresql_database.connect() as postgresql:
        (theirs,) = postgresql.execute(sql.encode()).fetchone() or ()
        (ours,) = sqlite.execute(sql).fetchone()
        assert json.loads(theirs) == json.loads(ours)
        assert (theirs == "{}") == (ours == "{}")


def test_the_databases_time_can_be_set_for_a_session(postgresql_database: PostgresqlDatabase) -> None:
    with postgresql_database.connect() as connection:
        clock = connection.execute(
            "SELECT abs(db_now_us() - extract(epoch FROM clock_timestamp()) * 1000000) < 60000000"
        )
        assert clock.fetchall() == [(True,)]
        connection.execute("SELECT set_config('missedd.now_us', '1800000000000001', false)")
        assert connection.execute("SELECT db_now_us()").fetchall() == [(1800000000000001,)]
