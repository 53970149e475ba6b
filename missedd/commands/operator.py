"""The commands by which an operator changes something, from the descriptions in `missedd.operator_actions`.

Each is a request to the running daemon's API, and a line about what came of it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from missedd.base.clock import SystemClock, to_iso
from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option, to_local_text
from missedd.config.loader import Settings
from missedd.config.values import parse_duration
from missedd.operator_actions.description import (
    Argument,
    ArgumentKind,
    CommandHelp,
    OperatorAction,
    Values,
)
from missedd.operator_actions.table import ACTIONS

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

COMMANDS: Final = {each.name: (each, each.command) for each in ACTIONS if each.command is not None}


def add_parser(commands: Subparsers, name: str) -> None:
    action, command = COMMANDS[name]
    parser = commands.add_parser(
        name,
        help=command.help,
        description=f"{command.description} The daemon must be running.",
        epilog=command.epilog,
    )
    add_config_option(parser)
    for argument in action.arguments:
        flag = f"--{argument.name}" if argument.is_option else argument.name
        parser.add_argument(flag, **_argparse_options(argument, command))
    parser.set_defaults(run=partial(run, action))


def _argparse_options(argument: Argument, command: CommandHelp) -> dict[str, Any]:
    options: dict[str, Any] = {"help": argument.help or None, "metavar": argument.metavar}
    if argument.is_option and argument.is_required:
        options["required"] = True
    match argument.kind:
        case ArgumentKind.NUMBER | ArgumentKind.NUMBER_OR_PREFIX:
            options["nargs"] = "+"  # a number may be written with blanks
        case ArgumentKind.ROW_ID:
            options["type"] = int
            if command.takes_many:
                options["nargs"] = "+"
        case ArgumentKind.CHOICE:
            options["choices"] = [choice.value for choice in argument.choices]
        case ArgumentKind.FLAG:
            options = {"help": argument.help or None, "action": "store_true"}
    return options


def run(action: OperatorAction, args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_perform_all, action, args))


def _perform_all(action: OperatorAction, args: argparse.Namespace, settings: Settings) -> int:
    results = [_perform(action, values, settings) for values in _each_change(action, args)]
    return max(results)


def _each_change(action: OperatorAction, args: argparse.Namespace) -> Iterator[Values]:
    """The values of the arguments, once for each change that is asked for."""
    values = {argument.name: _value(argument, getattr(args, argument.name)) for argument in action.arguments}
    many = next((name for name, value in values.items() if isinstance(value, list)), None)
    if many is None:
        yield values
        return
    for value in values[many]:
        yield values | {many: value}


def _value(argument: Argument, given: Any) -> Any:
    match argument.kind:
        case ArgumentKind.NUMBER | ArgumentKind.NUMBER_OR_PREFIX:
            return " ".join(given)
        case ArgumentKind.UNTIL:
            lasts = parse_duration(given)
            return given if lasts is None else to_iso(SystemClock().now() + lasts)
    return given


def _perform(action: OperatorAction, values: Values, settings: Settings) -> int:
    """Ask the daemon for the change, and print what came of it."""
    path = action.path.format_map({name: quote(str(value), safe="") for name, value in values.items()})
    body = {argument.name: values[argument.name] for argument in action.body_arguments} or None
    answer = call_api(settings, f"/api{path}", body, action.method)
    if not answer.is_ok:
        print(f"{action.subject.format_map(values)}: {answer.detail}", file=sys.stderr)
        return FAILED
    print(action.done(values, answer.body, partial(to_local_text, settings=settings)))
    return OK
