"""A server goes away: nothing is guessed about a COMMIT, nobody waits for long, and everything resumes."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.database import Database, NotDurable, UnitOfWork
from missedd.store.db.lock_keys import LockKeys
from missedd.store.postgresql import writing as writing_module
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.postgresql.trio_connection import TrioConnection
from missedd.store.postgresql.writing import WritingConnection
from missedd.store.store import Store, driver_for, open_store
from tests.postgresql_server import PostgresqlDatabase, PostgresqlServer, find_binaries, start_server
from tests.store.postgresql.proxy import Fault, Proxy, proxy_to

KEYS = LockKeys.of("+919812345678")


def add(words: str) -> UnitOfWork[str]:
    async def unit(db: Database) -> str:
        await db.execute("INSERT INTO words (word) VALUES (?)", (words,))
        return words

    return unit


def create_words(database: PostgresqlDatabase) -> None:
    with database.connect() as connection:
        connection.execute("CREATE TABLE words (word text)")


def words_in(database: PostgresqlDatabase) -> list[str]:
    with database.connect() as connection:
        return [word for (word,) in connection.execute("SELECT word FROM words ORDER BY word").fetchall()]


@pytest.fixture
async def proxy(postgresql_server: PostgresqlServer) -> AsyncIterator[Proxy]:
    async with proxy_to(postgresql_server.port) as proxy:
        yield proxy


@pytest.fixture
async def proxied(proxy: Proxy, postgresql_database: PostgresqlDatabase) -> AsyncIterator[WritingConnection]:
    create_words(postgresql_database)
    connection = await PostgresqlDriver().open(proxy.location_of(postgresql_database.url), read_only=False)
    assert isinstance(connection, WritingConnection)
    await connection.write([add("before")], locks=KEYS)
    yield connection
    await connection.close()


async def test_a_commit_that_never_arrived_is_reported_as_not_committed(
    proxied: WritingConnection, proxy: Proxy, postgresql_database: PostgresqlDatabase
) -> None:
    proxy.next_fault = Fault.LOSE_COMMIT
    with pytest.raises(NotDurable, match="nothing was committed"):
        await proxied.write([add("lost")], locks=KEYS)
    assert await proxied.write([add("next")], locks=KEYS) == ["next"]
    assert words_in(postgresql_database) == ["before", "next"]


async def test_a_commit_whose_answer_is_lost_is_reported_as_committed(
    proxied: WritingConnection, proxy: Proxy, postgresql_database: PostgresqlDatabase
) -> None:
    proxy.next_fault = Fault.LOSE_ANSWER
    assert await proxied.write([add("kept"), add("kept too")], locks=KEYS) == ["kept", "kept too"]
    assert proxied.outage is None
    assert (proxied.counts.lost_commits_resolved, proxied.counts.group_retries) == (1, 0)
    assert words_in(postgresql_database) == ["before", "kept", "kept too"]


async def test_a_commit_without_an_answer_is_resolved_on_another_connection(
    proxied: WritingConnection,
    proxy: Proxy,
    postgresql_database: PostgresqlDatabase,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(writing_module, "ANSWER_LIMIT_S", 0.5)
    proxy.next_fault = Fault.SILENCE
    assert await proxied.write([add("kept")], locks=KEYS) == ["kept"]
    assert words_in(postgresql_database) == ["before", "kept"]


@pytest.mark.parametrize("fault", [Fault.LOSE_COMMIT, Fault.LOSE_ANSWER])
async def test_the_outcome_of_a_commit_is_asked_for_until_it_is_known(
    proxied: WritingConnection, proxy: Proxy, postgresql_database: PostgresqlDatabase, fault: Fault
) -> None:
    results: list[Any] = []

    async def write() -> None:
        try:
            results.extend(await proxied.write([add("asked for")], locks=KEYS))
        except NotDurable:
            results.append(None)

    async with trio.open_nursery() as nursery:
        proxy.next_fault, proxy.refuses = fault, True
        before = proxy.connections
        nursery.start_soon(write)
        with trio.fail_after(30):
            while proxy.connections < before + 3:
                await trio.sleep(0.05)
        assert results == []
        assert proxied.outage is not None
        assert "COMMIT" in proxied.outage
        proxy.refuses = False
    is_committed = "asked for" in words_in(postgresql_database)
    assert results == ["asked for" if is_committed else None]
    assert is_committed == (fault is Fault.LOSE_ANSWER)


async def test_who_is_stopped_while_a_commit_is_unknown_does_not_wait(
    proxied: WritingConnection, proxy: Proxy
) -> None:
    proxy.next_fault, proxy.refuses = Fault.LOSE_COMMIT, True
    with trio.fail_after(30), trio.move_on_after(1) as stopped:
        await proxied.write([add("unknown")], locks=KEYS)
    assert stopped.cancelled_caught
    proxy.refuses = False
    assert await proxied.write([add("next")], locks=KEYS) == ["next"]


async def test_an_administrator_who_ends_the_wait_for_a_standby_is_no_answer(
    proxied: WritingConnection, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server says COMMIT then, with a warning that the standby may not have it."""
    before = proxy.connections
    command = writing_module.WritingDatabase.command
    warnings = [True, False]

    async def warned(self: writing_module.WritingDatabase, sql: str) -> str:
        if sql == "COMMIT" and warnings.pop(0):
            await command(
                self, "DO $$BEGIN RAISE WARNING 'canceling wait for synchronous replication'; END$$"
            )
        return await command(self, sql)

    monkeypatch.setattr(writing_module.WritingDatabase, "command", warned)
    assert await proxied.write([add("kept")], locks=KEYS) == ["kept"]
    assert proxy.connections == before + 1  # resolved on a new connection


async def test_a_connection_that_broke_while_it_was_idle_costs_nothing(
    proxied: WritingConnection, postgresql_database: PostgresqlDatabase
) -> None:
    with postgresql_database.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()"
        )
    assert await proxied.write([add("next")], locks=KEYS) == ["next"]


@pytest.fixture
def own_server() -> Iterator[PostgresqlServer]:
    """A server that a test may kill and stop."""
    binaries = find_binaries()
    if binaries is None:
        pytest.skip("no PostgreSQL is installed")
    server = start_server(binaries)
    yield server
    server.send_to_all(signal.SIGCONT)
    server.stop()


async def wait_until_ready(store: Store) -> None:
    with trio.fail_after(30):
        while store.last_commit_error is not None:
            await trio.sleep(0.05)


async def test_after_a_crash_of_the_server_everything_resumes(
    own_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = own_server.fresh_database()
    create_words(database)
    location = PostgresqlLocation(database.url)
    attempts = count_connections(monkeypatch)
    async with driver_for(location) as driver, open_store(driver, location, "a test") as store:
        assert await store.write(add("before"), locks=KEYS) == "before"
        own_server.kill()
        for _ in range(200):
            with trio.fail_after(5), pytest.raises(NotDurable):
                await store.write(add("while it is away"), locks=KEYS)
        assert store.last_commit_error is not None
        with pytest.raises(NotDurable):
            await store.read(lambda db: db.fetch_all("SELECT 1"))
        assert len(attempts) < 50  # the others failed at once
        own_server.start_again()
        await wait_until_ready(store)  # without a write
        assert await store.write(add("after"), locks=KEYS) == "after"
        assert await store.read(lambda db: db.fetch_all("SELECT count(*) FROM words")) == [(2,)]
    assert words_in(database) == ["after", "before"]


async def test_a_server_that_stands_still_is_given_up_and_found_again(
    own_server: PostgresqlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing_module, "ANSWER_LIMIT_S", 1.0)
    database = own_server.fresh_database()
    create_words(database)
    location = PostgresqlLocation(database.url)
    async with driver_for(location) as driver, open_store(driver, location, "a test") as store:
        assert await store.write(add("before"), locks=KEYS) == "before"
        own_server.send_to_all(signal.SIGSTOP)
        with trio.fail_after(30), pytest.raises(NotDurable):
            await store.write(add("silence"), locks=KEYS)
        assert store.last_commit_error is not None
        own_server.send_to_all(signal.SIGCONT)
        await wait_until_ready(store)
        assert await store.write(add("after"), locks=KEYS) == "after"
    assert words_in(database) == ["after", "before"]


def count_connections(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    attempts: list[str] = []
    connect_to = TrioConnection.connect_to.__func__  # type: ignore[attr-defined]

    async def counted(cls: type[TrioConnection], conninfo: str) -> TrioConnection:
        attempts.append("")
        connected: TrioConnection = await connect_to(cls, conninfo)
        return connected

    monkeypatch.setattr(TrioConnection, "connect_to", classmethod(counted))
    return attempts
