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
from missedd.store.people.retention import FIRST, SOURCES, Silent, erase_silent, look_on
from missedd.store.people.retention_clock import go_on
from missedd.store.store import Store

START_S: Final = 60.0
"""What became due while we were down goes out first."""

LOOK_EVERY_S: Final = 24 * 3600.0
"""It is about days, and each round looks at every number."""

MARK_EVERY_S: Final = 3600.0
"""How often the running time is kept: what a restart loses of it is made up for within the hour."""

LOOKED: Final = 200
"""Numbers a read; no more than some milliseconds."""

ROWS: Final = 60
"""Calls and actions a commit, unless a single number has more."""

PAUSE_S: Final = 0.25
RETRY_S: Final = 60.0

TELL_EVERY_S: Final = 600.0
"""The first round after years may take hours."""


class Retention:
    def __init__(self, store: Store, erase_after: timedelta, clock: Clock, log: Logger) -> None:
        self._store = store
        self._erase_after = erase_after
        self._clock = clock
        self._log = log
        self._erased = 0
        self._told_s = self._kept_s = trio.current_time()

    async def run(self) -> None:
        """Look at all numbers, once a day, for ever."""
        await trio.sleep(START_S)
        looks_at_s = trio.current_time()
        while True:
            try:
                past = await self._go_on()
                if trio.current_time() >= looks_at_s:
                    if past is not None:
                        await self._round(past - self._erase_after)
                        self._tell()
                    looks_at_s = trio.current_time() + LOOK_EVERY_S
                self._log.ended(Event.STORE_COMMIT_FAILED, "retention")
                await trio.sleep(MARK_EVERY_S)
            except NotDurable as failure:
                self._tell()
                self._log.repeated(
                    "warning", Event.STORE_COMMIT_FAILED, "retention", unit="retention", error=str(failure)
                )
                await trio.sleep(RETRY_S)

    async def _go_on(self) -> datetime | None:
        """What is surely past, now that the daemon ran on; None where there is no call yet."""
        now_s = trio.current_time()
        unit = partial(go_on, now=self._clock.now(), ran=timedelta(seconds=now_s - self._kept_s))
        past = await self._store.write(unit, aside=True)
        self._kept_s = now_s
        return past

    async def _round(self, before: datetime) -> None:
        for table, column in SOURCES:
            after: str | None = FIRST
            while after is not None:
                looked = await self._store.read(
                    partial(look_on, table=table, column=column, after=after, before=before, most=LOOKED)
                )
                for numbers in _steps(looked.silent):
                    await self._erase(numbers, before)
                after = looked.after
                await trio.sleep(PAUSE_S)

    async def _erase(self, numbers: list[str], before: datetime) -> None:
        unit = partial(erase_silent, numbers=numbers, before=before, now=self._clock.now())
        self._erased += await self._store.write(unit, aside=True)
        if trio.current_time() - self._told_s >= TELL_EVERY_S:
            self._tell()
        await trio.sleep(PAUSE_S)

    def _tell(self) -> None:
        """How many, and never who."""
        if self._erased:
            self._log.info(Event.NUMBERS_ERASED, count=self._erased)
        self._erased, self._told_s = 0, trio.current_time()


def _steps(silent: Iterable[Silent]) -> Iterator[list[str]]:
    """The numbers in commits of so many rows."""
    numbers: list[str] = []
    rows = 0
    for each in silent:
        if numbers and rows + each.rows > ROWS:
            yield numbers
            numbers, rows = [], 0
        numbers.append(each.number)
        rows += each.rows + 1
    if numbers:
        yield numbers
