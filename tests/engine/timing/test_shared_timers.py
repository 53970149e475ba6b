"""On a shared database timers of other nodes are found, each once, however they were committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.engine.timing.shared_timers import (
    ASKED_FULL_READ_AFTER_S,
    FULL_READ_EVERY_S,
    READ_AHEAD_S,
    READ_BACK_S,
    READ_EVERY_S,
    SharedTimers,
)
from missedd.store.actions.rows import Timer
from tests.core.campaigns import campaign, policy, seconds
from tests.engine.scene import EngineScene, scene, us

NOTHING = policy(campaign())


class Rows:
    """The due rows of a database to which other nodes write. A claim takes a row away."""

    def __init__(self) -> None:
        self.timers: set[Timer] = set()
        self.reads: list[tuple[int, int]] = []
        self.takes_s = 0.0

    async def read(self, after_us: int, until_us: int) -> list[Timer]:
        self.reads.append((after_us, until_us))
        found = sorted(timer for timer in self.timers if after_us < timer.at_us <= until_us)
        await trio.sleep(self.takes_s)
        return found


def wake(at_s: float, action_id: int = 1) -> Timer:
    return Timer(us(at_s), action_id, Lane.VOICE)


@asynccontextmanager
async def sharing(folder: Path, rows: Rows) -> AsyncIterator[tuple[EngineScene, SharedTimers]]:
    async with scene(folder, NOTHING) as stage:
        timers = SharedTimers(stage.clock, rows.read, stage.ready, stage.clock_watch)
        async with trio.open_nursery() as nursery:
            await timers.load()
            await nursery.start(timers.run)
            yield stage, timers
            nursery.cancel_scope.cancel()


def drain(stage: EngineScene) -> list[int]:
    """The actions that are in the queue, taken out of it."""
    return sorted(action_id for _, action_id in stage.ready[Lane.VOICE].take(1000))


async def test_what_others_committed_fires_at_its_instant(autojump_clock: MockClock, tmp_path: Path) -> None:
    rows = Rows()
    async with sharing(tmp_path, rows) as (stage, _):
        await trio.sleep(0.5)
        rows.timers |= {wake(10.25, 1), wake(0.5, 2)}
        await trio.sleep(READ_EVERY_S)
        assert drain(stage) == [2], "it was due at once, and the next read found it"
        rows.timers.discard(wake(0.5, 2))
        await trio.sleep(8.7)  # 10.2 s
        assert drain(stage) == []
        await trio.sleep(0.1)
        assert drain(stage) == [1]


async def test_what_is_read_again_and_again_is_queued_once(autojump_clock: MockClock, tmp_path: Path) -> None:
    rows = Rows()
    rows.timers = {wake(5, 1), wake(-300, 2)}
    async with sharing(tmp_path, rows) as (stage, timers):
        taken: Counter[int] = Counter()
        for _ in range(200):  # it waits for the rate limit, in the queue
            await trio.sleep(0.5)
            assert len(stage.ready[Lane.VOICE]) + len(timers) <= 2
        taken.update(drain(stage))
        assert taken == {1: 1, 2: 1}


async def test_a_claim_in_flight_is_found_again_only_by_a_full_read(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    rows = Rows()
    rows.timers = {wake(3, 1)}
    async with sharing(tmp_path, rows) as (stage, _):
        await trio.sleep(3.1)
        assert drain(stage) == [1]
        # Its claim does not commit, so the row stays due.
        await trio.sleep(FULL_READ_EVERY_S - 3.2)
        assert drain(stage) == []
        await trio.sleep(READ_EVERY_S + 0.2)
        assert drain(stage) == [1]


async def test_news_wake_before_the_next_read_and_are_taken_once(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    rows = Rows()
    async with sharing(tmp_path, rows) as (stage, timers):
        await trio.sleep(0.2)
        news = [wake(0.2, 1), wake(1.5, 2), wake(3000, 3)]
        rows.timers.update(news)
        timers.add_found(news)
        timers.add_found(news)
        await trio.sleep(0.05)
        assert drain(stage) == [1]
        assert len(timers) == 1, "what is far away stays on disk"
        await trio.sleep(1.5)
        assert drain(stage) == [2]


async def test_what_is_added_here_is_added_though_it_is_known(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    rows = Rows()
    async with sharing(tmp_path, rows) as (stage, timers):
        timers.add([wake(1)])
        await trio.sleep(1.1)
        assert drain(stage) == [1]
        # The claim says that it is not due yet: the wall clock was set back since.
        timers.add([wake(1)])
        await trio.sleep(0.1)
        assert drain(stage) == [1]


@pytest.mark.parametrize("is_asked", [True, False])
async def test_what_was_due_long_before_it_was_committed_waits_for_a_full_read(
    autojump_clock: MockClock, tmp_path: Path, is_asked: bool
) -> None:
    rows = Rows()
    async with sharing(tmp_path, rows) as (stage, timers):
        await trio.sleep(0.1)
        rows.timers = {wake(-READ_BACK_S - 5)}
        limit_s = FULL_READ_EVERY_S
        if is_asked:
            timers.request_full_read()
            timers.request_full_read()
            limit_s = ASKED_FULL_READ_AFTER_S
        await trio.sleep(limit_s - 0.3)
        assert drain(stage) == []
        await trio.sleep(READ_EVERY_S + 0.5)
        assert drain(stage) == [1]


async def test_a_burst_of_requests_makes_few_full_reads(autojump_clock: MockClock, tmp_path: Path) -> None:
    rows = Rows()
    async with sharing(tmp_path, rows) as (_, timers):
        for _ in range(40 * 4):
            timers.request_full_read()
            await trio.sleep(0.25)
        full = [each for each in rows.reads if each[0] == -1]
        assert len(full) == pytest.approx(1 + 40 / ASKED_FULL_READ_AFTER_S, abs=1)


async def test_full_reads_that_take_long_are_rare(autojump_clock: MockClock, tmp_path: Path) -> None:
    rows = Rows()
    rows.takes_s = 2.0
    async with sharing(tmp_path, rows) as (_, timers):
        rows.reads.clear()
        for _ in range(85 * 4):
            timers.request_full_read()
            await trio.sleep(0.25)
        full = [each for each in rows.reads if each[0] == -1]
        assert len(full) == 2


async def test_reads_go_on_from_the_last_one_that_brought_a_result(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    rows = Rows()
    async with sharing(tmp_path, rows) as (stage, _):
        await trio.sleep(0.5)
        rows.takes_s = 20.0  # the database is away
        await trio.sleep(1)
        rows.takes_s = 0.0
        rows.timers = {wake(4)}
        await trio.sleep(19.9)
        assert drain(stage) == []
        await trio.sleep(READ_EVERY_S)
        assert drain(stage) == [1], "its instant is farther back than a read usually looks"


async def test_a_wall_clock_that_was_set_back_stops_no_read(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    rows = Rows()
    async with sharing(tmp_path, rows) as (stage, _):
        stage.clock.error = seconds(-3600)
        await trio.sleep(1)
        rows.timers = {wake(-3600 + 3)}
        await trio.sleep(1.9)
        assert drain(stage) == []
        await trio.sleep(0.2)
        assert drain(stage) == [1]


async def test_memory_holds_what_is_near_only(autojump_clock: MockClock, tmp_path: Path) -> None:
    rows = Rows()
    rows.timers = set(far(range(1, 1000)))
    async with sharing(tmp_path, rows) as (_, timers):
        await trio.sleep(30)
        assert len(timers) <= READ_AHEAD_S + 1


def far(ids: Iterable[int]) -> list[Timer]:
    return [wake(10.0 + each, each) for each in ids]
