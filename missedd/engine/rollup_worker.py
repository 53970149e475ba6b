"""The follower: adds to the summaries what has become old enough, a stretch at a time.

It is never needed for a figure to be right, only for it to be fast; so a store that cannot commit
just now is tried again, and nothing waits for it. Summaries that are far behind, after an upgrade
or with another time zone, are made while the daemon serves, and the log says how far they are.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import trio

from missedd.base.clock import Clock, from_us, to_iso
from missedd.core.analytics.hour_grid import Grid
from missedd.log.logger import Event, Logger
from missedd.store.db.database import NotDurable
from missedd.store.rollups.roll_up import AT_ONCE, CALLS, fold, is_due
from missedd.store.rollups.state import begin
from missedd.store.store import Store

LOOK_EVERY_S: Final = 600.0
"""What fills no stretch is folded when it is an hour old, so there is no hurry."""

LOOK_SOON_S: Final = 2.0
RUSH_S: Final = 2 * AT_ONCE.total_seconds()
"""Once there was a full stretch of new calls, this often is looked for others, and for so long."""

RETRY_S: Final = 60.0

TELL_EVERY_S: Final = 10.0
"""Making them for ten million calls takes some minutes, and is told so often."""


class Summaries:
    def __init__(self, store: Store, grid: Grid, clock: Clock, log: Logger) -> None:
        self._store = store
        self._grid = grid
        self._clock = clock
        self._log = log
        self._fresh = 0
        self._rush_until_s = trio.current_time()
        self._rush = trio.Event()

    def admitted(self) -> None:
        """There is a call more."""
        self._fresh += 1
        if self._fresh >= CALLS:
            self._fresh = 0
            self._rush_until_s = trio.current_time() + RUSH_S
            self._rush.set()

    async def run(self) -> None:
        """Follow the present, for ever."""
        begun = False
        while True:
            try:
                if not begun:
                    await self._store.write(partial(begin, grid=self._grid), aside=True)
                    begun = True
                await self._catch_up()
                self._log.ended(Event.STORE_COMMIT_FAILED, "summaries")
                await self._wait()
            except NotDurable as failure:
                self._log.repeated(
                    "warning", Event.STORE_COMMIT_FAILED, "summaries", unit="summaries", error=str(failure)
                )
                await trio.sleep(RETRY_S)

    async def _wait(self) -> None:
        if trio.current_time() < self._rush_until_s:
            await trio.sleep(LOOK_SOON_S)
            return
        self._rush = trio.Event()
        with trio.move_on_after(LOOK_EVERY_S):
            await self._rush.wait()

    async def _catch_up(self) -> None:
        """Fold what is to be folded, stretch after stretch."""
        # Looked for by the reader first: a write of nothing would be one, too.
        if not await self._store.read(partial(is_due, grid=self._grid, now=self._clock.now())):
            return
        folds, told_s, is_told = 0, trio.current_time(), False
        while True:
            unit = partial(fold, grid=self._grid, now=self._clock.now())
            folded = await self._store.write(unit, aside=True)
            folds += folded is not None
            if folded is None or not folded.is_behind:
                break
            if trio.current_time() - told_s >= TELL_EVERY_S:
                self._log.info(Event.SUMMARIES_BEHIND, until=to_iso(from_us(folded.until_us)))
                told_s, is_told = trio.current_time(), True
        if is_told:
            self._log.info(Event.SUMMARIES_CAUGHT_UP, folds=folds)
