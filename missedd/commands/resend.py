"""`missedd resend`: send a parked webhook again, through the running daemon."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial

from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option
from missedd.config.loader import Settings

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "resend",
        help="send parked webhooks again, by the ids of their actions",
        description="A webhook that the application never took is parked, with the outcome `failed` or "
        "`refused`, until it is sent again. The console and `GET /api/v1/actions?parked=true` list what is. "
        "The message keeps its id, so an application that did get it knows it again. The daemon must be "
        "running.",
    )
    add_config_option(parser)
    parser.add_argument("ids", nargs="+", type=int, metavar="ACTION")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_resend, args.ids))


def _resend(ids: Sequence[int], settings: Settings) -> int:
    worst = OK
    for action_id in ids:
        said = call_api(settings, f"/api/v1/actions/{action_id}/resend")
        if said.is_ok:
            print(f"webhook {action_id} goes out again, as action {said.body['id']}")
        else:
            print(f"webhook {action_id}: {said.detail}", file=sys.stderr)
            worst = FAILED
    return worst
