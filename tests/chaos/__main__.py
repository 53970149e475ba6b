"""Chaos: three missedd nodes on a real PostgreSQL cluster, and one fault after the other while people ring.

    make chaos CHAOS="--rounds 3 --kinds kill-leader,kill-server"

The simulated exchange is the judge: which calls got their 200, and whose telephone rang. Exit code 0: nothing
was lost, nothing was done twice, no budget was exceeded, and everything owed has an outcome.
"""

from __future__ import annotations

import argparse
import signal
import sys

from tests.chaos.faults import FAULTS
from tests.chaos.run import run
from tests.cluster.cluster import what_is_missing


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=1, help="of each kind of fault (%(default)s)")
    parser.add_argument(
        "--kinds", type=_kinds, default=[*FAULTS], metavar="K,K", help=f"of {', '.join(FAULTS)} (all)"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order of the faults (%(default)s)")
    parser.add_argument(
        "--calls-per-s", type=float, default=3.0, help="how often somebody calls (%(default)s)"
    )
    parser.add_argument(
        "--per-minute",
        type=int,
        default=300,
        help="the budget of calls and of SMS; 3 calls a second need 180, so 300 bind after an outage",
    )
    parser.add_argument(
        "--settle",
        type=float,
        default=300,
        metavar="S",
        help="how long to wait at the end for what is due (%(default)s)",
    )
    options = parser.parse_args()
    if missing := what_is_missing():
        print(missing, file=sys.stderr)
        return 1
    # Else a run that is ended from outside would leave a cluster behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    result = run(
        options.kinds,
        options.rounds,
        options.seed,
        options.calls_per_s,
        options.per_minute,
        options.settle,
        lambda line: print(line, flush=True),
    )
    print(result)
    return 0 if result.passed else 1


def _kinds(text: str) -> list[str]:
    kinds = text.split(",")
    for kind in kinds:
        if kind not in FAULTS:
            raise argparse.ArgumentTypeError(f"{kind!r} is no kind of fault; known are {', '.join(FAULTS)}")
    return kinds


if __name__ == "__main__":
    sys.exit(main())
