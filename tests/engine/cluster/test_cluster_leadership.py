"""Elections among several nodes in virtual time: who leads, when, and never two at once."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
import trio
from trio.testing import MockClock

from missedd.core.cluster.lease import LEASE_S, RENEW_EVERY_S, TRUSTED_S
from missedd.core.cluster.node_state import NodeState
from missedd.store.cluster.leadership import look_at_leadership, take_over
from missedd.store.cluster.nodes import list_nodes
from missedd.store.db.database import NotDurable, NotLeading
from tests.engine.cluster.cluster_scene import cluster_scene
from tests.postgresql_server import PostgresqlDatabase

TAKEOVER_S = LEASE_S + 0.5


async def test_the_first_node_leads_at_once_and_the_second_takes_in(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        assert trio.current_time() < 1
        await trio.sleep(200)
        assert first.leads
        assert second.watch.leader_words == '{"said by": "1"}'
        assert len(first.terms) == 1
        assert second.terms == []
        nodes, now = await list_nodes(first.db)
        assert [(node.name, node.leads, node.is_alive(now)) for node in nodes] == [
            ("1", True, True),
            ("2", False, True),
        ]


async def test_a_dead_leader_is_replaced_when_its_lease_ends_and_is_reported(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        await trio.sleep(33.3)
        first.kill()
        killed_s = trio.current_time()
        await scene.until_leads(second, TAKEOVER_S)
        assert trio.current_time() - killed_s > LEASE_S - RENEW_EVERY_S - 0.5
        assert second.terms[0][1].epoch == first.terms[0][1].epoch + 1
        await trio.sleep(5)
        (gone,) = second.events("cluster.node_gone")
        assert (gone["name"], gone["address"]) == ("1", "10.0.0.1:1")


async def test_after_the_database_was_away_nobody_is_said_to_be_gone_who_is_there(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        nodes = [await scene.start("1"), await scene.start("2")]
        dead = await scene.start("3")
        await trio.sleep(20)
        for node in nodes:
            node.is_cut_off = True
        await trio.sleep(20)
        dead.kill()
        for node in reversed(nodes):
            node.is_cut_off = False
            await trio.sleep(3)
        await trio.sleep(20)
        assert [[line["name"] for line in node.events("cluster.node_gone")] for node in nodes] == [
            ["3"],
            ["3"],
        ]


async def test_a_leader_that_stops_hands_over_at_once(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        await trio.sleep(20)
        first.drain_s = 7.9
        scene.nursery.start_soon(first.stop)
        await trio.sleep(7.5)
        assert first.is_trusted  # it sends what is in flight, so the lease goes on
        assert not second.leads
        await scene.until_leads(second, 0.9)
        await trio.sleep(30)
        assert first.events("cluster.lost") == []
        assert second.events("cluster.node_gone") == []
        nodes, now = await list_nodes(second.db)
        assert [(node.name, node.is_alive(now)) for node in nodes] == [("1", False), ("2", True)]


async def test_a_node_that_stops_during_its_takeover_leaves_the_leadership_vacant(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        row = (await look_at_leadership(second.db)).row
        first.kill()
        node = (await list_nodes(second.db)).nodes[1].id
        assert await take_over(second.db, node, row) == 2  # and the answer never came
        second.stopping.set()
        await second.stopped.wait()
        third = await scene.start("3")
        assert third.leads


async def test_a_start_does_not_wait_for_a_dead_leaders_lease(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        dead = await scene.start("1")
        dead.kill()
        began_s = trio.current_time()
        again = await scene.start("1")
        assert trio.current_time() - began_s < 1
        assert again.leadership.state is NodeState.TAKES_IN
        await scene.until_leads(again, TAKEOVER_S)


async def test_a_leader_that_is_cut_off_stops_before_another_one_begins_and_can_be_elected_again(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        await trio.sleep(21.7)
        first.is_cut_off = True
        cut_s = trio.current_time()
        while first.is_trusted:
            await trio.sleep(0.01)
        assert TRUSTED_S - RENEW_EVERY_S - 0.1 < trio.current_time() - cut_s <= TRUSTED_S
        assert not second.leads
        await scene.until_leads(second, 5)
        assert first.terms[0][1].lost.is_set()
        (lost,) = first.events("cluster.lost")
        assert lost["why"] == "the database did not confirm the lease in time"
        first.is_cut_off = False
        await trio.sleep(5)
        assert first.leadership.state is NodeState.TAKES_IN
        second.kill()
        await scene.until_leads(first, TAKEOVER_S)
        assert [term.epoch for _, term in first.terms] == [1, 3]


async def test_a_node_that_wakes_up_after_its_lease_trusts_it_no_more(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        only = await scene.start("1")
        await trio.sleep(5)
        only.slept_s += 3_600  # trio's clock stood still, and the machine's other clock did not
        assert not only.is_trusted
        await trio.sleep(RENEW_EVERY_S + 0.5)
        assert only.terms[0][1].lost.is_set()
        await scene.until_leads(only, 5)
        assert [term.epoch for _, term in only.terms] == [1, 2]
        assert only.is_trusted


@pytest.mark.parametrize("error", [NotLeading("replaced"), NotDurable("disk full")])
async def test_a_write_that_fails_ends_the_term_and_another_one_follows(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock, error: Exception
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        node = await scene.start("1")
        await node.stop()
        node = scene.make("2")
        node.lead_error = error
        await scene.nursery.start(node.run)
        await trio.sleep(1)
        assert node.leadership.state is NodeState.TAKES_IN
        node.lead_error = None
        await trio.sleep(3)
        assert node.leads
        assert [term.lost.is_set() for _, term in node.terms] == [True, False]
        assert [line["why"] for line in node.events("cluster.lost")] == [str(error)]


async def test_nodes_that_cannot_write_do_not_hand_the_leadership_around_all_the_time(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        nodes = [scene.make(name) for name in ("1", "2")]
        for node in nodes:
            node.lead_error = NotDurable("disk full")
            await scene.nursery.start(node.run)
        await trio.sleep(300)
        assert sum(len(node.terms) for node in nodes) < 100
        for node in nodes:
            node.lead_error = None
        with trio.fail_after(12):
            while not any(node.leads for node in nodes):
                await trio.sleep(0.1)


async def test_a_node_whose_clock_is_two_seconds_wrong_takes_in_and_does_not_lead(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        wrong = scene.make("1")
        wrong.clock_error = timedelta(seconds=2.5)
        await scene.nursery.start(wrong.run)
        await trio.sleep(60)
        assert wrong.leadership.state is NodeState.TAKES_IN
        told = wrong.events("cluster.clock_skewed")[0]
        assert (told["level"], told["ahead_s"], told["wrong"]) == (
            "error",
            pytest.approx(2.5, abs=0.01),
            "this node's clock",
        )
        wrong.clock_error = timedelta(seconds=0.7)
        await scene.until_leads(wrong, RENEW_EVERY_S + 0.5)


async def test_a_leader_whose_clock_goes_wrong_hands_over_to_a_node_with_a_right_one(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first, second = await scene.start("1"), await scene.start("2")
        await trio.sleep(20)
        first.clock_error = timedelta(seconds=-3)
        await scene.until_leads(second, RENEW_EVERY_S + 0.5)
        assert first.events("cluster.lost")[0]["why"] == "its clock is wrong"


async def test_where_the_nodes_agree_with_each_other_the_databases_clock_is_named(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        for name in ("1", "2", "3"):
            node = scene.make(name)
            node.clock_error = timedelta(seconds=0.9)
            await scene.nursery.start(node.run)
        await trio.sleep(60)
        assert {told["wrong"] for told in node.events("cluster.clock_skewed")} == {"the database's clock"}


async def test_nodes_with_different_configurations_are_told_once_and_again_after_a_change(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        first = await scene.start("1")
        await scene.start("2")
        await trio.sleep(10)
        assert first.events("cluster.config_differs") == []
        third = await scene.start("3", config="def")
        await trio.sleep(60)
        (told,) = first.events("cluster.config_differs")
        assert told["nodes"] == {"abc": ["1 (10.0.0.1:1)", "2 (10.0.0.1:2)"], "def": ["3 (10.0.0.1:3)"]}
        await third.stop()
        await trio.sleep(10)
        await scene.start("3", config="ghi")
        await trio.sleep(10)
        assert len(first.events("cluster.config_differs")) == 2


async def test_a_single_server_is_told_to_be_without_a_standby_once(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        node = await scene.start("1")
        await trio.sleep(200)
        (told,) = node.events("cluster.not_synchronous")
        assert told["why"] == "synchronous_standby_names is empty"
        assert node.watch.why_not_synchronous == told["why"]


async def test_without_the_database_a_node_starts_nothing_and_joins_when_it_is_back(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock
) -> None:
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        node = scene.make("1")
        node.is_cut_off = True
        await scene.nursery.start(node.run)
        await trio.sleep(500)
        assert node.leadership.state is NodeState.TAKES_IN
        assert len(node.events()) < 20  # the log is not flooded
        node.is_cut_off = False
        await scene.until_leads(node, 2)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_happens_one_node_leads_and_never_two(
    postgresql_database: PostgresqlDatabase, autojump_clock: MockClock, seed: int
) -> None:
    """Cuts, hanging statements, sleeps, wrong clocks, kills; `never_two_trust` looks all the time."""
    rng = Random(seed)
    longest_s = 0.0
    async with cluster_scene(postgresql_database.conninfo()) as scene:
        nodes = [await scene.start(str(number)) for number in range(3)]
        vacant_since_s: float | None = None
        for _ in range(1_200):
            await trio.sleep(0.25)
            if rng.random() < 0.03:
                place = rng.randrange(3)
                match rng.choice(["cut", "cut", "hang", "sleep", "clock", "kill", "stop", "heal", "heal"]):
                    case "cut":
                        nodes[place].is_cut_off = True
                    case "sleep":
                        nodes[place].slept_s += rng.uniform(1, 40)
                    case "hang":
                        nodes[place].hangs_until_s = trio.current_time() + rng.uniform(1, 40)
                    case "clock":
                        nodes[place].clock_error = timedelta(seconds=rng.uniform(-4, 4))
                    case "kill" | "stop" as how:
                        nodes[place].is_cut_off |= how == "kill"
                        nodes[place].kill() if how == "kill" else scene.nursery.start_soon(nodes[place].stop)
                        nodes[place] = await scene.start(f"{place} again")
                    case _:
                        for node in nodes:
                            node.is_cut_off, node.clock_error = False, timedelta(0)
            may_lead = [node for node in nodes if node.is_well]
            if any(node.is_trusted for node in scene.nodes) or not may_lead:
                vacant_since_s = None
            elif vacant_since_s is None:
                vacant_since_s = trio.current_time()
            else:
                longest_s = max(longest_s, trio.current_time() - vacant_since_s)
                assert longest_s < 15
        epochs = [term.epoch for node in scene.nodes for _, term in node.terms]
        assert len(epochs) == len(set(epochs)) >= 3
