"""`missedd suppress`: let nobody contact a number."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from missedd.base.clock import SystemClock, to_iso
from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option, to_local_text
from missedd.config.loader import Settings
from missedd.config.values import parse_duration

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "suppress",
        help="put a number on the suppression list",
        description="Nobody calls or texts the number from now on, whatever is owed to it; its calls are "
        "counted. A prefix such as '+232*' stands for all numbers that begin so; quote the asterisk. The "
        "daemon must be running.",
        epilog="example: missedd suppress --config missedd.toml 098765 43210 --reason 'asked by mail' "
        "--until 90d",
    )
    add_config_option(parser)
    parser.add_argument("number", nargs="+", metavar="NUMBER", help="in any spelling, or a prefix: '+232*'")
    parser.add_argument("--reason", required=True, metavar="R", help="why, for whoever asks later")
    parser.add_argument(
        "--until", metavar="T", help="a date, an instant, or how long from now: 90d; for ever if not given"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    number = " ".join(args.number)
    return run_with_settings(args.config, partial(_suppress, number, args.reason, args.until))


def _suppress(number: str, reason: str, until: str | None, settings: Settings) -> int:
    lasts = parse_duration(until)
    end = until if lasts is None else to_iso(SystemClock().now() + lasts)
    said = call_api(settings, "/api/v1/suppressions", {"number": number, "reason": reason, "until": end})
    if not said.is_ok:
        print(f"{number}: {said.detail}", file=sys.stderr)
        return FAILED
    how_long = f"until {to_local_text(said.body['until'], settings)}" if end else "for ever"
    print(f"{said.body['number']} is suppressed {how_long}")
    return OK
