"""The table `nodes` in a real PostgreSQL, and what it says about standbys."""

from __future__ import annotations

from missedd.base.clock import from_us
from missedd.store.cluster.leadership import look_at_leadership, take_over
from missedd.store.cluster.nodes import join, list_nodes, prune_nodes, report_alive, report_stopped
from missedd.store.cluster.standbys import why_not_synchronous
from missedd.store.cluster.status import read_cluster_status
from tests.postgresql_server import PostgresqlDatabase
from tests.store.cluster.conftest import NOON_US, DatabaseTime
from tests.store.cluster.inline_coordination import InlineCoordination

DAY_S = 86_400.0


async def test_a_daemon_that_starts_again_is_another_node(db: InlineCoordination, time: DatabaseTime) -> None:
    first = await join(db, "shop", "10.0.0.1:8081", "1.0", "abc")
    time.pass_s(60)
    again = await join(db, "shop", "10.0.0.1:8081", "1.1", "abd")
    await take_over(db, again, (await look_at_leadership(db)).row)
    nodes, now = await list_nodes(db)
    assert now == from_us(time.us)
    assert [(node.id, node.version, node.config, node.leads) for node in nodes] == [
        (first, "1.0", "abc", False),
        (again, "1.1", "abd", True),
    ]
    assert [node.is_alive(now) for node in nodes] == [False, True]
    assert nodes[0].started_at == from_us(NOON_US)


async def test_a_report_renews_a_node_and_notes_its_skew(db: InlineCoordination, time: DatabaseTime) -> None:
    node = await join(db, "shop", "10.0.0.1:8081", "1.0", "abc")
    time.pass_s(60)
    assert await report_alive(db, node, -0.75)
    ((found,), now) = await list_nodes(db)
    assert (found.is_alive(now), found.skew_s, found.stopped_at) == (True, -0.75, None)
    await report_stopped(db, node)
    ((found,), now) = await list_nodes(db)
    assert (found.is_alive(now), found.stopped_at) == (False, now)


async def test_the_status_names_nodes_and_term_by_the_databases_clock(
    db: InlineCoordination, time: DatabaseTime
) -> None:
    node = await join(db, "shop", "10.0.0.1:8081", "1.0", "abc")
    await take_over(db, node, (await look_at_leadership(db)).row)
    time.pass_s(1)
    status = await read_cluster_status(db)
    assert status.is_shared
    assert (status.epoch, status.renewed_at, status.now) == (1, from_us(NOON_US), from_us(time.us))
    assert status.leader is not None
    assert status.leader.id == node
    assert status.why_not_synchronous == "synchronous_standby_names is empty"


async def test_a_node_stays_in_the_list_for_a_day_after_it_was_seen(
    db: InlineCoordination, time: DatabaseTime
) -> None:
    old = await join(db, "old", "10.0.0.1:8081", "1.0", "abc")
    time.pass_s(DAY_S - 1)
    new = await join(db, "new", "10.0.0.2:8081", "1.0", "abc")
    assert [node.id for node in (await list_nodes(db)).nodes] == [old, new]
    assert await prune_nodes(db) == 0
    time.pass_s(2)
    assert [node.id for node in (await list_nodes(db)).nodes] == [new]
    assert await prune_nodes(db) == 1
    assert not await report_alive(db, old, 0.0)


async def test_a_single_server_has_no_standby(
    db: InlineCoordination, postgresql_database: PostgresqlDatabase
) -> None:
    assert await why_not_synchronous(db) == "synchronous_standby_names is empty"
    with postgresql_database.connect() as admin:
        admin.execute("ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'")
        try:
            admin.execute("SELECT pg_reload_conf()")
            waited = 0
            while await why_not_synchronous(db) == "synchronous_standby_names is empty":
                admin.execute("SELECT pg_sleep(0.05)")
                waited += 1
                assert waited < 1000
            assert await why_not_synchronous(db) == "no standby is connected"
        finally:
            admin.execute("ALTER SYSTEM RESET synchronous_standby_names")
            admin.execute("SELECT pg_reload_conf()")
