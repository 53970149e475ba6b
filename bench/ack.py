"""How long an acknowledgement takes in an open model: at 1,000 calls a second, and in a burst of 2,500."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.ingest import missedd
from bench.rig import load

LOADS: Final = {
    "steady": ("1,000/s for 10 s", ("--rate", "1000", "--for", "10s", "--repeats", "0.2")),
    "burst": ("2,500/s for 10 s", ("--rate", "2500", "--for", "10s", "--repeats", "0.2")),
}


def measure(say: Callable[[str], None], rounds: int) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in LOADS}
    for n in range(1, rounds + 1):
        for name, (about, options) in LOADS.items():
            say(f"acknowledgements, round {n} of {rounds}: {about}")
            found[name].append(_round(options))
    return {
        "rounds": rounds,
        "loads": {name: _together(LOADS[name][0], each) for name, each in found.items()},
    }


def _together(about: str, rounds_of: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of each percentile; errors and drops of all rounds."""
    latency_ms = {
        key: round(median(each["latency_ms"][key] for each in rounds_of), 2)
        for key in rounds_of[0]["latency_ms"]
    }
    counts = {key: sum(each[key] for each in rounds_of) for key in ("answered", "errors", "dropped")}
    return {"about": about, "latency_ms": latency_ms, **counts}


def _round(options: tuple[str, ...]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder, missedd(Path(folder)) as server:
        load(server, "--rate", "200", "--for", "1s")  # caches, the first pages of the file
        found: dict[str, Any] = load(server, *options)
        return found
