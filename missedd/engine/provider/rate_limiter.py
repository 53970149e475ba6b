"""The provider's budget: so many requests a minute, a few at once, and pauses when it says no.

Exotel counts a sliding minute on its own clock. So do we, one percent longer, so that neither its
clock nor the network's unevenness can put more into one of its minutes than it allows. Within the
minute a quarter of the budget may go at once, for a handful of callbacks that are due together
all leave on time then; what is more is spaced evenly instead of spent in the first second.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import trio

WINDOW_S = 60.0 * 1.01

BURST_DIVISOR = 4
"""One part in so many of a minute's budget may go at once: a provider limits the calls that ring at
one time as well, and who comes next in that minute should not find it spent."""


class RateLimiter:
    """One account's budget at one API, shared by all that call it, served in the order of asking."""

    def __init__(self, per_minute: int, spent_ago_s: Sequence[float] = ()) -> None:
        """`spent_ago_s` tells how many seconds ago each recent request of an earlier run was made."""
        self._spacing_s = WINDOW_S / per_minute
        self._burst_allowance_s = (max(1, per_minute // BURST_DIVISOR) - 1) * self._spacing_s
        now = trio.current_time()
        # When each of the last minute's turns was taken, and when all would have been, evenly spaced.
        self._acquired_at_s: deque[float] = deque(maxlen=per_minute)
        self._theoretical_arrival_s = -math.inf
        self._paused_until = now
        self._queue = trio.Lock()
        for ago_s in sorted(spent_ago_s, reverse=True):
            self._record(now - ago_s)

    @property
    def per_minute(self) -> int:
        return self._acquired_at_s.maxlen or 1

    @property
    def spacing_s(self) -> float:
        """From one turn to the next when many wait."""
        return self._spacing_s

    async def acquire(self) -> float:
        """Wait for the next free slot, take it, and return what `release` knows it by."""
        async with self._queue:
            while (wait_s := self._next_free_at_s() - trio.current_time()) > 0:  # noqa: ASYNC110
                # In a loop, as a pause may be ordered meanwhile; nobody waits for that event but us.
                await trio.sleep(wait_s)
            return self._record(trio.current_time())

    @property
    def used_share(self) -> float:
        """The share of the last minute's turns that were taken, from 0 to 1."""
        since = trio.current_time() - WINDOW_S
        return sum(at > since for at in self._acquired_at_s) / self.per_minute

    @property
    def wait_s(self) -> float:
        """For how long nobody gets a turn."""
        return max(0.0, self._next_free_at_s() - trio.current_time())

    def _next_free_at_s(self) -> float:
        is_full = len(self._acquired_at_s) == self._acquired_at_s.maxlen
        minute_over_at = self._acquired_at_s[0] + WINDOW_S if is_full else 0.0
        return max(self._theoretical_arrival_s - self._burst_allowance_s, minute_over_at, self._paused_until)

    def _record(self, at: float) -> float:
        self._acquired_at_s.append(at)
        self._theoretical_arrival_s = max(self._theoretical_arrival_s, at) + self._spacing_s
        return self._theoretical_arrival_s

    def release(self, slot: float) -> None:
        """Return a slot that was not used after all; once somebody took a later one it is lost."""
        if slot == self._theoretical_arrival_s:
            self._acquired_at_s.pop()
            self._theoretical_arrival_s -= self._spacing_s

    def restamp(self, slot: float) -> None:
        """Let a slot count from now: its request goes out only after its claim was committed.

        Once somebody took a later slot, the older one stays taken beside it: one too few, never
        one too many.
        """
        self.release(slot)
        self._record(trio.current_time())

    def pause(self, wait_s: float) -> None:
        """Let nothing out for `wait_s` seconds; a longer pause already running stays.

        After it nothing goes at once: the provider has just said that there was too much.
        """
        self._paused_until = max(self._paused_until, trio.current_time() + wait_s)
        self._theoretical_arrival_s = max(
            self._theoretical_arrival_s, self._paused_until + self._burst_allowance_s
        )

    @property
    def pause_left_s(self) -> float:
        return max(0.0, self._paused_until - trio.current_time())
