"""Transactions of several nodes on one database: locks, deadlocks, cancellation."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
import trio

from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.database import Database, NotDurable
from missedd.store.db.group_commit import MAX_RUNS
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.postgresql.reading import ReadingConnections
from missedd.store.postgresql.writing import WritingConnection
from tests.postgresql_server import PostgresqlDatabase

ANN, BOB = LockKeys.of("+919800000001"), LockKeys.of("+919800000002")


@pytest.fixture
async def other(location: PostgresqlLocation) -> AsyncIterator[WritingConnection]:
    """The connection of another node."""
    connection = await PostgresqlDriver().open(location, read_only=False)
    assert isinstance(connection, WritingConnection)
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def counters(postgresql_database: PostgresqlDatabase) -> None:
    with postgresql_database.connect() as connection:
        connection.execute("CREATE TABLE counters (name text PRIMARY KEY, n bigint NOT NULL)")
        connection.execute("INSERT INTO counters VALUES ('a', 0), ('b', 0)")


async def add_one(db: Database, name: str) -> None:
    await db.execute("UPDATE counters SET n = n + 1 WHERE name = ?", (name,))


async def read_counters(db: Database) -> list[int]:
    return [n for (n,) in await db.fetch_all("SELECT n FROM counters ORDER BY name")]


async def test_who_shares_a_key_waits_and_reads_what_was_committed(
    writing: WritingConnection, other: WritingConnection
) -> None:
    """A read before the write would lose one of the two, in READ COMMITTED, if they ran side by side."""

    async def increment(db: Database) -> None:
        (a, _) = await read_counters(db)
        await trio.sleep(0.02)
        await db.execute("UPDATE counters SET n = ? WHERE name = 'a'", (a + 1,))

    async def node(connection: WritingConnection) -> None:
        for _ in range(5):
            assert await connection.write([increment], locks=ANN) == [None]

    async with trio.open_nursery() as nursery:
        nursery.start_soon(node, writing)
        nursery.start_soon(node, other)
    assert await writing.read(read_counters) == [10, 0]


@pytest.mark.parametrize(("mine", "waits"), [(BOB, False), (ANN, True), (EVERYTHING, True)])
async def test_only_who_shares_a_key_waits(
    writing: WritingConnection, other: WritingConnection, mine: LockKeys, waits: bool
) -> None:
    is_held, is_written, may_end = trio.Event(), trio.Event(), trio.Event()

    async def hold(db: Database) -> None:
        is_held.set()
        await may_end.wait()

    async def write() -> None:
        await writing.write([lambda db: add_one(db, "a")], locks=mine)
        is_written.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: other.write([hold], locks=ANN))
        await is_held.wait()
        nursery.start_soon(write)
        if waits:
            with trio.move_on_after(0.5):
                await is_written.wait()
            assert not is_written.is_set()
        else:
            await is_written.wait()
        may_end.set()


async def test_a_unit_that_needs_more_keys_runs_again_with_them(writing: WritingConnection) -> None:
    runs: list[str] = []

    async def unit(db: Database) -> str:
        runs.append("")
        await add_one(db, "a")
        await db.lock(ANN)
        await db.lock(BOB)
        return "done"

    assert await writing.write([unit, unit], locks=ANN) == ["done", "done"]
    assert len(runs) == 3
    assert writing.counts.group_retries == 1
    assert await writing.read(read_counters) == [2, 0]


async def test_a_unit_that_never_has_enough_keys_is_given_up(writing: WritingConnection) -> None:
    asked = iter(range(1000))

    async def unit(db: Database) -> None:
        await db.lock(LockKeys.of(str(next(asked))))

    with pytest.raises(NotDurable, match=f"{MAX_RUNS} times in a row"):
        await writing.write([unit], locks=ANN)


async def test_after_a_deadlock_the_group_runs_again(
    writing: WritingConnection, other: WritingConnection
) -> None:
    """Two nodes change two rows in opposite orders; the server ends one of the two transactions."""
    both_hold = trio.Event()
    holding: list[str] = []
    runs: list[str] = []

    async def change(db: Database, first: str, second: str) -> None:
        runs.append(first)
        await add_one(db, first)
        holding.append(first)
        if len(holding) == 2:
            both_hold.set()
        await both_hold.wait()
        await add_one(db, second)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: writing.write([lambda db: change(db, "a", "b")], locks=ANN))
        nursery.start_soon(lambda: other.write([lambda db: change(db, "b", "a")], locks=BOB))
    assert await writing.read(read_counters) == [2, 2]
    assert len(runs) == 3
    assert writing.counts.group_retries + other.counts.group_retries == 1


async def test_a_duplicate_row_fails_its_unit_alone(writing: WritingConnection) -> None:
    async def duplicate(db: Database) -> None:
        await db.execute("INSERT INTO counters (name, n) VALUES ('a', 1)")

    first, second, third = await writing.write(
        [lambda db: add_one(db, "a"), duplicate, lambda db: add_one(db, "b")], locks=ANN
    )
    assert (first, third) == (None, None)
    assert isinstance(second, psycopg.errors.UniqueViolation)
    assert await writing.read(read_counters) == [1, 1]


async def test_a_cancelled_writer_leaves_a_whole_transaction(writing: WritingConnection) -> None:
    with trio.CancelScope() as scope:

        async def unit(db: Database) -> None:
            await add_one(db, "a")
            scope.cancel()
            await add_one(db, "b")

        await writing.write([unit], locks=ANN)
    assert await writing.read(read_counters) == [1, 1]


async def test_a_cancelled_reader_costs_its_connection_only(reading: ReadingConnections) -> None:
    with trio.move_on_after(0.2) as cancelled:
        await reading.read(lambda db: db.fetch_all("SELECT pg_sleep(30)"))
    assert cancelled.cancelled_caught
    assert await reading.read(read_counters) == [0, 0]


async def test_a_reader_sees_one_snapshot_and_changes_nothing(
    reading: ReadingConnections, writing: WritingConnection
) -> None:
    async def unit(db: Database) -> tuple[list[int], list[int]]:
        before = await read_counters(db)
        await writing.write([lambda db: add_one(db, "a")], locks=ANN)
        return before, await read_counters(db)

    assert await reading.read(unit) == ([0, 0], [0, 0])
    assert await reading.read(read_counters) == [1, 0]
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await reading.read(lambda db: add_one(db, "a"))


async def test_a_node_that_stands_still_in_a_transaction_is_ended_by_the_server(
    writing: WritingConnection, other: WritingConnection
) -> None:
    async def stand_still(db: Database) -> None:
        await add_one(db, "a")
        await trio.sleep(4)
        await add_one(db, "a")

    async def try_to() -> None:
        with pytest.raises(NotDurable):
            await other.write([stand_still], locks=ANN)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(try_to)
        await trio.sleep(0.5)
        assert await writing.write([lambda db: add_one(db, "b")], locks=ANN) == [None]
    assert await writing.read(read_counters) == [0, 1]


async def test_each_transaction_is_counted_in_the_writer_s_own_row(
    writing: WritingConnection, postgresql_database: PostgresqlDatabase
) -> None:
    with postgresql_database.connect() as connection:
        for _ in range(2):
            await writing.write([lambda db: add_one(db, "a")], locks=ANN)
        assert connection.execute("SELECT seq FROM writers").fetchall() == [(2,)]
        connection.execute("DELETE FROM writers")  # as after a restore of an older backup
        await writing.write([lambda db: add_one(db, "a")], locks=ANN)
        assert connection.execute("SELECT seq FROM writers").fetchall() == [(1,)]
