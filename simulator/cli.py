"""The command line of `missedd-sim`. Each command is a module with `add_parser` that sets `run`.

Exit codes: 0 well, 1 a check failed or the port was taken, 2 wrong usage.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from simulator import fuzz_command, load_command, replay_command, serve, sweep_command

COMMANDS = (serve, replay_command, load_command, fuzz_command, sweep_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; says how it ended. Raises SystemExit (2) for wrong usage."""
    parser = argparse.ArgumentParser(
        prog="missedd-sim",
        description="Exotel as seen from outside: its API, its callers and its faults, without an account.",
        epilog="`missedd-sim COMMAND --help` shows each command with examples.",
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add_parser(subparsers)
    parsed = parser.parse_args(arguments)
    return int(parsed.run(parsed))
