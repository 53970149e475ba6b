"""`missedd-sim sweep`: a scenario with a crash before and after each of its storage steps."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from rich.console import Console

from simulator.load_options import at_least_one
from simulator.scenario import ScenarioMistake, load_scenario

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "sweep",
        help="replay scenarios with a crash at every storage step, judged by the promises",
        description="Each scenario is run once to count its storage steps, and then with a crash before and "
        "after every one of them; the daemon is started again five seconds later. Every run is judged by the "
        "daemon's promises, not by the scenario's own expectations. Exit code 1 if one is broken, 2 for a "
        "scenario that cannot be run.",
        epilog="example: missedd-sim sweep scenarios/lost-reply.toml",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="only N of the crashes, evenly spread over each scenario"
    )
    parser.add_argument(
        "--jobs",
        type=at_least_one,
        default=os.process_cpu_count() or 1,
        metavar="N",
        help="so many runs side by side (one a core: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    # Here and not above: the other commands are Exotel alone and do without the daemon's code.
    from simulator.runner.branches import BranchFailed
    from simulator.runner.sweep import sweep

    console = Console(highlight=False)
    failed = runs = mistaken = 0
    for path in args.files:
        broken = steps = done = 0
        try:
            with console.status(f"sweeping {path.stem}") as status:
                for point, each in sweep(load_scenario(path), args.sample, args.jobs):
                    done += 1
                    steps = steps or each.steps
                    status.update(f"sweeping {path.stem}: {done - 1} crashes at {steps} steps")
                    if not each.passed:
                        broken += 1
                        where = "without a crash" if point is None else f"{point[1]} step {point[0]}"
                        print(f"{path.stem}, {where}: {each.tally.violations[0]}")
                        for line in each.history:
                            print(f"  {line}")
        except ScenarioMistake as mistake:
            print(mistake, file=sys.stderr)
            mistaken += 1
            continue
        except BranchFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        print(
            f"{path.stem}: {done - 1} crashes at {steps} storage steps, {broken} runs broke a promise",
            flush=True,
        )
        failed += broken
        runs += done
    print(f"{runs - failed} kept every promise, {failed} did not")
    return 2 if mistaken else int(failed > 0)
