"""The queue before intake: no call waits for ever, and a call that was answered keeps its answer."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Verdict
from missedd.engine.intake.intake_queue import (
    CHECK_EVERY_S,
    MAX_BATCH_CALLS,
    IntakeQueue,
    Overloaded,
)
from missedd.store.opened_store import MAX_WAIT_S
from tests.core.campaigns import call


async def test_whoever_waits_too_long_is_refused_and_nobody_else(autojump_clock: MockClock) -> None:
    queue = IntakeQueue(MAX_WAIT_S)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.refuse_overdue)
        early = queue.put(call("early"))
        (out,) = await queue.next_batch()
        await trio.sleep(MAX_WAIT_S / 2)
        late = queue.put(call("late"))
        began_s = trio.current_time()
        with pytest.raises(Overloaded):
            await early.decision()
        assert trio.current_time() - began_s <= MAX_WAIT_S / 2 + 2 * CHECK_EVERY_S
        assert out is early
        assert late.failure is None
        with pytest.raises(Overloaded):
            await late.decision()
        nursery.cancel_scope.cancel()


async def test_an_answer_that_was_given_is_not_taken_back(autojump_clock: MockClock) -> None:
    queue = IntakeQueue(MAX_WAIT_S)
    waiting = queue.put(call())
    waiting.resolve(Verdict.ACCEPTED, None)
    waiting.fail(Overloaded("too late"))
    assert (waiting.verdict, waiting.failure) == (Verdict.ACCEPTED, None)


async def test_whoever_stops_waiting_leaves_the_call_to_be_decided(autojump_clock: MockClock) -> None:
    queue = IntakeQueue(MAX_WAIT_S)
    waiting = queue.put(call())
    with trio.move_on_after(1) as patience:
        await waiting.decision()
    assert patience.cancelled_caught
    waiting.resolve(Verdict.ACCEPTED, None)
    assert await waiting.decision() is Verdict.ACCEPTED


async def test_batches_are_bounded_and_in_order(autojump_clock: MockClock) -> None:
    queue = IntakeQueue(MAX_WAIT_S)
    put = [queue.put(call(f"c{index}")) for index in range(MAX_BATCH_CALLS + 10)]
    assert await queue.next_batch() == put[:MAX_BATCH_CALLS]
    assert await queue.next_batch() == put[MAX_BATCH_CALLS:]


async def test_a_closed_queue_is_emptied_and_takes_nothing(autojump_clock: MockClock) -> None:
    queue = IntakeQueue(MAX_WAIT_S)
    waiting = queue.put(call())
    queue.close()
    with pytest.raises(Overloaded):
        queue.put(call("another"))
    assert await queue.next_batch() == [waiting]
    assert await queue.next_batch() == []


class Steps(trio.abc.Instrument):
    """Counts how often any coroutine ran."""

    def __init__(self) -> None:
        self.count = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self.count += 1


async def test_watching_an_idle_queue_wakes_nobody(autojump_clock: MockClock) -> None:
    queue, steps = IntakeQueue(MAX_WAIT_S), Steps()
    trio.lowlevel.add_instrument(steps)
    with trio.move_on_after(86_400):
        await queue.refuse_overdue()
    assert steps.count < 10
