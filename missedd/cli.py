"""The command line: one parser, one module a command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path

from missedd.base.interrupts import run_interruptible
from missedd.base.version import __version__
from missedd.config.values import closest_match

_BEFORE_CHANGES = ("demo", "serve", "check", "why", "report", "leads", "poll", "subscriptions", "nodes")
_AFTER_CHANGES = ("convert", "password", "backup", "restore", "release", "migrate-store", "example", "unit")
MODULES = _BEFORE_CHANGES + _AFTER_CHANGES
"""The commands that are modules of `missedd.commands`. The others are in `missedd.commands.operator`."""

EXIT_FAILED, EXIT_USAGE = 1, 2


def all_commands() -> tuple[str, ...]:
    """Every command, in the order in which `--help` names them."""
    return (*_BEFORE_CHANGES, *import_module("missedd.commands.operator").COMMANDS, *_AFTER_CHANGES)


def build_parser(names: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser of these commands, or of all."""
    top = argparse.ArgumentParser(
        prog="missedd",
        description="Turns missed calls to an ExoPhone into callbacks, SMS, leads and webhooks: each one "
        "once, at the right time, and with a reason.",
        epilog="New here? `missedd demo` shows everything and needs no account. Exit codes: 0 success, "
        "1 a check failed, 2 wrong usage, 78 wrong configuration, 130 stopped by Ctrl-C, 143 stopped by "
        "SIGTERM. A server that is asked to stop exits with 0.",
    )
    top.add_argument("--version", action="version", version=f"missedd {__version__}")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for name in all_commands() if names is None else names:
        if name in MODULES:
            import_module(f"missedd.commands.{name.replace('-', '_')}").add_parser(commands)
        else:
            import_module("missedd.commands.operator").add_parser(commands, name)
    return top


SERVER_COMMANDS = ("demo", "serve")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    _replace_closed_streams()
    words = sys.argv[1:] if argv is None else argv
    command = words[0] if words else ""
    if command and not command.startswith("-") and command not in MODULES and command not in all_commands():
        return _report_unknown_command(command)
    return run_interruptible(partial(_run, words), is_server=command in SERVER_COMMANDS)


def _run(words: Sequence[str]) -> int:
    # Only the command that was asked for is loaded: all of them take a second, most of it the daemon.
    names = words[:1] if words and not words[0].startswith("-") else None
    args = build_parser(names).parse_args(words)
    try:
        return int(args.run(args))
    except BrokenPipeError:
        # `missedd why … | head` is no error of ours.
        return 0
    except PermissionError as refusal:
        where = f"{refusal.filename}: " if refusal.filename else ""
        print(
            f"missedd: {where}permission denied; run the command as the daemon's user, or with sudo",
            file=sys.stderr,
        )
        return EXIT_FAILED
    finally:
        _flush()


def _report_unknown_command(command: str) -> int:
    commands = all_commands()
    meant = closest_match(command, commands)
    hint = f"; did you mean {meant!r}?" if meant else ""
    print(f"missedd: there is no command {command!r}{hint}", file=sys.stderr)
    print(f"the commands are {', '.join(commands)}; `missedd --help` says what they do", file=sys.stderr)
    return EXIT_USAGE


def _replace_closed_streams() -> None:
    """Go on without the streams that whoever started us has closed: nobody reads what is said there.

    Left closed, the next file to be opened would get its number, and what is written there.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of their numbers
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - it stays open


def _flush() -> None:
    """Write out what is left, and lose it where nobody listens: Python would exit with 120 for that."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
