"""The wall clock compared with a clock that never steps: how far it may be ahead, and what confirms it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio
from trio.testing import MockClock

from missedd.core.admission.clock_steps import MAX_UNCONFIRMED
from missedd.engine.timing.clock_steps import ClockWatch
from tests.core.campaigns import minutes, seconds
from tests.engine.scene import WallClock

HOUR = timedelta(hours=1)


class Watched:
    def __init__(self) -> None:
        self.clock, self.steps, self.slept_s = WallClock(), list[float](), 0.0
        self.watch = ClockWatch(self.clock, lambda by_s: self.steps.append(round(by_s)), lambda: self.slept_s)
        self.watch.check()


async def test_a_clock_that_is_slewed_is_believed(autojump_clock: MockClock) -> None:
    watched = Watched()
    for _ in range(10):
        watched.clock.error += seconds(1.5)
        await trio.sleep(5)
        assert not watched.watch.clock_ahead()
    assert watched.steps == []


async def test_one_that_is_set_on_is_not_until_it_is_put_right(autojump_clock: MockClock) -> None:
    watched = Watched()
    watched.clock.error = HOUR
    assert watched.watch.clock_ahead() == HOUR
    await trio.sleep(3000)
    assert watched.watch.clock_ahead() == HOUR
    watched.clock.error = seconds(0.5)
    assert not watched.watch.clock_ahead()
    assert watched.steps == [3600, -3600]


async def test_a_call_of_the_new_time_confirms_it(autojump_clock: MockClock) -> None:
    watched = Watched()
    watched.clock.error = HOUR
    now = watched.clock.now()
    assert watched.watch.clock_ahead([None, now - HOUR]) == HOUR
    assert not watched.watch.clock_ahead([None, now - HOUR, now - minutes(1)])
    assert not watched.watch.clock_ahead()


async def test_after_some_hours_it_is_believed(autojump_clock: MockClock) -> None:
    watched = Watched()
    watched.clock.error = HOUR
    assert watched.watch.clock_ahead() == HOUR
    await trio.sleep(MAX_UNCONFIRMED.total_seconds() - 1)
    assert watched.watch.clock_ahead() == HOUR
    await trio.sleep(1)
    assert not watched.watch.clock_ahead()


@pytest.mark.parametrize("slept", [HOUR, timedelta(days=2)])
async def test_a_machine_that_slept_is_believed_at_once(autojump_clock: MockClock, slept: timedelta) -> None:
    watched = Watched()
    watched.clock.error, watched.slept_s = slept, slept.total_seconds()
    assert not watched.watch.clock_ahead()
    assert watched.steps == [slept.total_seconds()]
