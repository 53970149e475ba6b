"""The connections for the cluster on a real PostgreSQL, cut by the server in the middle."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio

from missedd.config.store_location import PostgresqlLocation
from missedd.store.cluster.coordination import MAX_NEWS_BYTES
from missedd.store.cluster.leadership import look_at_leadership, take_over
from missedd.store.cluster.nodes import join, list_nodes, report_alive
from missedd.store.cluster.standbys import why_not_synchronous
from missedd.store.db.database import NotDurable
from missedd.store.postgresql.coordinating import PostgresqlCoordination
from missedd.store.postgresql.driver import PostgresqlDriver
from tests.postgresql_server import PostgresqlDatabase


@pytest.fixture
async def db(postgresql_database: PostgresqlDatabase) -> AsyncIterator[PostgresqlCoordination]:
    coordination = PostgresqlDriver().coordination(PostgresqlLocation(postgresql_database.url))
    yield coordination
    await coordination.close()


def cut(database: PostgresqlDatabase) -> None:
    """End every connection of missedd, as a failover would."""
    with database.connect() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid != pg_backend_pid()"
        )


async def test_a_node_joins_reports_and_leads(db: PostgresqlCoordination) -> None:
    node = await join(db, "shop", "10.0.0.1:8081", "1.0", "abc")
    assert await report_alive(db, node, 0.25)
    look = await look_at_leadership(db)
    assert look.row.is_free
    assert await take_over(db, node, look.row) == 1
    ((found,), now) = await list_nodes(db)
    assert (found.skew_s, found.leads, found.is_alive(now)) == (0.25, True, True)
    assert await why_not_synchronous(db) == "synchronous_standby_names is empty"


async def test_after_a_cut_the_next_statement_has_a_new_connection(
    db: PostgresqlCoordination, postgresql_database: PostgresqlDatabase
) -> None:
    await look_at_leadership(db)
    cut(postgresql_database)
    with pytest.raises(NotDurable):
        await look_at_leadership(db)
    assert (await look_at_leadership(db)).row.is_free


async def test_a_cancelled_statement_does_not_disturb_the_next_one(db: PostgresqlCoordination) -> None:
    with trio.move_on_after(0.1) as waited:
        await db.fetch_all("SELECT 1 FROM pg_sleep(60)")
    assert waited.cancelled_caught
    assert await db.fetch_all("SELECT 2") == [(2,)]


async def test_news_reach_all_who_listen_in_their_order(db: PostgresqlCoordination) -> None:
    texts = ["one", "two", "é" * (MAX_NEWS_BYTES // 2)]
    with trio.fail_after(60):
        async with db.listen() as first, db.listen() as second:
            for text in texts:
                await db.send_news(text)
            assert [await first.receive() for _ in texts] == texts
            assert [await second.receive() for _ in texts] == texts


async def test_a_listener_that_is_cut_off_says_so(
    db: PostgresqlCoordination, postgresql_database: PostgresqlDatabase
) -> None:
    with trio.fail_after(60):
        async with db.listen() as listener:
            await db.send_news("one")
            assert await listener.receive() == "one"
            cut(postgresql_database)
            with pytest.raises(NotDurable):
                await listener.receive()


async def test_a_quiet_listener_asks_whether_the_server_is_still_there(
    db: PostgresqlCoordination, postgresql_database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("missedd.store.postgresql.coordinating.QUIET_S", 0.02)
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query = 'SELECT 1'"
    with trio.fail_after(60):
        async with db.listen() as listener, trio.open_nursery() as nursery:
            nursery.start_soon(listener.receive)
            while await db.fetch_all(asked) != [(1,)]:
                await trio.sleep(0.01)
            await db.send_news("one")
        async with db.listen() as listener:  # news that come with the answer to the question are not lost
            for number in range(60):
                await trio.sleep(0.001 * number)
                await db.send_news(str(number))
                assert await listener.receive() == str(number)


async def test_a_server_that_nobody_reaches_is_told_without_a_password() -> None:
    location = PostgresqlLocation("postgresql://missedd@127.0.0.1:1/missedd", password="hunter2")
    db = PostgresqlDriver().coordination(location)
    with pytest.raises(NotDurable) as failure:
        await look_at_leadership(db)
    assert "hunter2" not in str(failure.value)
    with pytest.raises(NotDurable):
        async with db.listen():
            pass
