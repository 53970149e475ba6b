"""Measures missedd beside what it is compared with. Without PARTs all of them, about ten minutes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import ack, against, cluster, day, figures, growth, ingest, restart, steps, timers
from bench.results import RESULTS, keep
from bench.rig import best_generator
from bench.tables import show

ABOUT = {
    "ingest": "calls acknowledged a second, beside a bare echo, Hypercorn, and FastAPI",
    "ack": "how long an acknowledgement takes, in an open model",
    "timers": "how late callbacks leave with 100,000 pending",
    "restart": "a start with a million callbacks pending",
    "day": "a day of 100,000 calls in virtual time",
    "growth": "bytes a call, and taking calls in with a million in the store",
    "figures": "how long a figure over a long history takes",
    "cluster": "what nodes on one PostgreSQL cost a call, and how late requests leave (needs a server)",
    "steps": "what each step of taking a call in costs by itself",
}


def build_parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="parts:\n" + "\n".join(f"  {name:8} {about}" for name, about in ABOUT.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = top.add_argument
    add("parts", nargs="*", metavar="PART", help="what to measure (see below)")
    add("--rounds", type=int, default=3, help="of what is compared; the median counts (%(default)s)")
    add("--for", type=float, default=4.0, dest="for_s", metavar="S", help="seconds a round (%(default)s)")
    add("--generator", choices=["wrk", "own"], default=best_generator(), help="(%(default)s)")
    add("--calls", type=int, default=1_000_000, help="in the store of figures (%(default)s)")
    add("--days", type=int, default=365, help="that those are spread over (%(default)s)")
    add("--full", action="store_true", help="growth to ten million calls as well: takes minutes and 10 GB")
    add(
        "--against",
        type=Path,
        metavar="DIR",
        help="compare only what a call costs here with what it costs in another checkout, set up by its make",
    )
    add("--write", action="store_true", help=f"keep the figures in {RESULTS.name}; without PARTs they are")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    top = build_parser()
    options = top.parse_args(arguments)
    for part in options.parts:
        if part not in ABOUT:
            top.error(f"{part!r} is no part; there are {', '.join(ABOUT)}")
    if options.rounds < 1 or options.for_s < 1:
        top.error("at least one round, of at least one second")
    other_work = os.getloadavg()[0]
    if other_work > 1:
        print(f"the machine is busy: its load is {other_work:.1f} before we begin", file=sys.stderr)
    console = Console(highlight=False)
    if options.against is not None:
        checkout = options.against.resolve()
        show(console, "against", against.measure(_say, **_hammering(options), checkout=checkout))
        return 0
    measures = _measures(options)
    for part in options.parts or ABOUT:
        found = measures[part](_say)
        show(console, part, found)
        if options.write or not options.parts:
            keep(part, found, other_work)
    return 0


def _say(words: str) -> None:
    print(f"… {words}", file=sys.stderr, flush=True)


def _hammering(options: argparse.Namespace) -> dict[str, Any]:
    return {"rounds": options.rounds, "for_s": options.for_s, "generator": options.generator}


def _measures(options: argparse.Namespace) -> dict[str, Callable[[Callable[[str], None]], dict[str, Any]]]:
    hammering = _hammering(options)
    sizes = growth.FULL if options.full else growth.SIZES
    return {
        "ingest": partial(ingest.measure, **hammering),
        "ack": partial(ack.measure, rounds=options.rounds),
        "timers": timers.measure,
        "restart": restart.measure,
        "day": day.measure,
        "growth": partial(growth.measure, **hammering, sizes=sizes),
        "figures": partial(figures.measure, options.calls, options.days),
        "cluster": partial(cluster.measure, rounds=options.rounds, for_s=options.for_s),
        "steps": steps.measure,
    }


if __name__ == "__main__":
    sys.exit(main())
