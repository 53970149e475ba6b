"""`missedd resend`: send a parked webhook again, through the running daemon."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial

import httpx

from missedd.commands.common import FAILED, OK, add_config, private_url, say_problems
from missedd.config import ConfigProblems, load

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "resend",
        help="send parked webhooks again, by the ids of their actions",
        description="A webhook that the application never took is parked, with the outcome `failed`. The "
        "console and `GET /api/v1/actions?kind=webhook&outcome=failed` list them. The message keeps its id, "
        "so an application that did get it knows it again. The daemon must be running.",
    )
    add_config(parser)
    parser.add_argument("ids", nargs="+", type=int, metavar="ACTION")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load(args.config, os.environ)
    except ConfigProblems as problems:
        return say_problems(problems)
    with httpx.Client(base_url=private_url(settings), timeout=10, trust_env=False) as http:
        return max(map(partial(_resend, http), args.ids), default=OK)


def _resend(http: httpx.Client, action_id: int) -> int:
    try:
        answer = http.post(f"/api/v1/actions/{action_id}/resend")
    except httpx.HTTPError as failure:
        print(f"the daemon cannot be reached at {http.base_url}: {failure}", file=sys.stderr)
        return FAILED
    if answer.is_success:
        print(f"webhook {action_id} goes out again, as action {answer.json()['id']}")
        return OK
    print(f"webhook {action_id}: {answer.json().get('detail', answer.status_code)}", file=sys.stderr)
    return FAILED
