"""Which polls have changed: told after each commit, for whoever watches one.

Nothing is queued and nobody is waited for: a watcher learns that there is news and reads the store,
so one that is slow misses states in between and holds nothing up.
"""

from __future__ import annotations

import trio


class News:
    def __init__(self) -> None:
        self._changes: dict[str, int] = {}
        self._next: dict[str, trio.Event] = {}
        self.over = trio.Event()
        """Set when the daemon stops: nothing more will be told."""

    def tell(self, poll: str) -> None:
        """Say that a poll has changed."""
        self._changes[poll] = self.latest(poll) + 1
        waiting = self._next.pop(poll, None)
        if waiting is not None:
            waiting.set()

    def latest(self, poll: str) -> int:
        """How often a poll has changed since the start. To be asked before the store is read."""
        return self._changes.get(poll, 0)

    async def wait(self, poll: str, since: int) -> None:
        """Return when a poll has changed since `latest` was `since`."""
        if self.latest(poll) == since:
            await self._next.setdefault(poll, trio.Event()).wait()

    def close(self) -> None:
        """Let go whoever watches."""
        self.over.set()
