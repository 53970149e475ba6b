"""`missedd-sim sweep`: a scenario with a crash before and after each of its storage steps."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from simulator.load.options import at_least_one
from simulator.scenario.scenario import ScenarioMistake, load_scenario

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


@dataclass(slots=True)
class _Swept:
    """What came of the scenarios so far, and of the one that is being swept."""

    name: str = ""
    steps: int = 0
    done: int = 0
    broken: int = 0
    runs: int = 0
    failed: int = 0

    def begin(self, name: str) -> None:
        self.name, self.steps, self.done, self.broken = name, 0, 0, 0

    @property
    def crashes(self) -> int:
        return max(0, self.done - 1)

    def end(self, how: str = "") -> None:
        print(
            f"{self.name}: {self.crashes} crashes at {self.steps} storage steps, {self.broken} runs broke a "
            f"promise{how}",
            flush=True,
        )
        self.failed += self.broken
        self.runs += self.done

    def sum_up(self) -> None:
        print(f"{self.runs - self.failed} kept every promise, {self.failed} did not")


def run(args: argparse.Namespace) -> int:
    # Here and not above: the other commands are Exotel alone and do without the daemon's code.
    from simulator.fuzz.forked_runs import BranchFailed

    swept = _Swept()
    mistaken = 0
    for path in args.files:
        swept.begin(path.stem)
        try:
            _sweep(path, args.sample, args.jobs, swept)
        except ScenarioMistake as mistake:
            print(mistake, file=sys.stderr)
            mistaken += 1
            continue
        except BranchFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            swept.end(", not all of them")
            swept.sum_up()
            raise
        swept.end()
    swept.sum_up()
    return 2 if mistaken else int(swept.failed > 0)


def _sweep(path: Path, sample: int | None, jobs: int, swept: _Swept) -> None:
    from simulator.fuzz.crash_sweep import sweep

    with Console(highlight=False).status(f"sweeping {path.stem}") as status:
        for point, outcome in sweep(load_scenario(path), sample, jobs):
            swept.done += 1
            swept.steps = swept.steps or outcome.steps
            status.update(f"sweeping {path.stem}: {swept.crashes} crashes at {swept.steps} steps")
            if outcome.passed:
                continue
            swept.broken += 1
            where = "without a crash" if point is None else f"{point[1]} step {point[0]}"
            print(f"{path.stem}, {where}: {outcome.tally.violations[0]}")
            for line in outcome.history:
                print(f"  {line}")
