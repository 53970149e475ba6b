"""`python -m bench [PART…]`: measure, show a table, write bench/results.json and bench/results.svg."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from bench import ack, figures, ingest
from bench.rig import best_generator
from bench.tables import show

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all of them without"
    )
    parser.add_argument(
        "--rounds", type=int, default=3, help="of each comparison; the median counts (%(default)s)"
    )
    parser.add_argument(
        "--for", type=float, default=4.0, dest="for_s", help="seconds a round of ingest (%(default)s)"
    )
    parser.add_argument("--generator", choices=["wrk", "own"], default=best_generator(), help="(%(default)s)")
    parser.add_argument("--calls", type=int, default=1_000_000, help="in the store of figures (%(default)s)")
    parser.add_argument("--days", type=int, default=365, help="that they are spread over (%(default)s)")
    parser.add_argument("--write", action="store_true", help="keep the figures in bench/results.json")
    options = parser.parse_args(arguments)
    for part in options.parts:
        if part not in PARTS:
            parser.error(f"{part!r} is no part; there are {', '.join(PARTS)}")
    console = Console(highlight=False)
    for part in options.parts or PARTS:
        found = PARTS[part](options, lambda words: print(words, file=sys.stderr, flush=True))
        show(console, part, found)
        if options.write:
            _keep(part, found)
    return 0


PARTS: dict[str, Callable[[argparse.Namespace, Callable[[str], None]], dict[str, Any]]] = {
    "ingest": lambda options, say: ingest.measure(options.rounds, options.for_s, options.generator, say),
    "ack": lambda options, say: ack.measure(options.rounds, say),
    "figures": lambda options, say: figures.measure(options.calls, options.days, say),
}


def _keep(part: str, found: dict[str, Any]) -> None:
    """Beside the other parts' latest figures, with when and where."""
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    kept["machine"] = machine()
    kept[part] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **found}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", "utf-8")


def machine() -> dict[str, Any]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": platform.system(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main())
