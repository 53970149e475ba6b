"""The first decision of a node: it leads, or it does not yet. A start waits for it."""

from __future__ import annotations

import trio


class FirstDecision:
    """The task status that the first decision fulfils, whoever takes it; later ones change nothing."""

    def __init__(self, task_status: trio.TaskStatus[None]) -> None:
        self._task_status = task_status
        self._is_taken = False

    def started(self, value: None = None) -> None:
        if not self._is_taken:
            self._is_taken = True
            self._task_status.started()


async def first_of(*events: trio.Event) -> None:
    """Return when one of the events is set."""
    async with trio.open_nursery() as nursery:

        async def wait(event: trio.Event) -> None:
            await event.wait()
            nursery.cancel_scope.cancel()

        for event in events:
            nursery.start_soon(wait, event)
