"""`missedd-sim replay`: scenario files, each a test."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from simulator.commands.database_option import DATABASE_HELP, NEEDS_SERVER
from simulator.commands.junit import ScenarioTestResult, write_junit
from simulator.scenario.loader import load_scenario
from simulator.scenario.scenario import Scenario, ScenarioError
from simulator.scenario.value_readers import format_duration

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "replay",
        help="run scenario files with the real daemon in virtual time",
        description="Each scenario starts the real daemon on a real database inside the simulated exchange, "
        "plays its timeline in virtual time and checks its expectations. All files are read first; a file "
        "with a mistake does not stop the others. Exit code 2 if a file has a mistake, otherwise 1 if an "
        "expectation is not met. After Ctrl-C the results so far are printed, with exit code 130.",
        epilog="example: missedd-sim replay scenarios/*.toml --junit replay.xml",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a scenario file")
    parser.add_argument(
        "--junit", type=Path, metavar="OUT.xml", help="also write the results for a CI server"
    )
    parser.add_argument(
        "--log", action="store_true", help="print the daemon's log of each scenario to stderr"
    )
    parser.add_argument("--database", metavar="URL", help=DATABASE_HELP)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    console = Console(highlight=False, soft_wrap=True)
    results: list[ScenarioTestResult] = []
    try:
        for read in _read_scenarios(args.files):
            # In this order, so that what is printed is counted whenever somebody presses Ctrl-C.
            result, told = (
                (read, "")
                if isinstance(read, ScenarioTestResult)
                else _replay_one(read, console, args.log, args.database)
            )
            results.append(result)
            console.print(told, end="")
            for failure in result.failures:
                console.print(failure, markup=False)
    except KeyboardInterrupt:
        results += [
            ScenarioTestResult(path.stem, skipped="interrupted") for path in args.files[len(results) :]
        ]
        _finish(results, args.junit)
        raise
    return _finish(results, args.junit)


def _finish(results: Sequence[ScenarioTestResult], junit: Path | None) -> int:
    """The last line, and the file for a CI server; says with which code to exit."""
    print(_summary(results))
    if junit is not None:
        try:
            write_junit(junit, results)
        except OSError as failure:
            print(f"{junit}: cannot be written: {failure.strerror}", file=sys.stderr)
            return 2
    return max(result.exit_code for result in results)


def _read_scenarios(paths: Sequence[Path]) -> list[Scenario | ScenarioTestResult]:
    """Each file as a scenario, or as the result that it cannot be one."""
    # Here and not above: the other commands are Exotel alone and do without the daemon's code.
    from simulator.harness.scenario_check import check_scenario

    read: list[Scenario | ScenarioTestResult] = []
    for path in paths:
        try:
            scenario = load_scenario(path)
            check_scenario(scenario)
        except ScenarioError as mistake:
            read.append(_report_file_error(path, mistake))
        else:
            read.append(scenario)
    return read


def _report_file_error(path: Path, error: Exception) -> ScenarioTestResult:
    print(error, file=sys.stderr)
    return ScenarioTestResult(path.stem, error=str(error), is_file_error=True)


def _replay_one(
    scenario: Scenario, console: Console, with_log: bool, database: str | None
) -> tuple[ScenarioTestResult, str]:
    """How it came out, and the line that says so."""
    from simulator.harness.cluster.run_database import NoServer
    from simulator.harness.replay import replay_scenario

    name = escape(scenario.name)
    if scenario.cluster is not None and database is None:
        told = f"[yellow]skipped[/] {name}: {escape(NEEDS_SERVER)}\n"
        return ScenarioTestResult(scenario.name, skipped=NEEDS_SERVER), told
    try:
        with console.status(f"replaying {name}"):
            outcome = replay_scenario(scenario, database)
    except (ScenarioError, NoServer) as mistake:
        return _report_file_error(scenario.path, mistake), ""
    except Exception as fall:
        return _unexpected_error_result(scenario.name, fall)
    if with_log:
        sys.stderr.write(outcome.log_text)
    verdict = "[green]passed[/]" if outcome.passed else "[red]FAILED[/]"
    ratio = outcome.simulated.total_seconds() / max(outcome.took_s, 1e-9)
    return (
        ScenarioTestResult(scenario.name, outcome.took_s, [str(failure) for failure in outcome.failures]),
        f"{verdict} {name}: {outcome.checked} expectations, "
        f"{format_duration(outcome.simulated)} in {outcome.took_s:.2f} s ({ratio:,.0f} × real time)\n",
    )


def _unexpected_error_result(name: str, fall: Exception) -> tuple[ScenarioTestResult, str]:
    """The daemon's mistake or the simulator's: of this scenario nothing is known, of the others all."""
    trace = "".join(traceback.format_exception(fall))
    sys.stderr.write(trace)
    first: BaseException = fall
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    error = f"{type(first).__name__}: {first}"
    told = f"[red]ERROR[/] {escape(name)}: it ended by {escape(error)}\n"
    return ScenarioTestResult(name, error=f"{error}\n{trace}"), told


def _summary(results: Sequence[ScenarioTestResult]) -> str:
    failed = sum(bool(result.failures) for result in results)
    told = {
        "could not be run": sum(result.error is not None for result in results),
        "not run": sum(result.skipped is not None for result in results),
    }
    passed = len(results) - failed - sum(told.values())
    return ", ".join(
        [f"{passed} passed, {failed} failed", *(f"{count} {what}" for what, count in told.items() if count)]
    )
