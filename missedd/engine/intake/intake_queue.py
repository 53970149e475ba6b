"""The queue in front of intake: calls that wait for their decision, and the limit on their wait.

Exotel waits fifteen seconds for an answer and then sends the request again. So no call waits longer than
the store's `max_wait_s`: an early, clear refusal frees both sides. We stop waiting, but the commit may
still succeed; then the second delivery is a redelivery. One coroutine checks all waiting calls, as a time
limit around each of them would cost a tenth of the throughput.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import trio

from missedd.core.model import InboundCall, Verdict

MAX_BATCH_CALLS: Final = 256
"""Calls in one transaction. In a larger batch the rows would cost more than the shared fsync saves."""

MAX_PENDING_CALLS: Final = 4096
"""Calls that may wait: about a second of the largest burst. Further calls get a 503 at once, and Exotel
sends them again minutes later. That is better than an answer after Exotel has stopped waiting."""

CHECK_EVERY_S: Final = 0.5


class Overloaded(Exception):
    """The queue is full, or the answer would come too late. The client should send the request again."""


@contextmanager
def limited_wait(max_wait_s: float) -> Iterator[None]:
    """Stop to wait for the store after `max_wait_s` seconds, and raise `Overloaded`."""
    with trio.move_on_after(max_wait_s) as waiting:
        yield
    if waiting.cancelled_caught:
        raise _too_slow(max_wait_s)


@dataclass(slots=True, eq=False)
class PendingCall:
    """One call that waits for its decision. `resolve` or `fail` answers it, whichever comes first.

    Its one waiter is woken directly: a `trio.Event`, made for many, would cost each call a microsecond more.
    """

    call: InboundCall
    enqueued_at_s: float
    verdict: Verdict | None = None
    report_for: int | None = None
    failure: Exception | None = None
    _waiter: trio.lowlevel.Task | None = None

    async def decision(self) -> Verdict:
        """Wait for the verdict; raises why there is none. A checkpoint, unless it is decided already."""
        if self.verdict is None and self.failure is None:
            self._waiter = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._stop_waiting)
        if self.failure is not None:
            raise self.failure
        if self.verdict is None:
            raise AssertionError("decided without a verdict")
        return self.verdict

    def _stop_waiting(self, _raise_cancel: object) -> trio.lowlevel.Abort:
        self._waiter = None
        return trio.lowlevel.Abort.SUCCEEDED

    def _wake_waiter(self) -> None:
        if self._waiter is not None:
            trio.lowlevel.reschedule(self._waiter)
            self._waiter = None

    def resolve(self, verdict: Verdict, report_for: int | None) -> None:
        self.verdict = verdict
        self.report_for = report_for
        self._wake_waiter()

    def fail(self, failure: Exception) -> None:
        if self.verdict is None and self.failure is None:
            self.failure = failure
            self._wake_waiter()


class IntakeQueue:
    """Filled by webhooks and catch-up, emptied by intake alone."""

    def __init__(self, max_wait_s: float) -> None:
        """A call that has waited for `max_wait_s` seconds is refused."""
        self._max_wait_s = max_wait_s
        self._now_s = trio.lowlevel.current_clock().current_time
        self._pending: deque[PendingCall] = deque()
        self._in_decision: Sequence[PendingCall] = ()
        self._has_calls = trio.Event()
        self._is_closed = False

    def put(self, call: InboundCall) -> PendingCall:
        """Add a call. Raises `Overloaded` if the queue is full or the daemon stops."""
        if self._is_closed:
            raise Overloaded("the daemon is stopping")
        if len(self._pending) >= MAX_PENDING_CALLS:
            raise Overloaded("too many calls are waiting")
        waiting = PendingCall(call, self._now_s())
        self._pending.append(waiting)
        self._has_calls.set()
        return waiting

    async def next_batch(self) -> list[PendingCall]:
        """Wait for the next calls to decide, the oldest first; empty once the queue is closed and empty."""
        self._in_decision = ()
        while not self._pending:
            if self._is_closed:
                return []
            self._has_calls = trio.Event()
            await self._has_calls.wait()
        before = 0
        while before < len(self._pending) < MAX_BATCH_CALLS:
            # Let other coroutines run as long as that adds calls. So the clients of the last batch get their
            # answers first, and new calls join this batch. It costs no time if nothing else can run.
            before = len(self._pending)
            await trio.lowlevel.checkpoint()  # a turn to read new requests
            await trio.lowlevel.checkpoint()  # a turn to parse them
        batch = [self._pending.popleft() for _ in range(min(MAX_BATCH_CALLS, len(self._pending)))]
        self._in_decision = batch
        return batch

    def close(self) -> None:
        """Accept no more calls."""
        self._is_closed = True
        self._has_calls.set()

    async def refuse_overdue(self) -> None:
        """Refuse calls that have waited too long, for ever."""
        while True:
            if not self._pending and not self._in_decision:
                await self._has_calls.wait()
            await trio.sleep(CHECK_EVERY_S)
            too_long = trio.current_time() - self._max_wait_s
            for pending in (*self._in_decision, *self._pending):
                if pending.enqueued_at_s > too_long:
                    break
                pending.fail(_too_slow(self._max_wait_s))


def _too_slow(max_wait_s: float) -> Overloaded:
    return Overloaded(f"the store took over {max_wait_s:g} s")
