"""Group commit: what is acknowledged is kept, what failed is not, and nobody suffers for another."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from missedd.store.db.database import Database, DatabaseConnection, NotDurable, UnitOfWork
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.db.write_counts import WriteCounts
from missedd.store.db.writer import MAX_GROUP_SIZE, QUEUE_SIZE, Writer
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import Driver, Store, open_store
from tests.store.steps import rows

type Put = Callable[[Database], Awaitable[str]]


def put(number: str) -> Put:
    """A unit that suppresses a number, which is the least one can write."""

    async def unit(db: Database) -> str:
        await db.execute(
            "INSERT INTO suppressions (number, reason, source, since_at) VALUES (?, 'asked', 'api', 0)",
            (number,),
        )
        return number

    return unit


def put_and_fail(number: str, failure: Exception) -> Put:
    async def unit(db: Database) -> str:
        await put(number)(db)
        raise failure

    return unit


async def kept(store: Store) -> list[str]:
    return [row[0] for row in await rows(store, "SELECT number FROM suppressions ORDER BY number")]


async def together(store: Store, *units: Put) -> list[str | Exception]:
    """Write all at the same time; each one's result, or what it raised."""
    found: dict[int, str | Exception] = {}

    async def one(index: int, unit: Put) -> None:
        try:
            found[index] = await store.write(unit)
        except Exception as failure:
            found[index] = failure

    async with trio.open_nursery() as nursery:
        for index, unit in enumerate(units):
            nursery.start_soon(one, index, unit)
    return [found[index] for index in range(len(units))]


async def test_many_units_share_transactions_and_each_has_its_result(store: Store) -> None:
    numbers = [f"n{index:04}" for index in range(3 * MAX_GROUP_SIZE + QUEUE_SIZE)]
    assert await together(store, *(put(each) for each in numbers)) == numbers
    assert await kept(store) == numbers


async def test_a_failing_unit_harms_only_itself(store: Store) -> None:
    found = await together(store, put("a"), put_and_fail("b", ValueError("no")), put("c"), put("a"), put("d"))
    assert isinstance(found[1], ValueError)
    # The same row twice: whichever came second is refused by the database.
    (refusal,) = (found[index] for index in (0, 3) if found[index] != "a")
    assert isinstance(refusal, (sqlite3.IntegrityError, psycopg.IntegrityError))
    assert [found[2], found[4]] == ["c", "d"]
    assert await kept(store) == ["a", "c", "d"]


async def test_foreign_keys_hold(store: Store) -> None:
    sql = "INSERT INTO attempts (action_id, number, started_at) VALUES (1, 1, 0)"
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError), match=r"(?i)foreign key"):
        await store.write(lambda db: db.execute(sql))


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(
        (sqlite3.OperationalError, psycopg.errors.ReadOnlySqlTransaction), match=r"read-?only"
    ):
        await store.read(put("a"))
    assert await kept(store) == []


async def test_a_reader_sees_one_moment(store: Store) -> None:
    async def unit(db: Database) -> list[int]:
        count = "SELECT count(*) FROM suppressions"
        return [(await db.fetch_all(count))[0][0] for _ in range(3)]

    async with trio.open_nursery() as nursery:
        for index in range(50):
            nursery.start_soon(store.write, put(str(index)))
        for _ in range(20):
            counts = await store.read(unit)
            assert len(set(counts)) == 1


@pytest.mark.sqlite
async def test_a_full_disk_keeps_nothing_and_is_told_to_everybody(store: Store) -> None:
    ((pages,),) = await rows(store, "PRAGMA page_count")

    async def limit(db: Database) -> None:
        await db.fetch_all(f"PRAGMA max_page_count = {pages + 2}")

    async def no_limit(db: Database) -> None:
        await db.fetch_all("PRAGMA max_page_count = 1000000")

    await store.write(limit)
    found = await together(store, *(put(f"{index:05}" + "x" * 2000) for index in range(40)))
    refused = [each for each in found if isinstance(each, NotDurable)]
    assert refused
    assert all("full" in str(each) for each in refused)
    assert await kept(store) == [each for each in found if isinstance(each, str)], (
        "acknowledged is kept, and no more"
    )
    await store.write(no_limit)
    assert await store.write(put("z")) == "z"


@pytest.mark.sqlite
@pytest.mark.parametrize("point", ["begin", "before-commit"])
async def test_a_commit_that_fails_keeps_nothing_of_anybody(path: Path, point: str) -> None:
    is_full = True

    def fault(at: str) -> None:
        if is_full and at == point and opened:
            raise sqlite3.OperationalError("database or disk is full")

    opened = False
    async with open_store(InlineDriver(fault), path, "a test") as store:
        opened = True
        failures = await together(store, put("a"), put("b"), put_and_fail("c", ValueError("no")))
        assert [type(each) for each in failures[:2]] == [NotDurable, NotDurable]
        assert len({id(each) for each in failures}) == 3
        assert store.commit_failures == (1 if point == "begin" else 2), "one each, beside one that is bad"
        assert store.last_commit_error == "database or disk is full"
        assert await kept(store) == []
        is_full = False
        assert await together(store, put("a"), put("b")) == ["a", "b"]
        assert store.last_commit_error is None


async def test_who_goes_away_abandons_the_wait_and_not_the_work(store: Store) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, put("a"))
        await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert await store.write(put("b")) == "b"
    assert await kept(store) in (["a", "b"], ["b"])


async def test_no_cancellation_tears_a_unit(store: Store) -> None:
    def pair(index: int) -> Put:
        async def unit(db: Database) -> str:
            await put(f"{index:03}-first")(db)
            return await put(f"{index:03}-second")(db)

        return unit

    for index in range(40):
        with trio.move_on_after(0.0003 * (index % 8)):
            await store.write(pair(index))
    await store.write(put("last"))
    halves = [each.partition("-")[0] for each in (await kept(store))[:-1]]
    assert all(halves.count(each) == 2 for each in halves)


@pytest.mark.sqlite
async def test_a_client_of_a_closed_store_is_told(driver: Driver, path: Path) -> None:
    async with open_store(driver, path, "a test") as store:
        pass
    with pytest.raises(NotDurable, match="closed"):
        await store.write(put("a"))


class Gate:
    """A connection whose commits wait until it is opened; what the disk of a busy machine does."""

    outage: str | None = None
    counts = WriteCounts()

    def __init__(self, connection: DatabaseConnection) -> None:
        self._connection = connection
        self.opened = trio.Event()

    async def write(
        self, units: Sequence[UnitOfWork[Any]], *, offload: bool = False, locks: LockKeys = EVERYTHING
    ) -> list[Any]:
        await self.opened.wait()
        return await self._connection.write(units, offload=offload, locks=locks)

    async def read[T](self, unit: Callable[[Database], Awaitable[T]]) -> T:
        return await self._connection.read(unit)

    async def close(self) -> None:
        await self._connection.close()


@pytest.mark.sqlite
async def test_those_who_wait_for_a_writer_that_is_stopped_are_told(driver: Driver, path: Path) -> None:
    connection = await driver.open(path, read_only=False)
    writer = Writer(Gate(connection))
    failures: list[Exception] = []

    async def client() -> None:
        # Shielded, as a client that has promised to write down what it knows.
        with trio.CancelScope(shield=True), pytest.raises(NotDurable) as caught:
            await writer.write(put("a"))
        failures.append(caught.value)

    with trio.fail_after(5):
        async with trio.open_nursery() as clients, trio.open_nursery() as nursery:
            nursery.start_soon(writer.run)
            for _ in range(QUEUE_SIZE + 100):
                clients.start_soon(client)
            await wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
    assert len(failures) == QUEUE_SIZE + 100
    with pytest.raises(NotDurable):
        await writer.write(put("b"))
    await connection.close()


@pytest.mark.sqlite
async def test_what_was_committed_is_not_called_undone_by_a_cancellation(driver: Driver, path: Path) -> None:
    async with open_store(driver, path, "a test"):
        pass
    connection = await driver.open(path, read_only=False)
    writer = Writer(connection)
    results: list[str] = []

    async with trio.open_nursery() as clients, trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)

        async def unit(db: Database) -> str:
            trio_token.run_sync_soon(nursery.cancel_scope.cancel)
            return await put("a")(db)

        trio_token = trio.lowlevel.current_trio_token()

        async def client() -> None:
            with trio.CancelScope(shield=True):
                results.append(await writer.write(unit))

        clients.start_soon(client)
    assert results == ["a"]
    await connection.close()
