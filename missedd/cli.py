"""The command line: one parser, one module a command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from missedd import __version__
from missedd.commands import (
    backup,
    check,
    convert,
    demo,
    erase,
    password,
    pause,
    poll,
    release,
    report,
    resend,
    restore,
    resume,
    serve,
    settle,
    subscriptions,
    suppress,
    unsubscribe,
    unsuppress,
    why,
)

COMMANDS = (
    *(demo, serve, check, why, report, poll, subscriptions, unsubscribe, suppress, unsuppress, erase),
    *(pause, resume, resend, settle, convert, password, backup, restore, release),
)


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="missedd",
        description="Turns missed calls to an ExoPhone into what the caller is owed: a callback, an SMS, a "
        "lead, a webhook. Once, at the right time, and with a reason for everything.",
        epilog="New here? `missedd demo` shows all of it without an account. Exit codes: 0 well, 1 a check "
        "failed, 2 usage, 78 configuration.",
    )
    top.add_argument("--version", action="version", version=f"missedd {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for each in COMMANDS:
        each.add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except BrokenPipeError:
        # `missedd why … | head` is no error of ours.
        return 0
    finally:
        _flush()


def _flush() -> None:
    """Write out what is left, and lose it where nobody listens: Python would exit with 120 for that."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
