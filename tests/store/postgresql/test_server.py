"""The server for tests works, and sorts by the rules of a language as many servers of operators do."""

from __future__ import annotations

from tests.postgresql_server import PostgresqlServer


def test_databases_of_the_server_are_apart_and_sort_by_language(postgresql_server: PostgresqlServer) -> None:
    first = postgresql_server.fresh_database(migrated=False)
    second = postgresql_server.fresh_database(migrated=False)
    try:
        with first.connect() as connection:
            connection.execute("CREATE TABLE there (id bigint)")
            assert connection.execute("SELECT 'b' < 'A'").fetchall() == [(False,)]
        with second.connect() as connection:
            assert connection.execute("SELECT to_regclass('there')").fetchall() == [(None,)]
    finally:
        first.drop()
        second.drop()
