"""A daemon that stands still: nothing of it runs, and afterwards it finds what came."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from simulator.harness.cluster.standstill import FollowParents, Standstill


@asynccontextmanager
async def daemon(standstill: Standstill) -> AsyncIterator[tuple[trio.Nursery, list[tuple[float, str]]]]:
    """A nursery whose tasks stand still, and a list of (seconds since now, text) for what they note."""
    noted: list[tuple[float, str]] = []
    trio.lowlevel.add_instrument(follow := FollowParents())
    async with trio.open_nursery() as outside:

        async def run(task_status: trio.TaskStatus[trio.Nursery]) -> None:
            await standstill.adopt_current_task()
            async with trio.open_nursery() as inside:
                task_status.started(inside)
                await trio.sleep_forever()

        yield await outside.start(run), noted
        outside.cancel_scope.cancel()
    trio.lowlevel.remove_instrument(follow)


async def test_nothing_runs_while_it_stands_still_and_time_goes_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    standstill, began_s = Standstill(), trio.current_time()
    async with daemon(standstill) as (inside, noted):

        async def tick() -> None:
            while True:
                await trio.sleep(1)
                noted.append((trio.current_time() - began_s, "tick"))

        inside.start_soon(tick)
        await trio.sleep(2.5)
        standstill.begin()
        await trio.sleep(10)
        assert [at_s for at_s, _ in noted] == [1, 2]
        standstill.end()
        await trio.sleep(1.2)
        assert [at_s for at_s, _ in noted] == [1, 2, 12.5, 13.5]


async def test_answers_and_timeouts_of_the_meantime_are_found_afterwards(
    autojump_clock: trio.testing.MockClock,
) -> None:
    standstill, answer, send = Standstill(), trio.Event(), trio.Event()
    async with daemon(standstill) as (inside, noted):

        async def wait_for_answer() -> None:
            await answer.wait()
            noted.append((0, "answered"))

        async def wait_in_vain() -> None:
            with trio.move_on_after(3):
                await send.wait()
            noted.append((0, "timeout"))

        inside.start_soon(wait_for_answer)
        inside.start_soon(wait_in_vain)
        await trio.sleep(1)
        standstill.begin()
        answer.set()
        await trio.sleep(10)
        assert noted == []
        standstill.end()
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(text for _, text in noted) == ["answered", "timeout"]


async def test_tasks_that_are_started_later_stand_still_too(autojump_clock: trio.testing.MockClock) -> None:
    standstill = Standstill()
    async with daemon(standstill) as (inside, noted):

        async def start_another() -> None:
            async with trio.open_nursery() as nursery:
                await trio.sleep(1)
                nursery.start_soon(note)

        async def note() -> None:
            await trio.sleep(1)
            noted.append((0, "noted"))

        inside.start_soon(start_another)
        await trio.sleep(1.5)
        standstill.begin()
        await trio.sleep(5)
        assert noted == []
        standstill.end()
        await trio.testing.wait_all_tasks_blocked()
        assert noted == [(0, "noted")]


async def test_a_request_waits_as_long_as_its_client_does(autojump_clock: trio.testing.MockClock) -> None:
    standstill = Standstill()
    async with daemon(standstill), trio.open_nursery() as nursery:
        answered = 0

        async def answer() -> str:
            nonlocal answered
            await trio.sleep(1)
            answered += 1
            return "yes"

        assert await standstill.run(answer, nursery) == "yes"
        standstill.begin()
        with trio.move_on_after(5) as patience:
            await standstill.run(answer, nursery)
        assert patience.cancelled_caught
        standstill.end()
        await trio.sleep(5)
        assert answered == 1


async def test_a_cancelled_daemon_ends_once_it_goes_on(autojump_clock: trio.testing.MockClock) -> None:
    standstill = Standstill()
    async with daemon(standstill) as (inside, noted):

        async def tidy_up() -> None:
            try:
                await trio.sleep_forever()
            finally:
                noted.append((0, "ended"))

        inside.start_soon(tidy_up)
        await trio.sleep(1)
        standstill.begin()
        inside.cancel_scope.cancel()
        await trio.sleep(5)
        assert noted == []
        standstill.end()
        await trio.testing.wait_all_tasks_blocked()
        assert noted == [(0, "ended")]


async def test_an_error_of_a_request_reaches_its_client(autojump_clock: trio.testing.MockClock) -> None:
    standstill = Standstill()
    async with daemon(standstill), trio.open_nursery() as nursery:

        async def fail() -> None:
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await standstill.run(fail, nursery)
