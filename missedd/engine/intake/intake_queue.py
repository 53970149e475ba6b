"""The queue in front of intake: who waits, since when, and who has waited too long.

Exotel gives a request up after fifteen seconds and sends it again by itself, so nobody is kept
longer than `PATIENCE_S`: a clear refusal before that frees both ends. Given up is the wait, not the
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

BATCH: Final = 256
"""Calls to a transaction: where the rows themselves cost more than the fsync they share."""

ROOM: Final = 4096
"""Calls that may wait: about a second of the busiest burst. Beyond it the answer is 503 at once,
and Exotel sends the call again minutes later, which is better than an answer after its patience."""

PATIENCE_S: Final = 10.0
LOOK_S: Final = 0.5


class Overloaded(Exception):
    """There is no room, or the answer would come too late; the caller should be asked to come again."""


@dataclass(slots=True, eq=False)
class Waiting:
    """One call that waits for its decision; answered by `decide` or `fail`, whichever comes first."""

    call: InboundCall
    since_s: float = field(default_factory=trio.current_time)
    decided: trio.Event = field(default_factory=trio.Event)
    verdict: Verdict | None = None
    report_for: int | None = None
    failure: Exception | None = None

    def decide(self, verdict: Verdict, report_for: int | None) -> None:
        self.verdict = verdict
        self.report_for = report_for
        self.decided.set()

    def fail(self, failure: Exception) -> None:
        if self.verdict is None and self.failure is None:
            self.failure = failure
            self.decided.set()


class Queue:
    """Filled by whoever brings a call, emptied by intake alone."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._out: Sequence[Waiting] = ()
        self._filled = trio.Event()
        self._is_closed = False

    def put(self, call: InboundCall) -> Waiting:
        """Let a call wait its turn. Raises `Overloaded` where there is no room."""
        if self._is_closed:
            raise Overloaded("the daemon is stopping")
        if len(self._waiting) >= ROOM:
            raise Overloaded("too many calls wait already")
        waiting = Waiting(call)
        self._waiting.append(waiting)
        self._filled.set()
        return waiting

    async def batch(self) -> list[Waiting]:
        """The next ones to be decided, the longest waiting first; none once it is closed and empty."""
        self._out = ()
        while not self._waiting:
            if self._is_closed:
                return []
            self._filled = trio.Event()
            await self._filled.wait()
        before = 0
        while before < len(self._waiting) < BATCH:
            # Others get a turn as long as that brings somebody: whoever was just answered hears of it first,
            # and who knocks meanwhile comes along. It takes no time where nobody else has anything to do.
            before = len(self._waiting)
            await trio.lowlevel.checkpoint()  # to read what has come
            await trio.lowlevel.checkpoint()  # to understand it
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        self._out = batch
        return batch

    def close(self) -> None:
        """Take no more."""
        self._is_closed = True
        self._filled.set()

    async def watch(self) -> None:
        """Refuse those who have waited too long, as they come to it; for ever."""
        while True:
            if not self._waiting and not self._out:
                await self._filled.wait()
            await trio.sleep(LOOK_S)
            too_long = trio.current_time() - PATIENCE_S
            for each in (*self._out, *self._waiting):
                if each.since_s > too_long:
                    break
                each.fail(Overloaded(f"the store took over {PATIENCE_S:g} s"))
