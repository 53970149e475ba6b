"""The row `leadership` in a real PostgreSQL: elections, renewals, hand-overs, the fence."""

from __future__ import annotations

import threading

import psycopg
import pytest

from missedd.store.cluster.leadership import check_leads, hand_over, look_at_leadership, renew, take_over
from missedd.store.db.database import NotLeading
from tests.postgresql_server import PostgresqlDatabase
from tests.store.cluster.conftest import DatabaseTime
from tests.store.cluster.inline_coordination import InlineCoordination


async def test_nobody_leads_in_an_empty_database(db: InlineCoordination) -> None:
    row = (await look_at_leadership(db)).row
    assert row.node is None
    assert row.is_free


async def test_a_takeover_begins_an_epoch_that_is_renewed_until_the_next(
    db: InlineCoordination, time: DatabaseTime
) -> None:
    first = await take_over(db, 7, (await look_at_leadership(db)).row)
    assert first == 1
    time.pass_s(3)
    assert await renew(db, 7, first, '{"troubles": []}')
    time.pass_s(4)
    look = await look_at_leadership(db)
    assert (look.now_us, look.row.epoch, look.row.node, look.row.age_s) == (time.us, 1, 7, 4.0)
    assert not look.row.is_free
    assert await take_over(db, 8, look.row) == 2
    assert not await renew(db, 7, first, "{}")
    assert not await hand_over(db, 7, first)
    assert (await look_at_leadership(db)).row.node == 8


async def test_of_two_takeovers_that_saw_the_same_one_comes_too_late(
    db: InlineCoordination, time: DatabaseTime
) -> None:
    await take_over(db, 1, (await look_at_leadership(db)).row)
    time.pass_s(11)
    seen = (await look_at_leadership(db)).row
    assert await take_over(db, 2, seen) == 2
    assert await take_over(db, 3, seen) is None


async def test_a_takeover_comes_too_late_for_a_lease_that_was_renewed_meanwhile(
    db: InlineCoordination, time: DatabaseTime
) -> None:
    await take_over(db, 1, (await look_at_leadership(db)).row)
    time.pass_s(11)
    seen = (await look_at_leadership(db)).row
    assert await renew(db, 1, 1, "{}")
    assert await take_over(db, 2, seen) is None


async def test_after_a_hand_over_another_node_need_not_wait(db: InlineCoordination) -> None:
    await take_over(db, 1, (await look_at_leadership(db)).row)
    assert await hand_over(db, 1, 1)
    row = (await look_at_leadership(db)).row
    assert row.is_free
    assert await take_over(db, 2, row) == 2


async def test_the_fence_stops_a_node_that_was_replaced(db: InlineCoordination) -> None:
    await take_over(db, 1, (await look_at_leadership(db)).row)
    await check_leads(db, epoch=1, node=1)
    await take_over(db, 2, (await look_at_leadership(db)).row)
    with pytest.raises(NotLeading, match="node 1 does not lead in epoch 1"):
        await check_leads(db, epoch=1, node=1)
    with pytest.raises(NotLeading):
        await check_leads(db, epoch=2, node=1)


async def test_a_takeover_waits_for_a_write_of_the_leader_and_a_renewal_does_not(
    db: InlineCoordination, postgresql_database: PostgresqlDatabase
) -> None:
    await take_over(db, 1, (await look_at_leadership(db)).row)
    with postgresql_database.connect() as writer:
        writer.execute("BEGIN")
        writer.execute("SELECT 1 FROM leadership WHERE epoch = 1 AND node = 1 FOR KEY SHARE")
        assert await renew(db, 1, 1, "{}")  # would hang in this thread if it waited
        with postgresql_database.connect() as other:
            other.execute("SET lock_timeout = '100ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute("UPDATE leadership SET epoch = epoch + 1, node = 2")
            other.execute("SET lock_timeout = 0")
            takes_over = threading.Thread(
                target=other.execute, args=("UPDATE leadership SET epoch = epoch + 1, node = 2",)
            )
            takes_over.start()
            writer.execute("COMMIT")
            takes_over.join()
    assert (await look_at_leadership(db)).row.epoch == 2
