"""Doubt: a webhook may have been lost, so the list of calls should be read before it is time.

Intake raises it whenever it answers that a call should be sent again. Exotel does send it again,
twice; but the third answer may be no better, and the caller waits meanwhile.
"""

from __future__ import annotations

from typing import Final

import trio

LATER_S: Final = 130.0
"""When doubt is acted on: by then the call in question is old enough to be looked for."""


class Doubt:
    """Raised by whoever lost something, waited for by the one who looks for it."""

    def __init__(self) -> None:
        self._since_s: float | None = None
        self._raised = trio.Event()

    def arise(self) -> None:
        """From now on something may be missing; what is raised again meanwhile is the same doubt."""
        if self._since_s is None:
            self._since_s = trio.current_time()
            self._raised.set()

    async def wait(self, at_most_s: float) -> None:
        """Return after `at_most_s`, or `LATER_S` after a doubt arose if that is sooner.

        A doubt of that age is settled by returning: whoever waited looks now.
        """
        with trio.move_on_after(at_most_s):
            await self._raised.wait()
            if self._since_s is not None:
                await trio.sleep_until(self._since_s + LATER_S)
        if self._since_s is not None and trio.current_time() >= self._since_s + LATER_S:
            self._since_s = None
            self._raised = trio.Event()
