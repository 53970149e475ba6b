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
from missedd.store.rollups.facts import RowWatermarks
from missedd.store.rollups.roll_up import CALLS_PER_BUCKET, FULL_BUCKET_AGE, is_rollup_due, roll_up
from missedd.store.rollups.settled_rows import ROLLUP_LOCKS, is_mark_settled, mark_newest_rows
from missedd.store.rollups.state import start_rollups
from missedd.store.store import Store

CHECK_EVERY_S: Final = 600.0
"""Partial buckets are rolled up when they are an hour old, so there is no hurry."""

SHARED_CHECK_EVERY_S: Final = 30.0
"""The same for a PostgreSQL, where other nodes take calls in that this one does not count."""

SETTLE_CHECK_EVERY_S: Final = 0.02
SETTLE_LIMIT_S: Final = 30.0
"""How long the end of other nodes' transactions is awaited; half of them end in 4 ms. After a failover the
new server may count transactions from a smaller number, so then the newest rows are read again."""

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
        with trio.move_on_after(CHECK_EVERY_S if self._store.path is not None else SHARED_CHECK_EVERY_S):
            await self._became_busy.wait()

    async def _roll_up_due(self) -> None:
        """Roll up all that is due, bucket after bucket."""
        # Ask by a read first: an empty write would be a commit, too.
        if not await self._store.read(partial(is_rollup_due, grid=self._grid, now=self._clock.now())):
            return
        settled = await self._settled_rows()
        if settled is None:
            return
        bucket_count, logged_at_s, has_logged = 0, trio.current_time(), False
        while True:
            unit = partial(roll_up, grid=self._grid, now=self._clock.now(), up_to=settled)
            rolled_up = await self._store.write(unit, offload=True, locks=ROLLUP_LOCKS)
            bucket_count += rolled_up is not None
            if rolled_up is None or not rolled_up.is_behind:
                break
            if trio.current_time() - logged_at_s >= LOG_EVERY_S:
                self._log.info(Event.SUMMARIES_BEHIND, until=to_iso(from_us(rolled_up.until_us)))
                logged_at_s, has_logged = trio.current_time(), True
        if has_logged:
            self._log.info(Event.SUMMARIES_CAUGHT_UP, folds=bucket_count)
        if bucket_count and self._store.path is None:
            # Other nodes take calls in, too: this node has not counted theirs.
            self._busy_until_s = trio.current_time() + BUSY_FOR_S

    async def _settled_rows(self) -> RowWatermarks | None:
        """The newest rows, when none up to them is missing any more; None if that takes too long."""
        mark = await mark_newest_rows(self._store)
        with trio.move_on_after(SETTLE_LIMIT_S):
            while not await is_mark_settled(self._store, mark):  # noqa: ASYNC110 - others end it
                await trio.sleep(SETTLE_CHECK_EVERY_S)
            return mark.rows
        return None
