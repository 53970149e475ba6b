"""The queue in front of intake: who waits, since when, and who has waited too long.

Exotel gives a request up after fifteen seconds and sends it again by itself, so nobody is kept
longer than `MAX_WAIT_S`: a clear refusal before that frees both ends. Given up is the wait, not the
work: the store may yet keep the call, and then a second delivery is a redelivery. One task looks
after all who wait, as a time limit around each of them would cost a tenth of the throughput.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from missedd.core.model import InboundCall, Verdict

MAX_BATCH_CALLS: Final = 256
"""Calls to a transaction: where the rows themselves cost more than the fsync they share."""

MAX_PENDING_CALLS: Final = 4096
"""Calls that may wait: about a second of the busiest burst. Beyond it the answer is 503 at once,
and Exotel sends the call again minutes later, which is better than an answer after its patience."""

MAX_WAIT_S: Final = 10.0
CHECK_EVERY_S: Final = 0.5


class Overloaded(Exception):
    """There is no room, or the answer would come too late; the caller should be asked to come again."""


@dataclass(slots=True, eq=False)
class PendingCall:
    """One call that waits for its decision; answered by `resolve` or `fail`, whichever comes first."""

    call: InboundCall
    enqueued_at_s: float = field(default_factory=trio.current_time)
    decided: trio.Event = field(default_factory=trio.Event)
    verdict: Verdict | None = None
    report_for: int | None = None
    failure: Exception | None = None

    def resolve(self, verdict: Verdict, report_for: int | None) -> None:
        self.verdict = verdict
        self.report_for = report_for
        self.decided.set()

    def fail(self, failure: Exception) -> None:
        if self.verdict is None and self.failure is None:
            self.failure = failure
            self.decided.set()


class IntakeQueue:
    """Filled by whoever brings a call, emptied by intake alone."""

    def __init__(self) -> None:
        self._pending: deque[PendingCall] = deque()
        self._in_decision: Sequence[PendingCall] = ()
        self._has_calls = trio.Event()
        self._is_closed = False

    def put(self, call: InboundCall) -> PendingCall:
        """Let a call wait its turn. Raises `Overloaded` where there is no room."""
        if self._is_closed:
            raise Overloaded("the daemon is stopping")
        if len(self._pending) >= MAX_PENDING_CALLS:
            raise Overloaded("too many calls wait already")
        waiting = PendingCall(call)
        self._pending.append(waiting)
        self._has_calls.set()
        return waiting

    async def next_batch(self) -> list[PendingCall]:
        """The next ones to be decided, the longest waiting first; none once it is closed and empty."""
        self._in_decision = ()
        while not self._pending:
            if self._is_closed:
                return []
            self._has_calls = trio.Event()
            await self._has_calls.wait()
        before = 0
        while before < len(self._pending) < MAX_BATCH_CALLS:
            # Others get a turn as long as that brings somebody: whoever was just answered hears of it first,
            # and who knocks meanwhile comes along. It takes no time where nobody else has anything to do.
            before = len(self._pending)
            await trio.lowlevel.checkpoint()  # to read what has come
            await trio.lowlevel.checkpoint()  # to understand it
        batch = [self._pending.popleft() for _ in range(min(MAX_BATCH_CALLS, len(self._pending)))]
        self._in_decision = batch
        return batch

    def close(self) -> None:
        """Take no more."""
        self._is_closed = True
        self._has_calls.set()

    async def refuse_overdue(self) -> None:
        """Refuse those who have waited too long, as they come to it; for ever."""
        while True:
            if not self._pending and not self._in_decision:
                await self._has_calls.wait()
            await trio.sleep(CHECK_EVERY_S)
            too_long = trio.current_time() - MAX_WAIT_S
            for each in (*self._in_decision, *self._pending):
                if each.enqueued_at_s > too_long:
                    break
                each.fail(Overloaded(f"the store took over {MAX_WAIT_S:g} s"))
