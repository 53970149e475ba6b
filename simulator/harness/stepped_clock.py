"""The wall clock of the simulated daemon: true time plus an error that a scenario sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import trio


class SteppedClock:
    """The daemon's wall clock: true time plus `offset`."""

    def __init__(self, true_now: Callable[[], datetime], skew: timedelta = timedelta(0)) -> None:
        """`skew` is the offset at the beginning."""
        self._true_now = true_now
        self._offsets = [(true_now(), skew)]
        self._was_set = trio.Event()

    @property
    def offset(self) -> timedelta:
        return self._offsets[-1][1]

    @offset.setter
    def offset(self, error: timedelta) -> None:
        self._offsets.append((self._true_now(), error))
        self._was_set.set()
        self._was_set = trio.Event()

    async def wait_for_step(self) -> None:
        """Return when the clock is set the next time."""
        await self._was_set.wait()

    def now(self) -> datetime:
        return self._true_now() + self.offset

    def reading_at(self, true_at: datetime) -> datetime:
        """What the clock showed at an instant of true time."""
        return true_at + next(error for since, error in reversed(self._offsets) if since <= true_at)

    def offset_history(self) -> list[tuple[datetime, timedelta]]:
        """(since, offset) in order of time: from `since`, in true time, the clock was wrong by `offset`."""
        return list(self._offsets)

    @property
    def was_wrong(self) -> bool:
        """Whether the clock ever differed from true time."""
        return any(error for _, error in self._offsets) or len(self._offsets) > 1
