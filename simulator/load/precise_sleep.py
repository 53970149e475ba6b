"""Waiting for an instant, to the microsecond where the system can.

The wait of an event loop ends on whole milliseconds, which is longer than a fast server takes to
answer: on Linux a timer that can be waited for like a socket is finer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import CLOCK_MONOTONIC, perf_counter
from typing import Final

import trio

_SPIN_BELOW_S: Final = 30e-6
"""Nearer than this an alarm would come too late; looking again at once is as good."""


class PreciseTimer:
    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor

    async def wait_until(self, instant_s: float) -> None:
        """Return at `instant_s` of `perf_counter`, or a little later, never earlier."""
        while (left_s := instant_s - perf_counter()) > 0:
            if left_s < _SPIN_BELOW_S:
                await trio.lowlevel.checkpoint()
            elif self._descriptor is None:
                await trio.sleep(left_s)
            else:
                os.timerfd_settime(self._descriptor, initial=left_s)
                await trio.lowlevel.wait_readable(self._descriptor)


@contextmanager
def precise_timer() -> Iterator[PreciseTimer]:
    if not hasattr(os, "timerfd_create"):
        yield PreciseTimer(None)
        return
    descriptor = os.timerfd_create(CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
    try:
        yield PreciseTimer(descriptor)
    finally:
        os.close(descriptor)
