"""Timers on a shared database: other nodes add timers too, so what is due is read again and again.

Example: another node admits a call at 10:00:00.2, with a webhook that is due at once. Its news wake this node
some 0.25 s later. If the news get lost, the read of 10:00:01 finds the timer. If a timer was due long
before it was committed, as after a pause, the next full read finds it.

Memory holds only what is due within two seconds, so a node that begins to lead has little to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import trio

from missedd.base.clock import Clock, to_us
from missedd.core.model import Lane
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import ReadDueTimers, Timers
from missedd.store.actions.rows import Timer

READ_EVERY_S: Final = 1.0
READ_AHEAD_S: Final = 2
READ_BACK_S: Final = 10
"""How far back the frequent reads look: a transaction that commits late shows a timer that is past."""

FULL_READ_EVERY_S: Final = 30.0
"""A full read reads every action that waits for its turn, and there may be many thousands."""

ASKED_FULL_READ_AFTER_S: Final = 5.0
"""How soon a full read follows when another node asks for one. In a burst it may ask four times a second."""

FULL_READ_SHARE: Final = 20
"""After a full read that took a second there is none for 20 s, also when one is asked for."""

KNOWN_FOR_S: Final = 15.0
"""For how long at least a timer is known after it was taken: for as long as frequent reads may find it."""

_NEVER_US: Final = 2**62


class SharedTimers(Timers):
    """Moves each action of any node into its lane's queue when it becomes due.

    A timer that is read twice is taken once. If that fails there is nothing to claim, so it only costs time.
    """

    def __init__(
        self,
        clock: Clock,
        read_due_timers: ReadDueTimers,
        due_queues: Mapping[Lane, DueQueue],
        clock_watch: ClockWatch,
    ) -> None:
        super().__init__(clock, read_due_timers, due_queues, clock_watch)
        self._known: set[Timer] = set()
        self._known_before: set[Timer] = set()
        self._known_since_s = trio.current_time()
        self._read_until_us = 0
        """The horizon of the last read that brought a result."""
        self._full_read_at_s = self._next_full_read_s = trio.current_time()
        self._read_requested = trio.Event()

    def add(self, timers: Iterable[Timer]) -> None:
        """Add timers that were just committed here. Those beyond the horizon stay on disk only."""
        near = [timer for timer in timers if timer.at_us <= self._loaded_until_us]
        self._known.update(near)
        super().add(near)

    def add_found(self, timers: Iterable[Timer], queued_ids: frozenset[int] | set[int] = frozenset()) -> None:
        """Add timers that were read, or that another node told of, unless they were taken before.

        `queued_ids` are the actions that wait in a queue already.
        """
        self.add(
            timer
            for timer in timers
            if timer not in self._known
            and timer not in self._known_before
            and timer.action_id not in queued_ids
        )

    def request_full_read(self) -> None:
        """Read at once what is due about now, and soon all that is due."""
        at_s = max(trio.current_time() + ASKED_FULL_READ_AFTER_S, self._next_full_read_s)
        self._full_read_at_s = min(self._full_read_at_s, at_s)
        self._read_requested.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read_on, name="due timers")
            await super().run(task_status)

    async def _read_on(self) -> None:
        while True:
            with trio.move_on_after(READ_EVERY_S):
                await self._read_requested.wait()
            self._read_requested = trio.Event()
            if trio.current_time() >= self._full_read_at_s:
                await self._extend()
            else:
                await self._read(self._read_until_us - _BACK_US)

    @property
    def _extends_at_us(self) -> int:
        return _NEVER_US  # `_read_on` does it, by a clock that nobody sets

    async def _extend(self) -> None:
        """Read all that is due."""
        began_s = trio.current_time()
        await self._read(-1)
        ended_s = trio.current_time()
        self._next_full_read_s = ended_s + FULL_READ_SHARE * (ended_s - began_s)
        self._full_read_at_s = max(ended_s + FULL_READ_EVERY_S, self._next_full_read_s)

    async def _read(self, after_us: int) -> None:
        """Read what is due from `after_us` to the horizon, which moves before: what is committed while the
        store is read is added by the code that committed it, or is seen."""
        if trio.current_time() - self._known_since_s >= KNOWN_FOR_S:
            self._known_before, self._known = self._known, set()
            self._known_since_s = trio.current_time()
        until_us = self._loaded_until_us = to_us(self._clock.now()) + READ_AHEAD_S * 1_000_000
        found = await self._read_due_timers(min(after_us, until_us - _BACK_US), until_us)
        self._read_until_us = until_us
        self.add_found(found, self.queued_ids() if after_us < 0 else frozenset())


_BACK_US: Final = (READ_AHEAD_S + READ_BACK_S) * 1_000_000
