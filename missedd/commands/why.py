"""`missedd why`: the whole trace of decisions for a call or a caller, in words."""

from __future__ import annotations

import argparse
import json
from functools import partial
from typing import Any

from missedd.clock import SystemClock
from missedd.commands.common import FAILED, OK, add_config, reading
from missedd.config import Settings
from missedd.core.explain import story
from missedd.core.phone import normalise
from missedd.store.database import Connection
from missedd.store.reads import call_story, story_of_number, story_of_ours

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "why",
        help="tell a call's or a caller's story: what was decided, why, and what is still to come",
        description="Give a CallSid, or a number in any spelling. Works beside a running daemon.",
        epilog="example: missedd why --config missedd.toml 098765 43210",
    )
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="the facts as JSON instead of words")
    parser.add_argument("what", nargs="+", metavar="CALLSID|NUMBER")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    what = " ".join(args.what)
    result = reading(args.config, partial(_stories, what=what))
    if isinstance(result, int):
        return result
    settings, calls = result
    if not calls:
        print(f"no call is known by {what}: neither as a CallSid nor as a caller's number")
        return FAILED
    if args.json:
        print(json.dumps(calls, indent=2))
        return OK
    now = SystemClock().now()
    print("\n\n".join(story(each, now, settings.timezone) for each in calls))
    return OK


async def _stories(
    settings: Settings, reader: Connection, what: str
) -> tuple[Settings, list[dict[str, Any]]]:
    by_sid = await reader.read(partial(call_story, call_sid=what))
    if by_sid is not None:
        return settings, [by_sid]
    number = normalise(what)
    if number is not None:
        return settings, await reader.read(partial(story_of_number, number=number))
    # Perhaps the Sid of a callback or an SMS of ours, as the provider's dashboard shows it.
    ours = await reader.read(partial(story_of_ours, provider_sid=what))
    return settings, [] if ours is None else [ours]
