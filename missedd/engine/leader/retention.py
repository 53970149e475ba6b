"""Retention: erases numbers that have been inactive for longer than `erase_after`.

Erasure is slow on purpose. A commit erases few rows, and a pause follows, so that no webhook waits. If the
store cannot commit, the round is tried again. A number with an open action is not erased yet; the next
round checks it again.

Ages are measured from a time that is surely past (`missedd.core.trusted_time`). For that the daemon
saves its running time.
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
from missedd.store.db.lock_keys import NO_LOCKS, LockKeys
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
"""Actions that became due while the daemon was down are sent first."""

ROUND_EVERY_S: Final = 24 * 3600.0
"""`erase_after` is in days, and a round reads every number."""

SAVE_RUNNING_TIME_EVERY_S: Final = 3600.0
"""How often the running time is saved. A restart loses at most an hour of it."""

READ_BATCH: Final = 200
"""Numbers in one read, which takes some milliseconds."""

MAX_COMMIT_ROWS: Final = 60
"""Calls and actions erased in one commit, unless a single number has more."""

PAUSE_S: Final = 0.25
RETRY_S: Final = 60.0

LOG_EVERY_S: Final = 600.0
"""The first round of an old database may take hours, so the log shows its progress this often."""


class Retention:
    """Erases numbers that were inactive for `erase_after`, in daily rounds."""

    def __init__(self, store: Store, erase_after: timedelta, clock: Clock, log: Logger) -> None:
        self._store = store
        self._erase_after = erase_after
        self._clock = clock
        self._log = log
        self._erased = 0
        self._logged_at_s = self._saved_at_s = trio.current_time()

    async def run(self) -> None:
        """Erase inactive numbers once a day, for ever."""
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
        """Save the running time. Returns a time that is surely past; None if there is no call yet."""
        now_s = trio.current_time()
        unit = partial(
            update_trusted_time, now=self._clock.now(), elapsed=timedelta(seconds=now_s - self._saved_at_s)
        )
        past = await self._store.write(unit, offload=True, locks=NO_LOCKS)
        self._saved_at_s = now_s
        return past

    async def _erase_inactive(self, before: datetime) -> None:
        for table, column in NUMBER_COLUMNS:
            after: str | None = BEFORE_ALL_NUMBERS
            while after is not None:
                scan = await self._store.read(
                    partial(
                        scan_numbers, table=table, column=column, after=after, before=before, limit=READ_BATCH
                    )
                )
                for numbers in _commit_batches(scan.inactive):
                    await self._erase(numbers, before)
                after = scan.next_after
                await trio.sleep(PAUSE_S)

    async def _erase(self, numbers: list[str], before: datetime) -> None:
        unit = partial(erase_inactive, numbers=numbers, before=before, now=self._clock.now())
        self._erased += await self._store.write(unit, offload=True, locks=LockKeys.of(*numbers))
        if trio.current_time() - self._logged_at_s >= LOG_EVERY_S:
            self._log_erased()
        await trio.sleep(PAUSE_S)

    def _log_erased(self) -> None:
        """Log how many numbers were erased, and never which."""
        if self._erased:
            self._log.info(Event.NUMBERS_ERASED, count=self._erased)
        self._erased, self._logged_at_s = 0, trio.current_time()


def _commit_batches(inactive: Iterable[InactiveNumber]) -> Iterator[list[str]]:
    """Split the numbers into batches of at most `MAX_COMMIT_ROWS` rows."""
    numbers: list[str] = []
    rows = 0
    for inactive_number in inactive:
        if numbers and rows + inactive_number.rows > MAX_COMMIT_ROWS:
            yield numbers
            numbers, rows = [], 0
        numbers.append(inactive_number.number)
        rows += inactive_number.rows + 1
    if numbers:
        yield numbers
