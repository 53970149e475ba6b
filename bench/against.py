"""Another checkout of missedd beside this one: what a call costs each of them in processor time.

    python -m bench --against ../missedd-0.1

Both run at the same time on one machine and are loaded in turn, a second each: figures of two days, or of two
minutes on a busy machine, cannot be compared. Calls a second are not compared, because other work takes
those away, and adds little to the processor time that a call costs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final

from bench.ingest import missedd
from bench.rig import Server, hammer

TURN_S: Final = 1.0
"""Seconds of load: the least that wrk gives."""


def measure(
    say: Callable[[str], None], rounds: int, for_s: float, generator: str, checkout: Path
) -> dict[str, Any]:
    """`cpu_us` is processor time a call. `ratio` is ours by the other's, over all turns."""
    ours: list[float] = []
    others: list[float] = []
    for n in range(1, rounds + 1):
        say(f"against {checkout}, round {n} of {rounds}")
        with (
            tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder,
            tempfile.TemporaryDirectory(prefix="missedd-bench-") as other_folder,
            missedd(Path(folder)) as server,
            missedd(Path(other_folder), checkout) as other,
        ):
            for each in (server, other):
                hammer(each, TURN_S, generator)  # caches, connections, the first pages of the file
            for _ in range(round(for_s / TURN_S)):
                ours.append(_cpu_us(server, generator))
                others.append(_cpu_us(other, generator))
    ratios = [mine / theirs for mine, theirs in zip(ours, others, strict=True)]
    low, middle, high = quantiles(ratios, n=4, method="inclusive")
    return {
        "generator": generator,
        "checkout": str(checkout),
        "turns": len(ratios),
        "cpu_us": {"ours": round(median(ours), 1), "theirs": round(median(others), 1)},
        "ratio": {"low": round(low, 3), "median": round(middle, 3), "high": round(high, 3)},
    }


def _cpu_us(server: Server, generator: str) -> float:
    before_s = server.cpu_s()
    hammered = hammer(server, TURN_S, generator)
    if hammered.failed:
        raise RuntimeError(f"{hammered.failed} requests failed")
    return (server.cpu_s() - before_s) / hammered.answered * 1e6
