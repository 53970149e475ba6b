"""Watches the wall clock: compares it with trio's clock, which never steps, and notices when it is set.

A step forward counts as unconfirmed until a call's own time confirms it, or until it expires.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Final

import trio

from missedd.base.clock import Clock, to_us
from missedd.core.admission.clock_steps import (
    CLOCK_NOT_AHEAD,
    UnconfirmedClockStep,
    apply_clock_step,
    has_expired,
    is_confirmed_by,
)

STEP_THRESHOLD_S: Final = 2.0
"""A larger difference between two checks means that the wall clock was set, not merely slewed."""

CHECK_EVERY_S: Final = 5.0
"""The longest time until a forward step is noticed: after a suspend, or by NTP after a boot."""

type ClockChanges = Callable[[], Awaitable[None]]
"""Returns whenever the wall clock may have been set."""


async def check_every_few_seconds() -> None:
    """The `ClockChanges` of a real machine. No event says that the clock was set, so it is polled."""
    await trio.sleep(CHECK_EVERY_S)


class ClockWatch:
    """Notices steps of the wall clock, and knows how far it may be ahead."""

    def __init__(
        self,
        clock: Clock,
        on_step: Callable[[float], None],
        slept_s: Callable[[], float] = lambda: 0.0,
        clock_changes: ClockChanges = check_every_few_seconds,
    ) -> None:
        """`on_step` is called with each step in seconds. `slept_s` returns for how many seconds the machine
        was suspended so far, as trio's clock does not count them."""
        self._clock = clock
        self._on_step = on_step
        self._slept_s = slept_s
        self._clock_changes = clock_changes
        self._changed = trio.Event()
        self._last_check: tuple[int, float, float] | None = None
        self._unconfirmed: UnconfirmedClockStep | None = None

    async def run(self) -> None:
        """Check the wall clock whenever it may have been set, for ever."""
        while True:
            await self._clock_changes()
            self.check()
            changed, self._changed = self._changed, trio.Event()
            changed.set()

    async def wait_for_change(self) -> None:
        """Return when the wall clock may have been set."""
        await self._changed.wait()

    def check(self) -> int:
        """Compare the wall clock with the last check. Returns the wall clock in microseconds of Unix time."""
        wall_us, trio_s, slept_s = to_us(self._clock.now()), trio.current_time(), self._slept_s()
        last_us, last_s, last_slept_s = self._last_check or (wall_us, trio_s, slept_s)
        self._last_check = (wall_us, trio_s, slept_s)
        by_s = (wall_us - last_us) / 1e6 - (trio_s - last_s)
        if abs(by_s) > STEP_THRESHOLD_S:
            self._on_step(by_s)
            unexplained = timedelta(seconds=by_s - (slept_s - last_slept_s))
            self._unconfirmed = apply_clock_step(self._unconfirmed, unexplained, trio_s)
        if self._unconfirmed is not None and has_expired(self._unconfirmed, trio_s):
            self._unconfirmed = None
        return wall_us

    def clock_ahead(self, call_times: Iterable[datetime | None] = ()) -> timedelta:
        """How far the wall clock may be ahead; zero if the clock is confirmed.

        `call_times` are the times of new calls by Exotel's clock, in UTC. One near the wall clock
        confirms it.
        """
        self.check()
        unconfirmed = self._unconfirmed
        if unconfirmed is None:
            return CLOCK_NOT_AHEAD
        now = self._clock.now()
        if any(each is not None and is_confirmed_by(unconfirmed, each, now) for each in call_times):
            self._unconfirmed = None
            return CLOCK_NOT_AHEAD
        return unconfirmed.max_age_error
