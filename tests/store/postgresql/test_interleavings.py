"""Two and three nodes decide about the same people in the same instant, statement by statement."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import psycopg
import pytest
from msgspec import to_builtins

from missedd.config.store_location import PostgresqlLocation
from missedd.core.model import Kind
from missedd.store.db.lock_keys import LockKeys
from missedd.store.postgresql import writing
from missedd.store.postgresql.writing import WritingDatabase
from missedd.store.reads.reader import load_analytics
from simulator.invariants.figures_recount import differences, recount_analytics
from tests.core.campaigns import INDIA
from tests.postgresql_server import PostgresqlDatabase
from tests.store.postgresql.stepped_nodes import (
    CALLERS,
    SharedClock,
    SteppedNode,
    World,
    find_faults,
    open_node,
    run_nodes,
)
from tests.store.postgresql.stepper import Script, Stepper

pytestmark = pytest.mark.slow

ROUNDS = 6
SEEDS_FOR_A_MISTAKE = 40
"""A planted mistake is found within this number of seeds."""


async def play(database: PostgresqlDatabase, seed: int, node_count: int) -> tuple[list[str], int]:
    """One run: its faults, and how often a node waited for another's lock."""
    rng = Random(seed)
    with database.connect() as monitor, database.connect() as watching:
        world = World(SharedClock(), rng, monitor)
        location = PostgresqlLocation(database.url)
        nodes = [await open_node(location, world, writer_id) for writer_id in range(1, node_count + 1)]
        stepper = Stepper(rng, watching)

        async def rounds() -> None:
            for _ in range(ROUNDS):
                await stepper.run({node.backend_pid: _script(node, node is nodes[0]) for node in nodes})
                world.clock.at += timedelta(seconds=rng.choice((1, 6, 40)))

        await run_nodes(nodes, rounds)
        faults = find_faults(world, await analytics_faults(nodes[0], world))
        if world.refused:
            faults.append(f"refused: {world.refused[0]}")
        for node in nodes:
            await node.close()
        return faults, stepper.parked


def _script(node: SteppedNode, leads: bool) -> Any:
    return node.lead if leads else node.take_in


async def analytics_faults(node: SteppedNode, world: World) -> list[str]:
    """Where the analytics differ from a recount of the rows."""

    async def rows(sql: str) -> list[tuple[Any, ...]]:
        return world.rows(sql)

    counted = await recount_analytics(rows, None, None, None, INDIA)
    shown = await node.read(lambda db: load_analytics(db, None, None, None, INDIA))
    return [f"analytics: {key} {pair}" for key, pair in differences(to_builtins(shown), counted).items()]


@pytest.mark.parametrize("node_count", [2, 3])
@pytest.mark.parametrize("seed", range(6))
async def test_nodes_decide_once_in_any_order_of_their_statements(
    postgresql_database: PostgresqlDatabase, seed: int, node_count: int
) -> None:
    faults, _ = await play(postgresql_database, seed, node_count)
    assert faults == []


async def test_the_interleavings_reach_the_locks(postgresql_database: PostgresqlDatabase) -> None:
    _, parked = await play(postgresql_database, 1, 3)
    assert parked > 5


async def play_last_report(database: PostgresqlDatabase, seed: int) -> list[str]:
    """A callback comes to an agent who talks, just when another node hears that this call has ended."""
    rng = Random(seed)
    with database.connect() as monitor, database.connect() as watching:
        world = World(SharedClock(), rng, monitor)
        location = PostgresqlLocation(database.url)
        leader, other = [await open_node(location, world, writer_id) for writer_id in (1, 2)]

        async def body() -> None:
            await leader.call_of(CALLERS[0])
            world.clock.at += timedelta(seconds=6)
            await leader.claim()
            await leader.call_of(CALLERS[1])
            world.clock.at += timedelta(seconds=6)
            scripts: dict[int, Script] = {
                leader.backend_pid: lambda turns: leader.play(turns, leader.claim),
                other.backend_pid: lambda turns: other.play(turns, partial(other.report, Kind.CALLBACK)),
            }
            await Stepper(rng, watching).run(scripts)

        await run_nodes([leader, other], body)
        faults = find_faults(world)
        for node in (leader, other):
            await node.close()
        return faults


@pytest.mark.parametrize("seed", range(8))
async def test_a_callback_hears_of_the_end_that_it_waits_for(
    postgresql_database: PostgresqlDatabase, seed: int
) -> None:
    assert await play_last_report(postgresql_database, seed) == []


async def play_three(database: PostgresqlDatabase, seed: int) -> list[str]:
    return (await play(database, seed, 3))[0]


async def find(
    database: PostgresqlDatabase,
    word: str,
    run: Callable[[PostgresqlDatabase, int], Awaitable[list[str]]] = play_three,
) -> int:
    """The first seed whose run has a fault with this word, counted from 1."""
    for seed in range(SEEDS_FOR_A_MISTAKE):
        fresh = database.server.fresh_database()
        try:
            faults = await run(fresh, seed)
        except (psycopg.Error, ExceptionGroup) as failure:
            faults = [repr(failure)]
        finally:
            fresh.drop()
        if any(word in fault for fault in faults):
            return seed + 1
    raise AssertionError(f"no fault with {word!r} in {SEEDS_FOR_A_MISTAKE} seeds")


async def lock_nothing_more(self: WritingDatabase, keys: LockKeys) -> None:
    """Stands in for `WritingDatabase.lock`."""


@pytest.mark.soak
async def test_planted_nobody_locks_anything(
    postgresql_database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "lock_parameters", lambda keys: (0, "[]", "[]"))
    monkeypatch.setattr(WritingDatabase, "lock", lock_nothing_more)
    assert await find(postgresql_database, "accepted twice")


@pytest.mark.soak
async def test_planted_a_callback_waits_for_an_agent_beside_open_transactions(
    postgresql_database: PostgresqlDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The call that it waits for ends on another node, which sees nobody who waits."""
    monkeypatch.setattr(WritingDatabase, "lock", lock_nothing_more)
    assert await find(postgresql_database, "waits for a call that is over", play_last_report)
