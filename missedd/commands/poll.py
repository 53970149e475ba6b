"""`missedd poll`: how a poll stands, a recount from its calls, and a result that can be checked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from msgspec import to_builtins
from rich.bar import Bar
from rich.console import Console
from rich.table import Table

from missedd.base.clock import SystemClock
from missedd.commands.poll_recount import recount_poll, verify_result
from missedd.commands.shared.options import FAILED, OK, USAGE, add_config_option, add_format_option, run_query
from missedd.config.loader import Settings
from missedd.core.api_types.polls import PollJson, poll_json
from missedd.core.polls.tally import CLOSED, UPCOMING
from missedd.store.db.database import DatabaseConnection
from missedd.store.reads.reader import polls, tally

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

BAR_WIDTH = 40


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "poll",
        help="show the votes of a poll, count them again, write a signed result",
        description="Prints the votes of a poll. Votes are counted by the rules of the configuration that "
        "the daemon was started with. The daemon may be running or stopped.",
        epilog="A result is signed with MISSEDD_WEBHOOK_SECRET: `signature` is the HMAC-SHA256 of the file's "
        "JSON without `signature`, with sorted keys, without spaces, in UTF-8. `digest` is the SHA-256 of "
        "the CallSids that count, sorted and joined by line feeds. Examples: missedd poll --config "
        "missedd.toml singer; missedd poll --config missedd.toml singer --recount --result singer.json",
    )
    add_config_option(parser)
    parser.add_argument("name", metavar="NAME", help="the name of the poll in the configuration")
    parser.add_argument(
        "--recount",
        action="store_true",
        help="count the votes again from the calls; exit code 1 if the counts differ",
    )
    parser.add_argument(
        "--result",
        type=Path,
        metavar="FILE",
        help="count again, and write the signed result if the counts agree",
    )
    parser.add_argument(
        "--verify",
        type=Path,
        metavar="FILE",
        help="check the signature of a result, and its digests against the database",
    )
    add_format_option(parser, "table", "json")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.verify is not None and (args.recount or args.result):
        print(
            "--verify checks a result that there is: it goes with neither --recount nor --result",
            file=sys.stderr,
        )
        return USAGE
    if args.verify is not None:
        return verify_result(args.config, args.name, args.verify)
    if args.recount or args.result:
        return recount_poll(args.config, args.name, args.result, as_json=args.format == "json")
    shown = run_query(args.config, partial(_load_poll, name=args.name))
    if isinstance(shown, int):
        return shown
    settings, poll = shown
    if isinstance(poll, str):
        print(poll, file=sys.stderr)
        return FAILED
    if args.format == "json":
        print(json.dumps(to_builtins(poll), indent=2, ensure_ascii=False))
    else:
        _print_poll(poll, ZoneInfo(settings.timezone))
    return OK


async def _load_poll(
    settings: Settings, reader: DatabaseConnection, name: str
) -> tuple[Settings, PollJson | str]:
    """The poll as the API shows it, or why there is none."""
    found = await reader.read(partial(tally, poll=name))
    if found is None:
        return settings, no_such_poll(name, await reader.read(polls))
    return settings, poll_json(found, settings.policy.poll_options(name), SystemClock().now())


def no_such_poll(name: str, known: Sequence[str]) -> str:
    return f"there is no poll {name!r}; known are {', '.join(known) or 'none'}"


def _print_poll(poll: PollJson, zone: ZoneInfo) -> None:
    table = Table(title=f"{poll.poll}: {_period_text(poll, zone)}")
    table.add_column("")
    table.add_column("", width=BAR_WIDTH)
    table.add_column("votes", justify="right")
    table.add_column("share", justify="right")
    most = max((each.votes for each in poll.options), default=0) or 1
    for each in poll.options:
        share = f"{each.votes / poll.total:.1%}" if poll.total else "–"
        table.add_row(each.option, Bar(most, 0, each.votes, width=BAR_WIDTH), f"{each.votes:,}", share)
    table.add_section()
    table.add_row("counted", "", f"{poll.total:,}", "")
    refused = ", ".join(
        f"{count:,} {standing}" for standing, count in poll.refused.by_reason().items() if count
    )
    if refused:
        table.caption = f"not counted: {refused}"
    Console().print(table)


def _period_text(poll: PollJson, zone: ZoneInfo) -> str:
    opens, closes = (
        each and datetime.fromisoformat(each).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S %Z")
        for each in (poll.opens_at, poll.closes_at)
    )
    match poll.state:
        case state if state == UPCOMING:
            return f"opens {opens}"
        case state if state == CLOSED:
            return f"closed since {closes}"
    return f"open until {closes}" if closes else "open"
