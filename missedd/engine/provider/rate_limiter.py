"""The rate limit of one provider API: requests a minute, a small burst, and pauses when it refuses.

Two rules hold together; a request waits until both allow it:

* GCRA, the generic cell rate algorithm (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm),
  spaces requests evenly and allows a burst of a quarter of the minute's limit.
* A sliding window of `WINDOW_S` never holds more requests than the limit.

With 60 requests a minute the spacing is 1.01 s and the burst is 15. If 20 callbacks are due together,
15 leave at once, and the other 5 follow one by one, 1.01 s apart.

Exotel counts a sliding minute on its own clock. Our window is one percent longer, so that a difference
between the clocks, or uneven delays in the network, cannot put too many requests into one of Exotel's
minutes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import trio

WINDOW_S = 60.0 * 1.01

BURST_DIVISOR = 4
"""A burst is a minute's limit divided by this number. A larger burst would hurt: the provider also limits
the calls that ring at one time, and a caller later in the same minute would find the limit used up."""


class RateLimiter:
    """The limit of one account at one API. All requests to that API share it, first come, first served."""

    def __init__(
        self,
        per_minute: int,
        spent_ago_s: Sequence[float] = (),
        wait_until_allowed: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`per_minute` is the limit.

        `spent_ago_s` are the ages, in seconds, of the last minute's requests from before a restart.
        `wait_until_allowed` returns when this node may send at all.
        """
        self._wait_until_allowed = wait_until_allowed
        self._spacing_s = WINDOW_S / per_minute
        self._burst_allowance_s = (max(1, per_minute // BURST_DIVISOR) - 1) * self._spacing_s
        now = trio.current_time()
        # The sliding window: when each slot of the last minute was taken. And GCRA's "theoretical arrival
        # time": when the next slot would be free if all slots were evenly spaced.
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
        """Seconds between two slots when many requests wait."""
        return self._spacing_s

    async def acquire(self) -> float:
        """Wait for the next free slot and take it. Returns the slot, for `release` and `restamp`."""
        async with self._queue:
            if self._wait_until_allowed is not None:
                await self._wait_until_allowed()
            while (wait_s := self._next_free_at_s() - trio.current_time()) > 0:
                # A loop, as `pause` may be called meanwhile. An event would have no other waiter.
                await trio.sleep(wait_s)
                if self._wait_until_allowed is not None:
                    await self._wait_until_allowed()
            return self._record(trio.current_time())

    @property
    def used_share(self) -> float:
        """The share of the last minute's slots that were taken, from 0 to 1."""
        since = trio.current_time() - WINDOW_S
        return sum(at > since for at in self._acquired_at_s) / self.per_minute

    @property
    def wait_s(self) -> float:
        """Seconds until the next slot is free; 0 if one is free now."""
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
        """Give back a slot that was not used. Does nothing if a later slot was taken meanwhile."""
        if slot == self._theoretical_arrival_s:
            self._acquired_at_s.pop()
            self._theoretical_arrival_s -= self._spacing_s

    def restamp(self, slot: float) -> None:
        """Count a slot from now: its request leaves only after the claim was committed.

        If a later slot was taken meanwhile, the older one stays taken too. Then one request fewer
        is sent than allowed, never one more.
        """
        self.release(slot)
        self._record(trio.current_time())

    def pause(self, wait_s: float) -> None:
        """Allow no request for `wait_s` seconds. A longer pause that already runs stays.

        There is no burst after a pause, as the provider has just said that there were too many requests.
        """
        self._paused_until = max(self._paused_until, trio.current_time() + wait_s)
        self._theoretical_arrival_s = max(
            self._theoretical_arrival_s, self._paused_until + self._burst_allowance_s
        )

    @property
    def pause_left_s(self) -> float:
        """Seconds until the pause ends; 0 without a pause."""
        return max(0.0, self._paused_until - trio.current_time())
