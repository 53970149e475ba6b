"""`missedd unsuppress`: let a number be contacted again."""

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
        "unsuppress",
        help="take a number off the suppression list",
        description="Lifts every suppression of the number, whoever wanted it: an operator, the provider, or "
        "the number itself by opting out. What was dropped meanwhile stays dropped. The daemon must be "
        "running.",
    )
    add_config_option(parser)
    parser.add_argument("number", nargs="+", metavar="NUMBER", help="in any spelling, or a prefix: '+232*'")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_unsuppress, " ".join(args.number)))


def _unsuppress(number: str, settings: Settings) -> int:
    said = call_api(settings, f"/api/v1/suppressions/{quote(number, safe='')}", method="DELETE")
    if not said.is_ok:
        print(f"{number}: {said.detail}", file=sys.stderr)
        return FAILED
    print(f"{number} may be contacted again")
    return OK
