"""The command line of `missedd-sim`. Each command is a module with `add_parser` that sets `run`.

Exit codes: 0 well, 1 a check failed or the port was taken, 2 wrong usage, 130 interrupted by Ctrl-C, 143
by SIGTERM.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from simulator.base.choices import unknown_value_text
from simulator.base.interrupts import run_interruptible

COMMANDS = ("serve", "replay", "load", "fuzz", "sweep")
LONG_RUNNING_COMMANDS = ("serve", "load")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; says how it ended. Raises SystemExit (2) for wrong usage."""
    words = sys.argv[1:] if arguments is None else arguments
    command = words[0] if words else ""
    if command and not command.startswith("-") and command not in COMMANDS:
        print(f"missedd-sim: {unknown_value_text(command, COMMANDS)}", file=sys.stderr)
        return 2
    return run_interruptible(partial(_run, words), is_server=command in LONG_RUNNING_COMMANDS)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    # Here and not above: they load for a second, in which somebody may press Ctrl-C already.
    from simulator.commands import fuzz, load, replay, serve, sweep

    top = argparse.ArgumentParser(
        prog="missedd-sim",
        description="Simulates Exotel: its API, its callers and its faults. No account is needed.",
        epilog="`missedd-sim COMMAND --help` explains a command and shows examples.",
    )
    subparsers = top.add_subparsers(metavar="COMMAND", required=True)
    for command in (serve, replay, load, fuzz, sweep):
        command.add_parser(subparsers)
    return top


def _run(arguments: Sequence[str]) -> int:
    try:
        top = build_parser()
    except ModuleNotFoundError as missing:
        name = (missing.name or "").partition(".")[0]
        if name not in ("faker", "hdrh"):
            raise
        print(
            f"missedd-sim: {name} cannot be found: install missedd[sim] in place of missedd",
            file=sys.stderr,
        )
        return 1
    parsed = top.parse_args(arguments)
    return int(parsed.run(parsed))
