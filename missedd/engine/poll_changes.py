"""Tells the watchers of a poll that it has changed, after each commit.

Nothing is queued. A watcher learns only that there was a change, and then reads the store. So a slow
watcher misses some states in between, and delays nobody.
"""

from __future__ import annotations

import trio


class PollChanges:
    """A version for each poll, and the watchers that wait for the next version."""

    def __init__(self, reread_s: float = float("inf")) -> None:
        self.reread_s = reread_s
        """After so many seconds without news a watcher should read the store all the same: another node's
        news may have been lost."""
        self._versions: dict[str, int] = {}
        self._all_changed = 0
        self._waiting: dict[str, trio.Event] = {}
        self.closed = trio.Event()
        """Set when the daemon stops: no more changes will be published."""

    def publish(self, poll: str) -> None:
        """Wake the watchers of a poll that has changed."""
        self._versions[poll] = self._versions.get(poll, 0) + 1
        waiting = self._waiting.pop(poll, None)
        if waiting is not None:
            waiting.set()

    def publish_all(self) -> None:
        """Wake all watchers: what has changed is not known, as news of another node may be lost."""
        self._all_changed += 1
        while self._waiting:
            self._waiting.popitem()[1].set()

    def version(self, poll: str) -> int:
        """How often a poll has changed since the start, or may have. Call this before you read the store."""
        return self._versions.get(poll, 0) + self._all_changed

    async def wait(self, poll: str, since: int) -> None:
        """Return when a poll has changed since `version` was `since`."""
        if self.version(poll) == since:
            await self._waiting.setdefault(poll, trio.Event()).wait()

    def close(self) -> None:
        """Tell all watchers that the daemon stops."""
        self.closed.set()
