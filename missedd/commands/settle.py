"""`missedd settle`: say what became of a callback or an SMS whose outcome nobody learnt."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option
from missedd.config.loader import Settings
from missedd.core.actions.resolution import RESOLUTION_OUTCOMES

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "settle",
        help="say what became of a callback or an SMS whose outcome is unknown",
        description="An action whose request was sent and whose answer never came is looked up, and ends as "
        "`unknown` if the provider's list does not show it. `GET /api/v1/actions?settled=false` lists "
        "these. What you say is kept beside the outcome and counted in the figures; nobody is contacted. "
        "The daemon must be running.",
        epilog="example: missedd settle --config missedd.toml 4711 answered --note 'she told us so'",
    )
    add_config_option(parser)
    parser.add_argument("action", type=int, metavar="ACTION", help="its id, as `missedd why` shows it")
    parser.add_argument("outcome", choices=[each.value for each in RESOLUTION_OUTCOMES])
    parser.add_argument("--note", metavar="TEXT", help="how you know, for whoever asks later")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_settle, args))


def _settle(args: argparse.Namespace, settings: Settings) -> int:
    body = {"outcome": args.outcome, "note": args.note}
    said = call_api(settings, f"/api/v1/actions/{args.action}/settle", body)
    if not said.is_ok:
        print(f"action {args.action}: {said.detail}", file=sys.stderr)
        return FAILED
    print(f"action {args.action} is settled: {args.outcome}")
    return OK
