"""Due actions that wait for their turn, the newest first.

A callback one minute after the missed call is worth more than one after an hour. With a backlog some
actions are late in any case. So the newest goes first, and the oldest expires by its `give_up_after`.
"""

from __future__ import annotations

import heapq

import trio


class DueQueue:
    """A lane's queue of due actions. It holds ids only; the store judges each action when it is claimed."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._has_due = trio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_us: int, action_id: int) -> None:
        # Negated, as heapq returns the smallest: the latest due time first, then the latest call.
        heapq.heappush(self._heap, (-due_us, -action_id))
        self._has_due.set()

    def take(self, limit: int) -> list[tuple[int, int]]:
        """Remove up to `limit` entries, newest first: (due time in microseconds of Unix time, action id)."""
        taken = [heapq.heappop(self._heap) for _ in range(min(limit, len(self._heap)))]
        return [(-due_us, -action_id) for due_us, action_id in taken]

    async def wait(self) -> None:
        """Return when the queue is not empty."""
        while not self._heap:
            self._has_due = trio.Event()
            await self._has_due.wait()

    def due_ids(self) -> set[int]:
        return {-action_id for _, action_id in self._heap}
