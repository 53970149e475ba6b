"""`missedd-sim replay`: scenario files, each a test."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from simulator.commands.junit import Result, write_junit
from simulator.scenario.scenario import Scenario, ScenarioMistake, load_scenario
from simulator.scenario.value_readers import spelled

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "replay",
        help="run scenario files with the real daemon in virtual time",
        description="Each scenario starts the real daemon on a real database inside the simulated exchange, "
        "plays its timeline in virtual time and checks its expectations. All files are read first, and one "
        "with a mistake does not stop the others. Exit code 2 if a file has a mistake, otherwise 1 if an "
        "expectation is not met; 130 after Ctrl-C, with what was found so far.",
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
    console = Console(highlight=False, soft_wrap=True)
    results: list[Result] = []
    try:
        for read in _read(args.files):
            # In this order, so that what is printed is counted whenever somebody presses Ctrl-C.
            result, told = (read, "") if isinstance(read, Result) else _played(read, console, args.log)
            results.append(result)
            console.print(told, end="")
            for failure in result.failures:
                console.print(failure, markup=False)
    except KeyboardInterrupt:
        results += [Result(path.stem, skipped="interrupted") for path in args.files[len(results) :]]
        _tell(results, args.junit)
        raise
    return _tell(results, args.junit)


def _tell(results: Sequence[Result], junit: Path | None) -> int:
    """The last line, and the file for a CI server; says with which code to exit."""
    print(_summary(results))
    if junit is not None:
        try:
            write_junit(junit, results)
        except OSError as failure:
            print(f"{junit}: cannot be written: {failure.strerror}", file=sys.stderr)
            return 2
    return max(result.exit_code for result in results)


def _read(paths: Sequence[Path]) -> list[Scenario | Result]:
    """Each file as a scenario, or as the result that it cannot be one."""
    # Here and not above: the other commands are Exotel alone and do without the daemon's code.
    from simulator.harness.scenario_check import proofread

    read: list[Scenario | Result] = []
    for path in paths:
        try:
            scenario = load_scenario(path)
            proofread(scenario)
        except ScenarioMistake as mistake:
            read.append(_mistaken(path, mistake))
        else:
            read.append(scenario)
    return read


def _mistaken(path: Path, mistake: ScenarioMistake) -> Result:
    print(mistake, file=sys.stderr)
    return Result(path.stem, error=str(mistake), is_mistake=True)


def _played(scenario: Scenario, console: Console, with_log: bool) -> tuple[Result, str]:
    """How it came out, and the line that says so."""
    from simulator.harness.replay import replay

    name = escape(scenario.name)
    try:
        with console.status(f"replaying {name}"):
            outcome = replay(scenario)
    except ScenarioMistake as mistake:
        return _mistaken(scenario.path, mistake), ""
    except Exception as fall:
        return _fallen(scenario.name, fall)
    if with_log:
        sys.stderr.write(outcome.log_text)
    verdict = "[green]passed[/]" if outcome.passed else "[red]FAILED[/]"
    ratio = outcome.simulated.total_seconds() / max(outcome.took_s, 1e-9)
    return (
        Result(scenario.name, outcome.took_s, [str(failure) for failure in outcome.failures]),
        f"{verdict} {name}: {outcome.checked} expectations, "
        f"{spelled(outcome.simulated)} in {outcome.took_s:.2f} s ({ratio:,.0f} × real time)\n",
    )


def _fallen(name: str, fall: Exception) -> tuple[Result, str]:
    """The daemon's mistake or the simulator's: of this scenario nothing is known, of the others all."""
    trace = "".join(traceback.format_exception(fall))
    sys.stderr.write(trace)
    first: BaseException = fall
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    error = f"{type(first).__name__}: {first}"
    told = f"[red]ERROR[/] {escape(name)}: it ended by {escape(error)}\n"
    return Result(name, error=f"{error}\n{trace}"), told


def _summary(results: Sequence[Result]) -> str:
    failed = sum(bool(result.failures) for result in results)
    told = {
        "could not be run": sum(result.error is not None for result in results),
        "not run": sum(result.skipped is not None for result in results),
    }
    passed = len(results) - failed - sum(told.values())
    return ", ".join(
        [f"{passed} passed, {failed} failed", *(f"{count} {what}" for what, count in told.items() if count)]
    )
