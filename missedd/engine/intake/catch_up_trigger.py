"""The catch-up trigger: a webhook may have been lost, so the next catch-up round should come early.

Intake pulls it whenever it refuses a call and asks Exotel to send it again. Exotel does so, twice. But the
third answer may be a refusal too, and the caller waits meanwhile.
"""

from __future__ import annotations

from typing import Final

import trio

TRIGGER_DELAY_S: Final = 130.0
"""Seconds from the refusal to the early round. By then the call is old enough to be in the list."""


class CatchUpTrigger:
    """Requested by intake and the SMS applet, awaited by catch-up."""

    def __init__(self) -> None:
        self._requested_at_s: float | None = None
        self._requested = trio.Event()

    def request(self) -> None:
        """Ask for an early round. Further requests until that round change nothing."""
        if self._requested_at_s is None:
            self._requested_at_s = trio.current_time()
            self._requested.set()

    async def wait(self, at_most_s: float) -> None:
        """Return after `at_most_s` seconds, or `TRIGGER_DELAY_S` after a request if that is sooner.

        The return answers the request, as the caller starts a round now.
        """
        with trio.move_on_after(at_most_s):
            await self._requested.wait()
            if self._requested_at_s is not None:
                await trio.sleep_until(self._requested_at_s + TRIGGER_DELAY_S)
        if self._requested_at_s is not None and trio.current_time() >= self._requested_at_s + TRIGGER_DELAY_S:
            self._requested_at_s = None
            self._requested = trio.Event()
