"""Neither a lock, nor a disk, nor a unit that takes long keeps the loop from its other work."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from missedd.store.db.database import Database, NotDurable
from missedd.store.db.lock_keys import LockKeys
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.store.sqlite.inline_driver import InlineDatabase
from missedd.store.sqlite.pragmas import BUSY_TIMEOUT_MS
from missedd.store.store import Store, open_store
from tests.store.steps import rows

COUNT = """
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000)
    SELECT count(*) FROM n"""


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    async with aio_driver() as driver, open_store(driver, path, "a test") as store:
        yield store


async def suppress(db: Database) -> None:
    await db.execute("INSERT INTO suppressions (number, reason, source, since_at) VALUES ('n', '', '', 0)")


async def take_long(db: Database) -> int:
    return int((await db.fetch_all(COUNT))[0][0])


class Ticks:
    """How often others had a turn."""

    def __init__(self) -> None:
        self.count = 0

    async def run(self) -> None:
        while True:
            await trio.lowlevel.checkpoint()
            self.count += 1


async def test_a_lock_of_another_program_is_waited_for_beside_the_loop(store: Store, path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(store.write, suppress)
            await trio.sleep(0.3)  # only another turn of the loop gets to what follows
            other.execute("ROLLBACK")
    assert await rows(store, "SELECT number FROM suppressions") == [("n",)]


async def test_a_disk_that_fails_at_the_beginning_leaves_the_patience_with_locks(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(db: InlineDatabase, locks: LockKeys) -> None:
        failure = sqlite3.OperationalError("disk I/O error")
        failure.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise failure

    with monkeypatch.context() as patch:
        patch.setattr(InlineDatabase, "begin", fail)
        with pytest.raises(NotDurable, match="disk I/O error"):
            await store.write(suppress)

    async def patience(db: Database) -> int:
        return int((await db.fetch_all("PRAGMA busy_timeout"))[0][0])

    assert await store.write(patience, offload=True) == BUSY_TIMEOUT_MS


@pytest.mark.parametrize("aside", [True, False])
async def test_a_unit_that_takes_long_is_run_aside(store: Store, aside: bool) -> None:
    ticks = Ticks()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ticks.run)

        async def looking(db: Database) -> int:
            before = ticks.count
            await take_long(db)
            return ticks.count - before

        meanwhile = await store.write(looking, offload=aside)
        nursery.cancel_scope.cancel()
    assert (meanwhile > 0) is aside


async def test_a_brief_unit_beside_one_that_takes_long_is_kept_with_it(store: Store) -> None:
    found: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(store.write, suppress)
        found.append(await store.write(take_long, offload=True))
    assert found == [2_000_000]
    assert await rows(store, "SELECT number FROM suppressions") == [("n",)]
    await store.write(suppress_not)
    assert await rows(store, "SELECT number FROM suppressions") == []


async def suppress_not(db: Database) -> None:
    await db.execute("DELETE FROM suppressions")
