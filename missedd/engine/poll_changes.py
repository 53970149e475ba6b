"""Which polls have changed: told after each commit, for whoever watches one.

Nothing is queued and nobody is waited for: a watcher learns that there is news and reads the store,
so one that is slow misses states in between and holds nothing up.
"""

from __future__ import annotations

import trio


class PollChanges:
    def __init__(self) -> None:
        self._versions: dict[str, int] = {}
        self._waiting: dict[str, trio.Event] = {}
        self.closed = trio.Event()
        """Set when the daemon stops: nothing more will be told."""

    def publish(self, poll: str) -> None:
        """Say that a poll has changed."""
        self._versions[poll] = self.version(poll) + 1
        waiting = self._waiting.pop(poll, None)
        if waiting is not None:
            waiting.set()

    def version(self, poll: str) -> int:
        """How often a poll has changed since the start. To be asked before the store is read."""
        return self._versions.get(poll, 0)

    async def wait(self, poll: str, since: int) -> None:
        """Return when a poll has changed since `version` was `since`."""
        if self.version(poll) == since:
            await self._waiting.setdefault(poll, trio.Event()).wait()

    def close(self) -> None:
        """Let go whoever watches."""
        self.closed.set()
