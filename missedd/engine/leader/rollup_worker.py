"""The rollup worker: adds calls that are old enough to the rollups, one bucket at a time.

Analytics are exact without rollups, and fast with them. So nothing waits for this worker, and it retries
when the store cannot commit. After an upgrade, or with another time zone, all rollups are rebuilt while
the daemon serves, and the log shows the progress.
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
"""Partial buckets are rolled up when they are an hour old, so there is no hurry."""

BUSY_CHECK_EVERY_S: Final = 2.0
BUSY_FOR_S: Final = 2 * FULL_BUCKET_AGE.total_seconds()
"""After a full bucket of new calls, check every `BUSY_CHECK_EVERY_S` for `BUSY_FOR_S` seconds."""

RETRY_S: Final = 60.0

LOG_EVERY_S: Final = 10.0
"""A rebuild for ten million calls takes some minutes. The log shows its progress this often."""


class RollupWorker:
    """Keeps the rollups of one time zone's hour grid up to date."""

    def __init__(self, store: Store, grid: HourGrid, clock: Clock, log: Logger) -> None:
        self._store = store
        self._grid = grid
        self._clock = clock
        self._log = log
        self._new_calls = 0
        self._busy_until_s = trio.current_time()
        self._became_busy = trio.Event()

    def on_admitted(self) -> None:
        """Count a new call; called after its commit."""
        self._new_calls += 1
        if self._new_calls >= CALLS_PER_BUCKET:
            self._new_calls = 0
            self._busy_until_s = trio.current_time() + BUSY_FOR_S
            self._became_busy.set()

    async def run(self) -> None:
        """Keep the rollups up to date, for ever."""
        is_started = False
        while True:
            try:
                if not is_started:
                    await self._store.write(partial(start_rollups, grid=self._grid), offload=True)
                    is_started = True
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
        """Roll up all that is due, bucket after bucket."""
        # Ask by a read first: an empty write would be a commit, too.
        if not await self._store.read(partial(is_rollup_due, grid=self._grid, now=self._clock.now())):
            return
        bucket_count, logged_at_s, has_logged = 0, trio.current_time(), False
        while True:
            unit = partial(roll_up, grid=self._grid, now=self._clock.now())
            rolled_up = await self._store.write(unit, offload=True)
            bucket_count += rolled_up is not None
            if rolled_up is None or not rolled_up.is_behind:
                break
            if trio.current_time() - logged_at_s >= LOG_EVERY_S:
                self._log.info(Event.SUMMARIES_BEHIND, until=to_iso(from_us(rolled_up.until_us)))
                logged_at_s, has_logged = trio.current_time(), True
        if has_logged:
            self._log.info(Event.SUMMARIES_CAUGHT_UP, folds=bucket_count)
