"""`missedd report`: the figures of any period, as tables for people, or as JSON or CSV."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

from msgspec import to_builtins
from rich.console import Console

from missedd.base.clock import SystemClock
from missedd.commands.report_tables import DETAILS, csv_rows, tables, write_csv
from missedd.commands.shared.options import FAILED, OK, USAGE, add_config_option, add_format_option, run_query
from missedd.config.loader import Settings
from missedd.config.values import parse_duration
from missedd.core.api_types.analytics import FiguresJson
from missedd.store.db.database import DatabaseConnection
from missedd.store.reads.reader import campaigns, load_analytics

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

ALL_CAMPAIGNS = "all campaigns"

EXAMPLES = """\
examples:
  missedd report --config missedd.toml --since 24h
      the last 24 hours, a column for each campaign
  missedd report --config missedd.toml --since 2026-11-01 --until 2026-12-01 --together
      November, all campaigns together: a person who called two of them is one caller
  missedd report --config missedd.toml --campaign admissions --by weekday
      when the calls of one campaign come in
  missedd report --config missedd.toml --since 7d --by reason --format csv > reasons.csv
      why calls were refused, callbacks not answered and SMS not delivered, for a spreadsheet
  missedd report --config missedd.toml --format json
      everything, as GET /api/v1/analytics gives it, by campaign
"""


class InvalidArgument(Exception):
    """An argument that cannot be meant; the text names it."""


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "report",
        help="print the analytics of the campaigns",
        description="Prints the analytics of a period; docs/analytics.md defines each number. Dates and "
        "hours are in the time zone of the configuration. The daemon may be running or stopped.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_config_option(parser)
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--campaign", metavar="N", help="only this campaign")
    whose.add_argument("--together", action="store_true", help="all campaigns together, in one column")
    parser.add_argument(
        "--since", metavar="T", help="start: a date, a date and time, or how long ago: 24h, 7d"
    )
    parser.add_argument("--until", metavar="T", help="end, in the same form; not included (now)")
    parser.add_argument(
        "--by",
        choices=DETAILS,
        help="print calls by hour of the day, by weekday and hour, or by date, or all outcomes by reason, "
        "instead of the analytics (JSON always contains all of them)",
    )
    add_format_option(parser, "table", "json", "csv")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    result = run_query(args.config, partial(_load_figures, args=args))
    if isinstance(result, int):
        return result
    if isinstance(result, InvalidArgument):
        print(result, file=sys.stderr)
        return USAGE if str(result).startswith("--") else FAILED
    match args.format:
        case "json":
            print(json.dumps(to_builtins(result), indent=2, ensure_ascii=False))
        case "csv":
            write_csv(csv_rows(result, args.by))
        case _:
            console = Console()
            for each in tables(result, args.by, console):
                console.print(each)
    return OK


def parse_instant(text: str | None, option: str, now: datetime, timezone: str) -> datetime | None:
    """A date or instant (local unless it has an offset), or how long before `now`; raises Wrong."""
    if text is None:
        return None
    ago = parse_duration(text)
    if ago is not None:
        return now - ago
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument(
            f"{option}: {text!r} is no date like 2026-11-01, no instant, and no time ago like 24h"
        ) from None


async def _load_figures(
    settings: Settings, reader: DatabaseConnection, args: argparse.Namespace
) -> dict[str, FiguresJson] | InvalidArgument:
    """The figures by campaign, or what is wrong with the arguments."""
    now = SystemClock().now()
    try:
        since = parse_instant(args.since, "--since", now, settings.timezone)
        until = parse_instant(args.until, "--until", now, settings.timezone)
    except InvalidArgument as wrong:
        return wrong
    if since is not None and until is not None and until < since:
        return InvalidArgument("--until: it lies before --since")
    known = await reader.read(campaigns)
    configured = [each.name for each in settings.policy.campaigns]
    names = list(dict.fromkeys([*configured, *known]))
    if args.campaign is not None and args.campaign not in names:
        return InvalidArgument(
            f"there is no campaign {args.campaign!r}; known are {', '.join(names) or 'none'}"
        )
    wanted: dict[str, str | None] = {name: name for name in names if args.campaign in (None, name)}
    if args.together:
        wanted = {ALL_CAMPAIGNS: None}
    period = partial(load_analytics, since=since, until=until, timezone=settings.timezone)
    return {title: await reader.read(partial(period, campaign=name)) for title, name in wanted.items()}
