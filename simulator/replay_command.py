"""`missedd-sim replay`: scenario files, each a test."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ElementTree, SubElement

from rich.console import Console

from simulator.scenario import ScenarioMistake, load_scenario

if TYPE_CHECKING:
    from simulator.runner.replay import Outcome

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "replay",
        help="run scenario files with the real daemon in virtual time",
        description="Each scenario starts the real daemon on a real database inside the simulated exchange, "
        "plays its timeline in virtual time and checks its expectations. Exit code 1 if one fails, 2 for a "
        "scenario that cannot be run.",
        epilog="example: missedd-sim replay scenarios/*.toml --junit replay.xml",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument(
        "--junit", type=Path, metavar="OUT.xml", help="also write the results for a CI server"
    )
    parser.add_argument(
        "--log", action="store_true", help="print the daemon's log of each scenario to stderr"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    # Here and not above: the other commands are Exotel alone and do without the daemon's code.
    from simulator.runner.replay import replay

    console = Console(highlight=False)
    outcomes: list[Outcome] = []
    for path in args.files:
        try:
            with console.status(f"replaying {path.stem}"):
                outcome = replay(load_scenario(path))
        except ScenarioMistake as mistake:
            print(mistake, file=sys.stderr)
            return 2
        outcomes.append(outcome)
        if args.log:
            sys.stderr.write(outcome.log_text)
        _say(console, outcome)
    if args.junit:
        _write_junit(args.junit, outcomes)
    failed = sum(not each.passed for each in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


def _say(console: Console, outcome: Outcome) -> None:
    verdict = "[green]passed[/]" if outcome.passed else "[red]FAILED[/]"
    ratio = outcome.simulated.total_seconds() / max(outcome.took_s, 1e-9)
    console.print(
        f"{verdict} {outcome.scenario.name}: {outcome.checked} expectations, "
        f"{outcome.simulated} in {outcome.took_s:.2f} s ({ratio:,.0f} × real time)"
    )
    for failure in outcome.failures:
        console.print(str(failure), markup=False, soft_wrap=True)


def _write_junit(path: Path, outcomes: Sequence[Outcome]) -> None:
    """JUnit's XML, as CI servers read it: a scenario is a test case."""
    suite = Element(
        "testsuite",
        name="scenarios",
        tests=str(len(outcomes)),
        failures=str(sum(not each.passed for each in outcomes)),
        time=f"{sum(each.took_s for each in outcomes):.3f}",
    )
    for outcome in outcomes:
        case = SubElement(
            suite, "testcase", classname="scenarios", name=outcome.scenario.name, time=f"{outcome.took_s:.3f}"
        )
        for failure in outcome.failures:
            first_line = str(failure).partition("\n")[0]
            SubElement(case, "failure", message=first_line).text = str(failure)
    ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
