"""What is due and waits for its turn: the freshest first.

With a backlog somebody is served late whatever we do; a callback made a minute after the missed
call is worth more than one made an hour after, so the newest goes first and the oldest runs into
its `give_up_after`.
"""

from __future__ import annotations

import heapq

import trio


class DueQueue:
    """A lane's queue of due actions. Holds numbers only; what is taken is judged anew by the store."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int]] = []
        self._has_due = trio.Event()

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, due_us: int, action_id: int) -> None:
        # Negated, as heapq gives the smallest: the latest due instant and then the latest call.
        heapq.heappush(self._heap, (-due_us, -action_id))
        self._has_due.set()

    def take(self, limit: int) -> list[tuple[int, int]]:
        """Remove up to `limit` entries as (due instant in microseconds, action id), freshest first."""
        taken = [heapq.heappop(self._heap) for _ in range(min(limit, len(self._heap)))]
        return [(-due_us, -action_id) for due_us, action_id in taken]

    async def wait(self) -> None:
        """Return when there is something to take."""
        while not self._heap:
            self._has_due = trio.Event()
            await self._has_due.wait()

    def due_ids(self) -> set[int]:
        return {-action_id for _, action_id in self._heap}
