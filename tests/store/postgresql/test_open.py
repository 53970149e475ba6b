"""Opening a store on PostgreSQL, and what is refused with a way out."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import trio

from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.database import Database, NewerSchema, StoreRefused
from missedd.store.postgresql import migrate, preparing
from missedd.store.store import check_openable, driver_for, open_reader, open_store
from tests.postgresql_server import PostgresqlDatabase, PostgresqlServer

PASSWORD = "s3cret-of-the-database"


@pytest.fixture
def empty(postgresql_server: PostgresqlServer) -> Iterator[PostgresqlDatabase]:
    database = postgresql_server.fresh_database(migrated=False)
    yield database
    database.drop()


async def open_once(location: PostgresqlLocation, account_sid: str | None = None) -> int:
    """Open a store, and return the schema's version."""
    async with (
        driver_for(location) as driver,
        open_store(driver, location, "a test", account_sid=account_sid) as store,
    ):
        return await store.read(lambda db: db.engine.schema_version(db))


async def refusal(location: PostgresqlLocation, account_sid: str | None = None) -> str:
    """The refusal of a start; `missedd check` says the same, and neither names the password."""
    async with driver_for(location) as driver:
        with pytest.raises(StoreRefused) as refused:
            async with open_store(driver, location, "a test", account_sid=account_sid):
                pass
        with pytest.raises(StoreRefused) as checked:
            await check_openable(driver, location, account_sid)
    assert str(checked.value) == str(refused.value)
    failure: BaseException | None = refused.value
    while failure is not None:
        assert PASSWORD not in f"{failure} {failure!r}"
        failure = failure.__cause__ or failure.__context__
    return str(refused.value)


def location_of(database: PostgresqlDatabase, user: str = "postgres") -> PostgresqlLocation:
    return PostgresqlLocation(database.url.replace("postgres@", f"{user}@"), PASSWORD)


async def test_daemons_that_start_at_once_on_an_empty_database_create_the_schema_once(
    empty: PostgresqlDatabase,
) -> None:
    versions: list[int] = []

    async def start() -> None:
        versions.append(await open_once(location_of(empty), "account1"))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(start)
    assert versions == [migrate.LATEST_VERSION] * 5
    with empty.connect() as connection:
        assert connection.execute("SELECT account_sid FROM database_account").fetchall() == [("account1",)]


async def test_what_was_written_is_read_by_the_next_daemon_and_by_commands(empty: PostgresqlDatabase) -> None:
    location = location_of(empty)

    async def insert(db: Database) -> None:
        await db.execute(
            "INSERT INTO audit (at, source, deed, subject) VALUES (?, ?, ?, ?)", (1, "a test", "tried", "it")
        )

    async with driver_for(location) as driver, open_store(driver, location, "a test") as store:
        await store.write(insert)
        assert await store.read(lambda db: db.fetch_all("SELECT count(*) FROM audit")) == [(1,)]
        async with open_reader(driver, location) as reader:
            assert await reader.read(lambda db: db.fetch_all("SELECT source FROM audit")) == [("a test",)]


async def test_a_command_is_told_that_there_is_nothing_to_read(empty: PostgresqlDatabase) -> None:
    location = location_of(empty)
    async with driver_for(location) as driver:
        with pytest.raises(StoreRefused, match="no tables of missedd"):
            async with open_reader(driver, location):
                pass


async def test_another_account_s_database_is_refused(postgresql_database: PostgresqlDatabase) -> None:
    location = location_of(postgresql_database)
    await open_once(location, "account1")
    await open_once(location, "account1")
    assert "belongs to the account account1, and exotel.account_sid is account2" in await refusal(
        location, "account2"
    )


async def test_another_program_s_tables_are_refused(empty: PostgresqlDatabase) -> None:
    with empty.connect() as connection:
        connection.execute("CREATE TABLE guests (id bigint)")
    assert "belongs to another program: it has the table guests" in await refusal(location_of(empty))


async def test_a_newer_schema_is_served_while_it_says_so(
    postgresql_database: PostgresqlDatabase,
) -> None:
    location = location_of(postgresql_database)
    newest = await open_once(location)
    with postgresql_database.connect() as connection:
        connection.execute("UPDATE schema_version SET version = version + 1")
        assert await open_once(location) == newest + 1
        connection.execute("UPDATE schema_version SET oldest_reader = version")
    assert f"knows only version {newest}" in await refusal(location)
    async with driver_for(location) as driver:
        with pytest.raises(NewerSchema):
            async with open_reader(driver, location):
                pass


async def test_an_older_schema_is_upgraded_by_a_daemon_only(
    empty: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = location_of(empty)
    whole = migrate._FILES
    with monkeypatch.context() as older:
        older.setattr(migrate, "_FILES", whole[:-1])
        older.setattr(migrate, "LATEST_VERSION", len(whole) - 1)
        await open_once(location)
    async with driver_for(location) as driver:
        with pytest.raises(StoreRefused, match="start its daemon once"):
            async with open_reader(driver, location):
                pass
        async with open_store(driver, location, "a test") as store:
            result = store.upgrade_result
    assert result is not None
    assert (result.from_version, result.to_version, result.copy) == (len(whole) - 1, len(whole), None)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [("-- oldest reader: 3\n", 3), ("", 7), ("-- about the oldest reader: 3\n", 7)],
)
def test_a_migration_states_which_release_may_go_on_serving(stated: str, expected: int) -> None:
    assert f"greatest(oldest_reader, {expected})" in migrate._version_statements(7, f"{stated}SELECT 1;")


async def test_a_server_that_is_too_old_is_refused(
    postgresql_database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "OLDEST_SERVER", 99)
    assert "missedd needs 99 or newer" in await refusal(location_of(postgresql_database))


async def test_another_encoding_is_refused(postgresql_server: PostgresqlServer) -> None:
    with psycopg.connect(postgresql_server.conninfo(), autocommit=True) as connection:
        connection.execute(
            "CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER libc"
        )
        try:
            location = PostgresqlLocation(postgresql_server.url("latin"))
            assert "stores text as LATIN1, and missedd needs UTF8" in await refusal(location)
        finally:
            connection.execute("DROP DATABASE latin WITH (FORCE)")


@contextmanager
def role(database: PostgresqlDatabase, name: str, options: str = "") -> Iterator[None]:
    with database.connect() as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN {options}")
        try:
            yield
        finally:
            connection.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


async def test_a_missing_right_is_named(
    empty: PostgresqlDatabase, postgresql_database: PostgresqlDatabase
) -> None:
    with role(empty, "guest"):
        assert "GRANT CREATE, USAGE ON SCHEMA public TO guest" in await refusal(location_of(empty, "guest"))
        await open_once(location_of(postgresql_database))
        with postgresql_database.connect() as connection:
            connection.execute("GRANT SELECT ON schema_version, database_account TO guest")
            said = await refusal(location_of(postgresql_database, "guest"))
            connection.execute("DROP OWNED BY guest")
    assert "guest has no DELETE on the table actions" in said


async def test_a_database_for_reading_only_is_refused(postgresql_database: PostgresqlDatabase) -> None:
    with role(postgresql_database, "reader"), postgresql_database.connect() as connection:
        connection.execute("ALTER ROLE reader SET default_transaction_read_only = on")
        said = await refusal(location_of(postgresql_database, "reader"))
    assert "session is read-only; name the primary's host" in said


async def test_an_unreachable_server_is_refused_with_each_host_s_reason() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and nobody listens
        port = taken.getsockname()[1]
        url = f"postgresql://missedd@127.0.0.1:{port},nowhere.invalid:{port}/missedd"
        said = await refusal(PostgresqlLocation(url, PASSWORD))
    assert f"127.0.0.1:{port}: Connection refused" in said
    assert f"nowhere.invalid:{port}:" in said


async def test_a_silent_server_is_refused_within_fifteen_seconds(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: trio.testing.MockClock
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # the kernel accepts, and nobody answers
        location = PostgresqlLocation(f"postgresql://missedd@127.0.0.1:{silent.getsockname()[1]}/missedd")
        async with driver_for(location) as driver:
            began_s = trio.current_time()
            with pytest.raises(StoreRefused, match="no answer for 10 s"):
                async with open_store(driver, location, "a test"):
                    pass
    assert trio.current_time() - began_s < 15


async def test_a_missing_database_and_role_are_refused_with_a_way_out(
    postgresql_server: PostgresqlServer, postgresql_database: PostgresqlDatabase
) -> None:
    missing = PostgresqlLocation(postgresql_server.url("nowhere"), PASSWORD)
    assert 'database "nowhere" does not exist; create it' in await refusal(missing)
    assert 'role "nobody" does not exist' in await refusal(location_of(postgresql_database, "nobody"))
