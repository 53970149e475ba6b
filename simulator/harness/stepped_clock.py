"""The wall clock of a daemon under simulation: true time, and the error that somebody set it to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import trio


class SteppedClock:
    """The daemon's wall clock: true time, plus whatever it was set wrong by."""

    def __init__(self, true_now: Callable[[], datetime]) -> None:
        self._true_now = true_now
        self._errors = [(true_now(), timedelta(0))]
        self._set = trio.Event()

    @property
    def error(self) -> timedelta:
        return self._errors[-1][1]

    @error.setter
    def error(self, error: timedelta) -> None:
        self._errors.append((self._true_now(), error))
        self._set.set()
        self._set = trio.Event()

    async def steps(self) -> None:
        """Return when it is set the next time."""
        await self._set.wait()

    def now(self) -> datetime:
        return self._true_now() + self.error

    def shown_at(self, true_at: datetime) -> datetime:
        """What it showed at an instant of true time."""
        return true_at + next(error for since, error in reversed(self._errors) if since <= true_at)

    def spans(self) -> list[tuple[datetime, timedelta]]:
        """Since when, in true time, it was wrong by how much; in that order."""
        return list(self._errors)

    @property
    def was_stepped(self) -> bool:
        return len(self._errors) > 1
