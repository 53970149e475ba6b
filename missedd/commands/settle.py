"""`missedd settle`: say what became of a callback or an SMS whose outcome nobody learnt."""

from __future__ import annotations

import argparse
import os
import sys

import httpx

from missedd.commands.common import FAILED, OK, add_config, private_url, say_problems
from missedd.config import ConfigProblems, load
from missedd.core.settlement import SETTLING

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "settle",
        help="say what became of a callback or an SMS whose outcome is unknown",
        description="An action whose request was sent and whose answer never came is looked up, and ends as "
        "`unknown` if the provider's list does not show it. `GET /api/v1/actions?outcome=unknown` lists "
        "these. What you say is kept beside the outcome and counted in the figures; nobody is contacted. "
        "The daemon must be running.",
        epilog="example: missedd settle --config missedd.toml 4711 answered --note 'she told us so'",
    )
    add_config(parser)
    parser.add_argument("action", type=int, metavar="ACTION", help="its id, as `missedd why` shows it")
    parser.add_argument("outcome", choices=[each.value for each in SETTLING])
    parser.add_argument("--note", metavar="TEXT", help="how you know, for whoever asks later")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load(args.config, os.environ)
    except ConfigProblems as problems:
        return say_problems(problems)
    body = {"outcome": args.outcome, "note": args.note}
    with httpx.Client(base_url=private_url(settings), timeout=10, trust_env=False) as http:
        try:
            answer = http.post(f"/api/v1/actions/{args.action}/settle", json=body)
        except httpx.HTTPError as failure:
            print(f"the daemon cannot be reached at {http.base_url}: {failure}", file=sys.stderr)
            return FAILED
    if answer.is_success:
        print(f"action {args.action} is settled: {args.outcome}")
        return OK
    print(f"action {args.action}: {_detail(answer)}", file=sys.stderr)
    return FAILED


def _detail(answer: httpx.Response) -> object:
    try:
        return answer.json().get("detail", answer.status_code)
    except (ValueError, AttributeError):
        # Not our daemon that listens there.
        return f"HTTP {answer.status_code}"
