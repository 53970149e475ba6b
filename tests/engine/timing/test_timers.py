"""Timers fire in order and on time. Neither a restart nor a step of the wall clock loses one."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.engine.timing.clock_steps import CHECK_EVERY_S, ClockWatch
from missedd.engine.timing.timers import HORIZON_S, Timers
from missedd.store.actions.rows import Timer
from tests.core.campaigns import NOON, callback, campaign, policy, seconds
from tests.engine.scene import EngineScene, scene, us

NOTHING = policy(campaign())


def wakes(*at_s: float) -> list[Timer]:
    return [Timer(us(at), index, Lane.VOICE) for index, at in enumerate(at_s, 1)]


def about(instant_s: float, abs: float = 0.001) -> Any:  # noqa: A002 - pytest's own word
    """`pytest.approx`, whose type does not allow a comparison with a float."""
    return pytest.approx(instant_s, abs=abs)


async def fired(stage: EngineScene, until_s: float) -> list[tuple[float, int]]:
    """The actions that become due until then, as (seconds after noon by trio's clock, action id)."""
    found, queue, began_s = list[tuple[float, int]](), stage.ready[Lane.VOICE], trio.current_time()
    with trio.move_on_after(until_s):
        while True:
            await queue.wait()
            found += [(round(trio.current_time() - began_s, 3), each) for _, each in queue.take(100)]
            await trio.lowlevel.checkpoint()
    return found


async def test_each_fires_at_its_instant_whatever_the_order_of_arrival(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, NOTHING) as stage:
        stage.timers.add(wakes(30, 10, 20, 10, 0, -5))
        found = await fired(stage, 60)
        assert [at for at, _ in found] == pytest.approx([0, 0, 10, 10, 20, 30], abs=0.001)
        assert [each for _, each in found] == [5, 6, 4, 2, 3, 1]
        assert len(stage.timers) == 0


async def test_an_earlier_entry_wakes_the_sleeper(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, NOTHING) as stage:
        stage.timers.add(wakes(60))
        await trio.sleep(0.1)
        stage.timers.add([Timer(us(0.5), 9, Lane.VOICE)])
        assert (await fired(stage, 1))[0] == (about(0.4, abs=0.001), 9)


async def test_each_lane_gets_its_own(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, NOTHING) as stage:
        stage.timers.add([Timer(us(1), index, lane) for index, lane in enumerate(Lane)])
        await trio.sleep(2)
        assert {lane: queue.due_ids() for lane, queue in stage.ready.items()} == {
            lane: {index} for index, lane in enumerate(Lane)
        }


DELAYED = policy(campaign(callback=callback(delay=timedelta(hours=5), give_up_after=timedelta(hours=9))))


async def test_what_lies_beyond_the_horizon_is_loaded_when_it_comes_near(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, DELAYED) as stage:
        await stage.call()
        assert len(stage.timers) == 0
        found = await fired(stage, 6 * 3600)
        assert found == [(about(5 * 3600, abs=0.001), 1)]


async def test_a_start_fires_what_became_due_meanwhile(autojump_clock: MockClock, tmp_path: Path) -> None:
    of = policy(campaign(callback=callback()))
    async with scene(tmp_path, of) as stage:
        await stage.call("c1", NOON)
        await stage.call("c2", NOON + seconds(60), caller="+919800000077")
    async with scene(tmp_path, of, NOON + seconds(45)) as stage:
        assert stage.timers.pending_ids() == {1, 2}
        assert await fired(stage, 60) == [(0, 1), (about(45, abs=0.001), 2)]


@pytest.mark.parametrize("step_s", [3600.0, 7 * 3600.0, 100.0])
async def test_a_clock_set_forward_fires_what_it_leapt_over_once(
    autojump_clock: MockClock, tmp_path: Path, step_s: float
) -> None:
    async with scene(tmp_path, DELAYED) as stage:
        await stage.call()
        stage.timers.add([Timer(us(50), 99, Lane.VOICE)])
        await trio.sleep(1)
        stage.clock.error = seconds(step_s)
        found = await fired(stage, 8 * 3600)
        assert sorted(each for _, each in found) == [1, 99]
        fired_at = {each: at for at, each in found}
        assert fired_at[99] <= CHECK_EVERY_S
        due_s = max(5 * 3600 - step_s - 1, 0)
        assert fired_at[1] == about(due_s, abs=CHECK_EVERY_S)
        assert len(stage.events("timer.clock_stepped")) == 1


@pytest.mark.parametrize("step_s", [-10.0, -7200.0])
async def test_a_clock_set_back_makes_its_timers_wait_and_loses_none(
    autojump_clock: MockClock, tmp_path: Path, step_s: float
) -> None:
    async with scene(tmp_path, NOTHING) as stage:
        stage.timers.add(wakes(20, 3000))
        await trio.sleep(1)
        stage.clock.error = seconds(step_s)
        found = await fired(stage, 4 * 3600)
        assert found == [
            (about(19 - step_s, abs=0.001), 1),
            (about(2999 - step_s, abs=0.001), 2),
        ]


@pytest.mark.parametrize("seed", range(5))
async def test_memory_holds_exactly_what_is_due_on_disk(
    autojump_clock: MockClock, tmp_path: Path, seed: int
) -> None:
    rng = Random(seed)
    delays = [timedelta(minutes=rng.choice([1, 20, 40, 70])) for _ in range(4)]
    campaigns = [
        campaign(name=f"c{n}", exophones=(f"+9180471200{n:02}",), callback=callback(delay=each))
        for n, each in enumerate(delays)
    ]
    async with scene(tmp_path, policy(*campaigns)) as stage:
        fired_ids = set[int]()
        for index in range(60):
            await stage.call(f"c{index}", caller=f"+9198{index:08}", dialled=(f"+9180471200{index % 4:02}",))
            await trio.sleep(rng.uniform(0, 300))
            fired_ids |= {each for _, each in stage.ready[Lane.VOICE].take(100)}
            within = us((stage.clock.now() - NOON).total_seconds() + HORIZON_S / 2)
            soon = await stage.rows("SELECT id FROM actions WHERE wake_at <= ?", within)
            everything = await stage.due_on_disk()
            assert {each for (each,) in soon} <= stage.timers.pending_ids() | fired_ids <= everything
        await trio.sleep(3 * 3600)
        assert stage.timers.pending_ids() | fired_ids == await stage.due_on_disk()
        assert len(stage.ready[Lane.VOICE]) == len(stage.ready[Lane.VOICE].due_ids()), "nothing fired twice"


async def test_what_is_committed_while_the_store_is_read_is_taken_once(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, NOTHING) as stage:

        async def load(after_us: int, until_us: int) -> list[Timer]:
            # The code that committed the timer adds it, and the query sees it as well.
            both = [Timer(us(1), 1, Lane.VOICE)] if after_us < us(1) <= until_us else []
            timers.add(both)
            return [*both]

        timers = Timers(stage.clock, load, stage.ready, stage.clock_watch)
        async with trio.open_nursery() as nursery:
            await nursery.start(timers.run)
            assert [each for _, each in await fired(stage, 5)] == [1]
            nursery.cancel_scope.cancel()


async def test_a_clock_set_while_the_store_is_read_is_noticed(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, NOTHING) as stage:

        async def load(after_us: int, until_us: int) -> list[Timer]:
            if after_us > 0:
                stage.clock.error = seconds(100)
            return []

        steps: list[float] = []
        # This watch does not run, so the timers look at the clock themselves.
        watch = ClockWatch(stage.clock, steps.append)
        async with trio.open_nursery() as nursery:
            await nursery.start(Timers(stage.clock, load, stage.ready, watch).run)
            await trio.sleep(HORIZON_S)
            nursery.cancel_scope.cancel()
        assert steps == [about(100)]


async def test_what_is_committed_while_the_horizon_moves_is_taken_once(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    of = policy(campaign(callback=callback(delay=timedelta(minutes=80), give_up_after=timedelta(hours=9))))
    async with scene(tmp_path, of) as stage:
        for index in range(300):
            await stage.call(f"c{index}", caller=f"+9198{index:08}")
            await trio.sleep(10)
        found = await fired(stage, 3 * 3600)
        assert sorted(each for _, each in found) == list(range(1, 301))
