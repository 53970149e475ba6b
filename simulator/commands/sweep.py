"""`missedd-sim sweep`: a scenario with a crash before and after each of its storage steps."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from simulator.load.options import at_least_one
from simulator.scenario.loader import load_scenario
from simulator.scenario.scenario import ScenarioError

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "sweep",
        help="replay scenarios with a crash at every storage step, judged by the promises",
        description="Runs each scenario once to count its storage steps, and then once with a crash before "
        "each step and once with a crash after it. The daemon is started again five seconds after a crash. "
        "Every run is judged by the daemon's promises, not by the scenario's own expectations. Exit code 1 "
        "if a promise is broken, 2 if a scenario cannot be run.",
        epilog="example: missedd-sim sweep scenarios/lost-reply.toml",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a scenario file")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="only N crashes, evenly spread over each scenario"
    )
    parser.add_argument(
        "--jobs",
        type=at_least_one,
        default=os.process_cpu_count() or 1,
        metavar="N",
        help="the number of parallel runs (one per core: %(default)s)",
    )
    parser.set_defaults(run=run)


@dataclass(slots=True)
class _SweepProgress:
    """What came of the scenarios so far, and of the one that is being swept."""

    name: str = ""
    steps: int = 0
    runs_in_scenario: int = 0
    failed_in_scenario: int = 0
    runs_in_all: int = 0
    failed_in_all: int = 0

    def begin(self, name: str) -> None:
        self.name, self.steps, self.runs_in_scenario, self.failed_in_scenario = name, 0, 0, 0

    @property
    def crashes(self) -> int:
        return max(0, self.runs_in_scenario - 1)

    def end(self, how: str = "") -> None:
        print(
            f"{self.name}: {self.crashes} crashes at {self.steps} storage steps, "
            f"{self.failed_in_scenario} runs broke a "
            f"promise{how}",
            flush=True,
        )
        self.failed_in_all += self.failed_in_scenario
        self.runs_in_all += self.runs_in_scenario

    def print_summary(self) -> None:
        print(f"{self.runs_in_all - self.failed_in_all} kept every promise, {self.failed_in_all} did not")


def run(args: argparse.Namespace) -> int:
    # Here and not above: the other commands are Exotel alone and do without the daemon's code.
    from simulator.fuzz.forked_runs import ForkedRunFailed

    swept = _SweepProgress()
    mistaken = 0
    for path in args.files:
        swept.begin(path.stem)
        try:
            _sweep(path, args.sample, args.jobs, swept)
        except ScenarioError as mistake:
            print(mistake, file=sys.stderr)
            mistaken += 1
            continue
        except ForkedRunFailed as failure:
            print(failure, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            swept.end(", not all of them")
            swept.print_summary()
            raise
        swept.end()
    swept.print_summary()
    return 2 if mistaken else int(swept.failed_in_all > 0)


def _sweep(path: Path, sample: int | None, parallel: int, progress: _SweepProgress) -> None:
    from simulator.fuzz.crash_sweep import crash_sweep

    with Console(highlight=False).status(f"sweeping {path.stem}") as status:
        for point, outcome in crash_sweep(load_scenario(path), sample, parallel):
            progress.runs_in_scenario += 1
            progress.steps = progress.steps or outcome.steps
            status.update(f"sweeping {path.stem}: {progress.crashes} crashes at {progress.steps} steps")
            if outcome.passed:
                continue
            progress.failed_in_scenario += 1
            where = "without a crash" if point is None else f"{point[1]} step {point[0]}"
            print(f"{path.stem}, {where}: {outcome.results.violations[0]}")
            for line in outcome.failure_trace:
                print(f"  {line}")
