"""`missedd pause`: call and text nobody for a campaign, for a while."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from urllib.parse import quote

from missedd.base.clock import SystemClock, to_iso
from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option, to_local_text
from missedd.config.loader import Settings
from missedd.config.values import parse_duration

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "pause",
        help="call and text nobody for a campaign until it is resumed",
        description="Callbacks and SMS of the campaign wait, and what grows older than its give_up_after "
        "meanwhile expires. Calls are taken, decided and counted as ever: leads, votes, lists and webhooks "
        "go on. A pause that is in force is replaced. The daemon must be running.",
        epilog="example: missedd pause --config missedd.toml admissions --why 'agents at lunch' --until 1h",
    )
    add_config_option(parser)
    parser.add_argument("campaign", metavar="CAMPAIGN")
    parser.add_argument("--why", required=True, metavar="W", help="for whoever asks later")
    parser.add_argument(
        "--until",
        metavar="T",
        help="a date, an instant, or how long from now: 90m; until `missedd resume` if not given",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_pause, args.campaign, args.why, args.until))


def _pause(campaign: str, why: str, until: str | None, settings: Settings) -> int:
    lasts = parse_duration(until)
    end = until if lasts is None else to_iso(SystemClock().now() + lasts)
    path = f"/api/v1/campaigns/{quote(campaign, safe='')}/pause"
    said = call_api(settings, path, {"why": why, "until": end})
    if not said.is_ok:
        print(f"{campaign}: {said.detail}", file=sys.stderr)
        return FAILED
    lasts_until = to_local_text(said.body["until"], settings) if end else "it is resumed"
    print(f"{campaign} is paused until {lasts_until}")
    return OK
