"""The rate limiter: no minute has more requests than the limit, whatever is released or paused."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import pytest
import trio
from trio.testing import MockClock

from missedd.engine.provider.rate_limiter import WINDOW_S, RateLimiter
from missedd.engine.timing.due_queue import DueQueue


def fullest_minute(used: list[float]) -> int:
    return max(sum(one <= each < one + 60 for each in used) for one in used)


@pytest.mark.parametrize("per_minute", [1, 7, 60, 200])
async def test_no_minute_ever_holds_more_than_the_limit(autojump_clock: MockClock, per_minute: int) -> None:
    budget, used = RateLimiter(per_minute), list[float]()
    with trio.move_on_after(400):
        while True:
            await budget.acquire()
            used.append(trio.current_time())
    assert fullest_minute(used) <= per_minute
    assert len(used) >= 400 / 60 * per_minute * 0.98


async def test_rate_limiter_reports_the_used_share_of_the_last_minute(autojump_clock: MockClock) -> None:
    budget = RateLimiter(60, [10.0, 50.0, 70.0])
    assert budget.used_share == pytest.approx(2 / 60)
    for _ in range(13):
        await budget.acquire()
    assert budget.used_share == pytest.approx(15 / 60)
    await trio.sleep(30)
    assert budget.used_share == pytest.approx(14 / 60)
    await trio.sleep(31)
    assert budget.used_share == 0


async def test_a_quarter_goes_at_once_and_the_rest_is_spread(autojump_clock: MockClock) -> None:
    budget, used, began = RateLimiter(60), list[float](), trio.current_time()
    for _ in range(45):
        await budget.acquire()
        used.append(trio.current_time() - began)
    assert used[:15] == [0.0] * 15
    gaps = [later - earlier for earlier, later in pairwise(used[14:])]
    assert min(gaps) == pytest.approx(budget.spacing_s)
    assert max(gaps) == pytest.approx(budget.spacing_s)


async def test_what_was_spent_before_a_restart_counts(autojump_clock: MockClock) -> None:
    began = trio.current_time()
    budget = RateLimiter(10, [50.0] * 10)
    await budget.acquire()
    assert trio.current_time() - began == pytest.approx(WINDOW_S - 50)


@pytest.mark.parametrize("seed", range(20))
async def test_nor_when_slots_are_given_back_and_idle_times_lie_between(
    autojump_clock: MockClock, seed: int
) -> None:
    rng, budget, used = Random(seed), RateLimiter(10), list[float]()

    async def client() -> None:
        while True:
            slot = await budget.acquire()
            if rng.random() < 0.3:
                await trio.sleep(rng.choice([0.0, 1.0, 10.0]))
                budget.release(slot)
            else:
                used.append(trio.current_time())
            if rng.random() < 0.1:
                await trio.sleep(rng.uniform(0, 60))

    with trio.move_on_after(1200):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(client)
    assert fullest_minute(used) <= 10


async def test_a_slot_given_back_may_be_used_at_once(autojump_clock: MockClock) -> None:
    budget = RateLimiter(1)
    began = trio.current_time()
    budget.release(await budget.acquire())
    await budget.acquire()
    assert trio.current_time() == began
    await budget.acquire()
    assert trio.current_time() - began >= 60


async def test_a_slot_is_lost_once_a_later_one_was_taken(autojump_clock: MockClock) -> None:
    budget = RateLimiter(1)
    unused = await budget.acquire()
    await budget.acquire()
    budget.release(unused)
    before = trio.current_time()
    await budget.acquire()
    assert trio.current_time() - before >= 60


async def test_a_pause_lets_nothing_out_and_the_longer_one_stays(autojump_clock: MockClock) -> None:
    budget = RateLimiter(60)
    began = trio.current_time()
    budget.pause(30)
    budget.pause(5)
    assert budget.pause_left_s == 30
    await budget.acquire()
    assert trio.current_time() - began == pytest.approx(30)
    assert budget.pause_left_s == 0


async def test_a_pause_reaches_those_who_wait_already(autojump_clock: MockClock) -> None:
    budget = RateLimiter(6)
    began = trio.current_time()
    await budget.acquire()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(budget.acquire)
        await trio.sleep(1)
        budget.pause(100)
    assert trio.current_time() - began == pytest.approx(101)


async def test_who_leaves_the_queue_leaves_it_to_the_next(autojump_clock: MockClock) -> None:
    budget = RateLimiter(6)
    began = trio.current_time()
    await budget.acquire()
    with trio.move_on_after(5):
        await budget.acquire()
    await budget.acquire()
    assert trio.current_time() - began == pytest.approx(budget.spacing_s)


async def test_a_slot_counts_from_when_its_request_leaves(autojump_clock: MockClock) -> None:
    budget, used = RateLimiter(6), list[float]()
    for late_s in [8, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 0] * 3:
        slot = await budget.acquire()
        await trio.sleep(late_s)  # its claim is committed to a slow disk
        budget.restamp(slot)
        used.append(trio.current_time())
    assert fullest_minute(used) <= 6


def test_the_freshest_go_first() -> None:
    ready = DueQueue()
    for due_us, action_id in [(10, 1), (30, 2), (20, 3), (30, 4)]:
        ready.add(due_us, action_id)
    assert len(ready) == 4
    assert ready.due_ids() == {1, 2, 3, 4}
    assert ready.take(3) == [(30, 4), (30, 2), (20, 3)]
    assert ready.take(3) == [(10, 1)]
    assert ready.take(3) == []


async def test_whoever_waits_for_a_queue_wakes_when_it_fills(autojump_clock: MockClock) -> None:
    ready = DueQueue()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ready.wait)
        await trio.sleep(1)
        ready.add(1, 1)
    ready.take(1)
    with trio.move_on_after(1) as scope:
        await ready.wait()
    assert scope.cancelled_caught
