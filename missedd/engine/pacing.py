"""The provider's budget: so many requests a minute, evenly spaced, and pauses when it says no.

Exotel counts a sliding minute on its own clock. Requests are spaced evenly instead of sent in
bursts, one percent wider than the limit asks, so that neither its clock nor the network's
unevenness can put more into one of its minutes than it allows.
"""

from __future__ import annotations

import trio

MARGIN = 1.01


class Budget:
    """One account's budget at one API, shared by all that call it, served in the order of asking."""

    def __init__(self, per_minute: float) -> None:
        self._spacing_s = 60.0 / per_minute * MARGIN
        self._next_at = trio.current_time()
        self._paused_until = self._next_at
        self._queue = trio.Lock()

    @property
    def spacing_s(self) -> float:
        return self._spacing_s

    async def turn(self) -> float:
        """Wait for the next free slot, take it, and return the instant by which `give_back` knows it."""
        async with self._queue:
            while (wait_s := max(self._next_at, self._paused_until) - trio.current_time()) > 0:  # noqa: ASYNC110
                # In a loop, as a pause may be ordered meanwhile; nobody waits for that event but us.
                await trio.sleep(wait_s)
            self._next_at = trio.current_time() + self._spacing_s
            return self._next_at

    def give_back(self, slot: float) -> None:
        """Return a slot that was not used after all.

        Once somebody took a later one it is lost: two requests would follow one another at once.
        """
        if slot == self._next_at:
            self._next_at -= self._spacing_s

    def pause(self, wait_s: float) -> None:
        """Let nothing out for `wait_s` seconds; a longer pause already running stays."""
        self._paused_until = max(self._paused_until, trio.current_time() + wait_s)

    @property
    def paused_s(self) -> float:
        return max(0.0, self._paused_until - trio.current_time())
