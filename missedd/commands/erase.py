"""`missedd erase`: forget a number, and keep what was counted."""

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
        "erase",
        help="put a pseudonym in the place of a number",
        description="Replaces the number by a pseudonym wherever it is kept; every figure stays what it was. "
        "Its suppressions and its consents keep the number, as the law wants. Refused while something is "
        "still owed to it. It cannot be undone, and does not reach backups. The daemon must be running.",
        epilog="example: missedd erase --config missedd.toml 098765 43210",
    )
    add_config_option(parser)
    parser.add_argument("number", nargs="+", metavar="NUMBER", help="in any spelling")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_erase, " ".join(args.number)))


def _erase(number: str, settings: Settings) -> int:
    said = call_api(settings, f"/api/v1/numbers/{quote(number, safe='')}/erase")
    if not said.is_ok:
        print(f"{number}: {said.detail}", file=sys.stderr)
        return FAILED
    print(f"{number} is erased; its calls stay counted as those of {said.body['pseudonym']}")
    kept = [
        f"{count} {word if count == 1 else word + 's'}"
        for word, count in (("suppression", said.body["suppressions"]), ("consent", said.body["consents"]))
        if count
    ]
    if kept:
        print(f"kept with the number: {' and '.join(kept)}")
    return OK
