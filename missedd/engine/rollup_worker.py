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
from missedd.core.analytics.hour_grid import HourGrid
from missedd.log.logger import Event, Logger
from missedd.store.db.database import NotDurable
from missedd.store.rollups.roll_up import CALLS_PER_BUCKET, FULL_BUCKET_AGE, is_rollup_due, roll_up
from missedd.store.rollups.state import start_rollups
from missedd.store.store import Store

CHECK_EVERY_S: Final = 600.0
"""What fills no stretch is folded when it is an hour old, so there is no hurry."""

BUSY_CHECK_EVERY_S: Final = 2.0
BUSY_FOR_S: Final = 2 * FULL_BUCKET_AGE.total_seconds()
"""Once there was a full stretch of new calls, this often is looked for others, and for so long."""

RETRY_S: Final = 60.0

LOG_EVERY_S: Final = 10.0
"""Making them for ten million calls takes some minutes, and is told so often."""


class RollupWorker:
    def __init__(self, store: Store, grid: HourGrid, clock: Clock, log: Logger) -> None:
        self._store = store
        self._grid = grid
        self._clock = clock
        self._log = log
        self._new_calls = 0
        self._busy_until_s = trio.current_time()
        self._became_busy = trio.Event()

    def on_admitted(self) -> None:
        """There is a call more."""
        self._new_calls += 1
        if self._new_calls >= CALLS_PER_BUCKET:
            self._new_calls = 0
            self._busy_until_s = trio.current_time() + BUSY_FOR_S
            self._became_busy.set()

    async def run(self) -> None:
        """Follow the present, for ever."""
        begun = False
        while True:
            try:
                if not begun:
                    await self._store.write(partial(start_rollups, grid=self._grid), offload=True)
                    begun = True
                await self._roll_up_due()
                self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "summaries")
                await self._wait_for_calls()
            except NotDurable as failure:
                self._log.log_throttled(
                    "warning", Event.STORE_COMMIT_FAILED, "summaries", unit="summaries", error=str(failure)
                )
                await trio.sleep(RETRY_S)

    async def _wait_for_calls(self) -> None:
        if trio.current_time() < self._busy_until_s:
            await trio.sleep(BUSY_CHECK_EVERY_S)
            return
        self._became_busy = trio.Event()
        with trio.move_on_after(CHECK_EVERY_S):
            await self._became_busy.wait()

    async def _roll_up_due(self) -> None:
        """Fold what is to be folded, stretch after stretch."""
        # Looked for by the reader first: a write of nothing would be one, too.
        if not await self._store.read(partial(is_rollup_due, grid=self._grid, now=self._clock.now())):
            return
        folds, told_s, is_told = 0, trio.current_time(), False
        while True:
            unit = partial(roll_up, grid=self._grid, now=self._clock.now())
            folded = await self._store.write(unit, offload=True)
            folds += folded is not None
            if folded is None or not folded.is_behind:
                break
            if trio.current_time() - told_s >= LOG_EVERY_S:
                self._log.info(Event.SUMMARIES_BEHIND, until=to_iso(from_us(folded.until_us)))
                told_s, is_told = trio.current_time(), True
        if is_told:
            self._log.info(Event.SUMMARIES_CAUGHT_UP, folds=folds)
