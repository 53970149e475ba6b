"""Timers: one heap in memory, one coroutine that sleeps until the next timer, loaded from the store.

Timers within the horizon are in memory; later ones stay on disk until the horizon reaches them. The store
is the truth, and the heap is a hint. If a timer fires twice, or its action has moved or ended since, there
is nothing to claim. Due times are wall-clock time. As the wall clock may be set, the coroutine wakes
whenever that may have happened: see `ClockWatch`.
"""

from __future__ import annotations

import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping

import trio

from missedd.base.clock import Clock, to_us
from missedd.core.model import Lane
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.timing.due_queue import DueQueue
from missedd.store.actions.rows import Timer

HORIZON_S = 3600
"""An hour of timers in memory. At an Exotel account's 250 missed calls a second that is a million timers."""

type Wake = Callable[[Iterable[Timer]], None]
"""Takes timers that were just committed."""

type ReadDueTimers = Callable[[int, int], Awaitable[list[Timer]]]
"""Reads the timers in (after, until] from the store; both are microseconds of Unix time."""


class Timers:
    """Moves each action into its lane's queue when it becomes due."""

    def __init__(
        self,
        clock: Clock,
        read_due_timers: ReadDueTimers,
        due_queues: Mapping[Lane, DueQueue],
        clock_watch: ClockWatch,
    ) -> None:
        self._clock = clock
        self._read_due_timers = read_due_timers
        self._due_queues = due_queues
        self._heap: list[Timer] = []
        self._loaded_until_us = -1
        self._rescheduled = trio.Event()
        self.clock_watch = clock_watch

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, timers: Iterable[Timer]) -> None:
        """Add timers that were just committed. Those beyond the horizon stay on disk only."""
        for timer in timers:
            if timer.at_us <= self._loaded_until_us:
                if not self._heap or timer.at_us < self._heap[0].at_us:
                    self._rescheduled.set()
                heapq.heappush(self._heap, timer)

    def queued_ids(self) -> set[int]:
        """The ids of all actions that are due and wait in a queue."""
        return set[int]().union(*(each.due_ids() for each in self._due_queues.values()))

    def pending_ids(self) -> set[int]:
        """The ids of all actions in memory: those with a timer, and those due and queued."""
        return self.queued_ids() | {timer.action_id for timer in self._heap}

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        if self._loaded_until_us < 0:
            await self.load()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_clock, name="timers' clock")
            task_status.started()
            while True:
                now_us = self.clock_watch.check()
                if now_us >= self._extends_at_us:
                    await self._extend()
                    continue
                self._move_due(now_us)
                await self._sleep(now_us)

    async def _watch_clock(self) -> None:
        while True:
            await self.clock_watch.wait_for_change()
            self._rescheduled.set()

    @property
    def _extends_at_us(self) -> int:
        """When to load more, in microseconds: half a horizon before the horizon is reached."""
        return self._loaded_until_us - HORIZON_S * 500_000

    @property
    def loaded_until_us(self) -> int:
        """The horizon, in microseconds of Unix time. Later timers are on disk only."""
        return self._loaded_until_us

    async def load(self) -> None:
        """Load the timers within the horizon. None fires before `run`."""
        await self._extend()

    async def _extend(self) -> None:
        """Move the horizon forward and load the timers that it now covers.

        The horizon moves before the query. So a timer that is committed meanwhile is added by the code
        that committed it, or is seen by the query. If both happen, it is added once.
        """
        after_us, until_us = self._loaded_until_us, to_us(self._clock.now()) + HORIZON_S * 1_000_000
        self._loaded_until_us = until_us
        loaded = await self._read_due_timers(after_us, until_us)
        if self._heap:
            added = {timer for timer in self._heap if timer.at_us > after_us}
            for timer in loaded:
                if timer not in added:
                    heapq.heappush(self._heap, timer)
        else:
            # A sorted list is a heap.
            self._heap = loaded

    def _move_due(self, now_us: int) -> None:
        while self._heap and self._heap[0].at_us <= now_us:
            timer = heapq.heappop(self._heap)
            self._due_queues[timer.lane].add(timer.at_us, timer.action_id)

    async def _sleep(self, now_us: int) -> None:
        self._rescheduled = trio.Event()
        until_us = self._extends_at_us
        if self._heap:
            until_us = min(until_us, self._heap[0].at_us)
        with trio.move_on_after(max(until_us - now_us, 0) / 1e6):
            await self._rescheduled.wait()
