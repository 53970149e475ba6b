"""`missedd unsubscribe`: take a number off a list."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from urllib.parse import quote

from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option
from missedd.config.loader import Settings

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "unsubscribe",
        help="take a number off a list",
        description="Withdraws the number's consent, as a call to the list's unsubscribing ExoPhone would. "
        "The consent stays on record with its evidence and its end. The daemon must be running.",
        epilog="example: missedd unsubscribe --config missedd.toml weather 098765 43210",
    )
    add_config_option(parser)
    parser.add_argument("list", metavar="LIST")
    parser.add_argument("number", nargs="+", metavar="NUMBER", help="in any spelling")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_unsubscribe, args.list, " ".join(args.number)))


def _unsubscribe(name: str, number: str, settings: Settings) -> int:
    path = f"/api/v1/subscriptions/{quote(name, safe='')}/{quote(number, safe='')}"
    said = call_api(settings, path, method="DELETE")
    if not said.is_ok:
        print(f"{number}: {said.detail}", file=sys.stderr)
        return FAILED
    print(f"{number} is off the list {name!r}")
    return OK
