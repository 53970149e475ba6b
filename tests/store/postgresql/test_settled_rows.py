"""Rollups wait for rows that are committed late, and for nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import psycopg
import pytest
import trio

from missedd.base.clock import to_us
from missedd.config.store_location import PostgresqlLocation
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.store.db.database import Database
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.reads.reader import load_analytics
from missedd.store.rollups.roll_up import roll_up
from missedd.store.rollups.settled_rows import ROLLUP_LOCKS, RowMark, is_mark_settled, mark_newest_rows
from missedd.store.rollups.state import start_rollups
from missedd.store.store import Store, open_store
from tests.core.campaigns import CALLER, INDIA, NOON, minutes
from tests.postgresql_server import PostgresqlDatabase

LATER = NOON + minutes(300)
PUT = """
INSERT INTO calls (id, call_sid, campaign, caller, called_at, received_at, verdict, reason, shape, fields)
VALUES (%s, %s, 'shop', %s, %s, 0, 'accepted', 'first-call', 'native', '{}')"""


@pytest.fixture
async def store(location: PostgresqlLocation) -> AsyncIterator[Store]:
    async with open_store(PostgresqlDriver(), location, "a test") as store:
        await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
        yield store


@asynccontextmanager
async def committed_late(
    database: PostgresqlDatabase,
) -> AsyncIterator[psycopg.Connection[Any]]:
    """A transaction that has taken a smaller id than one that is committed already."""
    with database.connect() as late, database.connect() as early:
        late.execute("BEGIN")
        late.execute("SELECT pg_current_xact_id()")
        ((first,),) = late.execute("SELECT nextval('call_ids')").fetchall()
        early.execute("BEGIN")
        early.execute("SELECT pg_current_xact_id()")
        ((second,),) = early.execute("SELECT nextval('call_ids')").fetchall()
        early.execute(PUT, (second, "c2", CALLER, to_us(NOON)))
        early.execute("COMMIT")
        late.execute(PUT, (first, "c1", CALLER, to_us(NOON)))
        yield late


async def rolled_up(store: Store, mark: RowMark) -> None:
    unit = partial(roll_up, grid=hour_grid_for(INDIA), now=LATER, up_to=mark.rows)
    while (step := await store.write(unit, locks=ROLLUP_LOCKS)) is not None and step.is_behind:
        pass


async def total_calls(store: Store) -> int:
    shown = await store.read(lambda db: load_analytics(db, None, None, None, INDIA))
    return shown.total_calls


async def test_a_mark_is_settled_once_those_have_ended_that_may_have_smaller_ids(
    store: Store, postgresql_database: PostgresqlDatabase
) -> None:
    async with committed_late(postgresql_database) as late:
        mark = await mark_newest_rows(store)
        assert mark.rows.call > 0
        assert not await is_mark_settled(store, mark)
        late.execute("COMMIT")
        assert await is_mark_settled(store, mark)
        await rolled_up(store, mark)
    assert await total_calls(store) == 2


async def test_a_transaction_that_begins_later_is_not_waited_for(
    store: Store, postgresql_database: PostgresqlDatabase
) -> None:
    mark = await mark_newest_rows(store)
    async with committed_late(postgresql_database) as late:
        assert await is_mark_settled(store, mark)
        late.execute("COMMIT")
    await rolled_up(store, mark)
    assert await total_calls(store) == 2


async def test_marks_that_do_not_wait_would_miss_a_row(
    store: Store, postgresql_database: PostgresqlDatabase
) -> None:
    """What the wait is for: the mistake shows in the analytics."""
    async with committed_late(postgresql_database) as late:
        await rolled_up(store, await mark_newest_rows(store))
        late.execute("COMMIT")
    assert await total_calls(store) == 1


async def test_a_change_of_a_row_that_is_just_rolled_up_is_not_missed(
    store: Store, postgresql_database: PostgresqlDatabase
) -> None:
    async with committed_late(postgresql_database) as late:
        late.execute("COMMIT")
    mark = await mark_newest_rows(store)
    changed = trio.Event()

    async def roll_up_slowly(db: Database) -> None:
        await roll_up(db, hour_grid_for(INDIA), LATER, up_to=mark.rows)
        with trio.move_on_after(0.2):
            await changed.wait()
        assert not changed.is_set(), "who changes a row waits for the end of the step"

    def change() -> None:
        with postgresql_database.connect() as other:
            other.execute("UPDATE calls SET verdict = 'not-missed' WHERE call_sid = 'c1'")

    async def change_meanwhile() -> None:
        await trio.to_thread.run_sync(change)
        changed.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(store.write, roll_up_slowly, locks=ROLLUP_LOCKS))
        await trio.sleep(0.05)
        nursery.start_soon(change_meanwhile)
    assert await total_calls(store) == 1
