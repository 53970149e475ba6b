"""Reports the progress of a load: one updated line on a terminal, or JSON lines on request."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from time import perf_counter
from typing import Final

import trio

from simulator.load.tally import LoadTally

LINE_INTERVAL_S: Final = 0.5
JSON_INTERVAL_S: Final = 1.0


async def report_progress(tally: LoadTally, for_s: float, *, progress: bool) -> None:
    """Report until cancelled. Without a terminal there is a report only if `progress` is set."""
    is_terminal = sys.stderr.isatty()
    if not is_terminal and not progress:
        return
    interval_s = LINE_INTERVAL_S if is_terminal else JSON_INTERVAL_S
    began_s = before_s = perf_counter()
    answered_before = 0
    try:
        while True:
            await trio.sleep(interval_s)
            now_s, answered = perf_counter(), tally.answered
            state = {
                "elapsed_s": round(now_s - began_s, 1),
                "rate": round((answered - answered_before) / (now_s - before_s), 1),
                "answered": answered,
                "planned": tally.planned,
                "errors": tally.errors,
                "dropped": tally.dropped,
                "slowest_ms": tally.slowest_us / 1000,
            }
            before_s, answered_before, tally.slowest_us = now_s, answered, 0
            _write_stderr(_line(state, for_s) if is_terminal else json.dumps(state) + "\n")
    finally:
        if is_terminal:
            _write_stderr("\r\x1b[K")


def _write_stderr(text: str) -> None:
    with suppress(OSError):  # a terminal that was closed; the load goes on
        print(text, end="", file=sys.stderr, flush=True)


def _line(state: dict[str, float], for_s: float) -> str:
    return (
        f"\r\x1b[K{state['elapsed_s']:,.1f} of {for_s:,.0f} s: {state['rate']:,.0f}/s, "
        f"{state['answered']:,} answered, slowest {state['slowest_ms']:,.1f} ms, "
        f"errors {state['errors']:,}, dropped {state['dropped']:,}"
    )
