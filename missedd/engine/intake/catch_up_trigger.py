"""Doubt: a webhook may have been lost, so the list of calls should be read before it is time.

Intake raises it whenever it answers that a call should be sent again. Exotel does send it again,
twice; but the third answer may be no better, and the caller waits meanwhile.
"""

from __future__ import annotations

from typing import Final

import trio

TRIGGER_DELAY_S: Final = 130.0
"""When doubt is acted on: by then the call in question is old enough to be looked for."""


class CatchUpTrigger:
    """Raised by whoever lost something, waited for by the one who looks for it."""

    def __init__(self) -> None:
        self._requested_at_s: float | None = None
        self._requested = trio.Event()

    def request(self) -> None:
        """From now on something may be missing; what is raised again meanwhile is the same doubt."""
        if self._requested_at_s is None:
            self._requested_at_s = trio.current_time()
            self._requested.set()

    async def wait(self, at_most_s: float) -> None:
        """Return after `at_most_s`, or `TRIGGER_DELAY_S` after a doubt arose if that is sooner.

        A doubt of that age is settled by returning: whoever waited looks now.
        """
        with trio.move_on_after(at_most_s):
            await self._requested.wait()
            if self._requested_at_s is not None:
                await trio.sleep_until(self._requested_at_s + TRIGGER_DELAY_S)
        if self._requested_at_s is not None and trio.current_time() >= self._requested_at_s + TRIGGER_DELAY_S:
            self._requested_at_s = None
            self._requested = trio.Event()
