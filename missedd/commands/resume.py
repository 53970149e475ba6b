"""`missedd resume`: end a campaign's pause."""

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
        "resume",
        help="end a campaign's pause",
        description="What waited for it comes to its gates at once; who rang several times meanwhile is "
        "called back once. The daemon must be running.",
        epilog="example: missedd resume --config missedd.toml admissions",
    )
    add_config_option(parser)
    parser.add_argument("campaign", metavar="CAMPAIGN")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_resume, args.campaign))


def _resume(campaign: str, settings: Settings) -> int:
    said = call_api(settings, f"/api/v1/campaigns/{quote(campaign, safe='')}/pause", method="DELETE")
    if not said.is_ok:
        print(f"{campaign}: {said.detail}", file=sys.stderr)
        return FAILED
    print(f"{campaign} goes on")
    return OK
