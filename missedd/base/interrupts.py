"""How a command ends when it is interrupted: with a short message and an exit code, not with a traceback.

Ctrl-C gives 130 and SIGTERM 143, as in shells. A server drains instead and exits 0, and a stop before it
serves is no failure either. A server ignores SIGHUP, which a closing terminal sends.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143


def run_interruptible(run: Callable[[], int], *, is_server: bool) -> int:
    """Run a command and return its exit code, even if it is interrupted. Call this in the main thread."""
    code = 0
    is_interrupted = False
    with _sigterm_as_sigint(is_server) as signals:
        try:
            code = run()
        except* KeyboardInterrupt:
            is_interrupted = True
    if not is_interrupted or is_server:
        return code
    print("interrupted", file=sys.stderr)
    return EXIT_TERMINATED if signal.SIGTERM in signals else EXIT_INTERRUPTED


@contextmanager
def _sigterm_as_sigint(is_server: bool) -> Iterator[list[int]]:
    """Make SIGTERM do what Ctrl-C does, in the same places; the list shows whether it came."""
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(number)
        control_c = signal.getsignal(signal.SIGINT)
        if callable(control_c):  # trio's own function knows where it may interrupt
            control_c(signal.SIGINT, frame)
            return
        raise KeyboardInterrupt  # the command was started in the background, where Ctrl-C is ignored

    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, interrupt)}
    if is_server:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        yield came
    finally:
        for number, action in before.items():
            signal.signal(number, action)
