"""The command line of `missedd-sim`. Each command is a module with `add_parser` that sets `run`.

Exit codes: 0 well, 1 a check failed or the port was taken, 2 wrong usage, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

INTERRUPTED = 130
"""The exit code of a command that Ctrl-C ended, as shells have it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; says how it ended. Raises SystemExit (2) for wrong usage."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _run(arguments: Sequence[str] | None) -> int:
    # Here and not above: they load for a second, in which somebody may press Ctrl-C already.
    from simulator import fuzz_command, load_command, replay_command, serve, sweep_command

    parser = argparse.ArgumentParser(
        prog="missedd-sim",
        description="Exotel as seen from outside: its API, its callers and its faults, without an account.",
        epilog="`missedd-sim COMMAND --help` shows each command with examples.",
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in (serve, replay_command, load_command, fuzz_command, sweep_command):
        command.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed))
