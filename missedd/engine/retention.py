"""Retention: erases numbers of which nothing has been heard for as long as the operator wants.

Nobody waits for it, so it takes its time: some rows a commit, with a pause after each, that no webhook
waits for it either. A store that cannot commit just now is tried again. A number that cannot be
erased yet, as something is owed to it, is looked at again in the next round.

It counts from what is surely past (`missedd.core.trusted_time`), and so keeps a mark of the daemon's
running time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Final

import trio

from missedd.base.clock import Clock
from missedd.log.logger import Event, Logger
from missedd.store.db.database import NotDurable
from missedd.store.people.retention import (
    BEFORE_ALL_NUMBERS,
    NUMBER_COLUMNS,
    InactiveNumber,
    erase_inactive,
    scan_numbers,
)
from missedd.store.people.retention_clock import update_trusted_time
from missedd.store.store import Store

FIRST_ROUND_AFTER_S: Final = 60.0
"""What became due while we were down goes out first."""

ROUND_EVERY_S: Final = 24 * 3600.0
"""It is about days, and each round looks at every number."""

SAVE_RUNNING_TIME_EVERY_S: Final = 3600.0
"""How often the running time is kept: what a restart loses of it is made up for within the hour."""

READ_BATCH: Final = 200
"""Numbers a read; no more than some milliseconds."""

MAX_COMMIT_ROWS: Final = 60
"""Calls and actions a commit, unless a single number has more."""

PAUSE_S: Final = 0.25
RETRY_S: Final = 60.0

LOG_EVERY_S: Final = 600.0
"""The first round after years may take hours."""


class Retention:
    def __init__(self, store: Store, erase_after: timedelta, clock: Clock, log: Logger) -> None:
        self._store = store
        self._erase_after = erase_after
        self._clock = clock
        self._log = log
        self._erased = 0
        self._logged_at_s = self._saved_at_s = trio.current_time()

    async def run(self) -> None:
        """Look at all numbers, once a day, for ever."""
        await trio.sleep(FIRST_ROUND_AFTER_S)
        looks_at_s = trio.current_time()
        while True:
            try:
                past = await self._save_running_time()
                if trio.current_time() >= looks_at_s:
                    if past is not None:
                        await self._erase_inactive(past - self._erase_after)
                        self._log_erased()
                    looks_at_s = trio.current_time() + ROUND_EVERY_S
                self._log.reset_throttle(Event.STORE_COMMIT_FAILED, "retention")
                await trio.sleep(SAVE_RUNNING_TIME_EVERY_S)
            except NotDurable as failure:
                self._log_erased()
                self._log.log_throttled(
                    "warning", Event.STORE_COMMIT_FAILED, "retention", unit="retention", error=str(failure)
                )
                await trio.sleep(RETRY_S)

    async def _save_running_time(self) -> datetime | None:
        """What is surely past, now that the daemon ran on; None where there is no call yet."""
        now_s = trio.current_time()
        unit = partial(
            update_trusted_time, now=self._clock.now(), elapsed=timedelta(seconds=now_s - self._saved_at_s)
        )
        past = await self._store.write(unit, offload=True)
        self._saved_at_s = now_s
        return past

    async def _erase_inactive(self, before: datetime) -> None:
        for table, column in NUMBER_COLUMNS:
            after: str | None = BEFORE_ALL_NUMBERS
            while after is not None:
                looked = await self._store.read(
                    partial(
                        scan_numbers, table=table, column=column, after=after, before=before, limit=READ_BATCH
                    )
                )
                for numbers in _commit_batches(looked.inactive):
                    await self._erase(numbers, before)
                after = looked.next_after
                await trio.sleep(PAUSE_S)

    async def _erase(self, numbers: list[str], before: datetime) -> None:
        unit = partial(erase_inactive, numbers=numbers, before=before, now=self._clock.now())
        self._erased += await self._store.write(unit, offload=True)
        if trio.current_time() - self._logged_at_s >= LOG_EVERY_S:
            self._log_erased()
        await trio.sleep(PAUSE_S)

    def _log_erased(self) -> None:
        """How many, and never who."""
        if self._erased:
            self._log.info(Event.NUMBERS_ERASED, count=self._erased)
        self._erased, self._logged_at_s = 0, trio.current_time()


def _commit_batches(inactive: Iterable[InactiveNumber]) -> Iterator[list[str]]:
    """The numbers in commits of so many rows."""
    numbers: list[str] = []
    rows = 0
    for each in inactive:
        if numbers and rows + each.rows > MAX_COMMIT_ROWS:
            yield numbers
            numbers, rows = [], 0
        numbers.append(each.number)
        rows += each.rows + 1
    if numbers:
        yield numbers
