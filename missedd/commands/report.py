"""`missedd report`: the analytics, as a table, JSON or CSV."""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from missedd.clock import SystemClock
from missedd.commands.common import FAILED, OK, USAGE, add_config, reading
from missedd.config import Settings
from missedd.config_values import parse_duration
from missedd.core.analytics import peak
from missedd.store.database import Connection
from missedd.store.reads import campaigns, figures

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

SHOWN = (
    ("Missed calls", "total_calls"),
    ("Unique callers", "unique_callers"),
    ("Recovered calls", "recovered"),
    ("Callbacks made", "callbacks_made"),
    ("Callbacks answered", "callbacks_answered"),
    ("Callback success rate", "callback_success_rate"),
    ("SMS sent", "sms_sent"),
    ("SMS delivered", "sms_delivered"),
    ("Leads", "leads"),
    ("Conversions", "conversions"),
    ("Conversion rate", "conversion_rate"),
)


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "report",
        help="the figures of the campaigns",
        description="Counts the calls in the store, beside a running daemon or without one. The README "
        "defines each figure.",
        epilog="examples: missedd report --config missedd.toml --since 24h; "
        "missedd report --config missedd.toml --campaign admissions --since 2026-11-01 --format csv",
    )
    add_config(parser)
    parser.add_argument("--campaign", metavar="N", help="one campaign instead of each")
    parser.add_argument("--since", metavar="T", help="a date, an instant, or how long ago: 24h, 7d")
    parser.add_argument("--until", metavar="T", help="likewise; up to now if not given")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    result = reading(args.config, partial(_figures, args=args))
    if isinstance(result, int):
        return result
    if isinstance(result, str):
        print(result, file=sys.stderr)
        return USAGE if result.startswith("--") else FAILED
    match args.format:
        case "json":
            print(json.dumps(result, indent=2))
        case "csv":
            _write_csv(result)
        case _:
            _print_table(result)
    return OK


def instant(text: str | None, now: datetime, timezone: str) -> datetime | None:
    """A date or instant (local unless it has an offset), or how long before `now`; ValueError otherwise."""
    if text is None:
        return None
    ago = parse_duration(text)
    if ago is not None:
        return now - ago
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(timezone))).astimezone(UTC)


async def _figures(
    settings: Settings, reader: Connection, args: argparse.Namespace
) -> dict[str, dict[str, Any]] | str:
    """The figures by campaign, or what is wrong with the arguments."""
    now = SystemClock().now()
    try:
        since = instant(args.since, now, settings.timezone)
        until = instant(args.until, now, settings.timezone)
    except ValueError:
        return "--since and --until take a date like 2026-11-01, an instant, or a time ago like 24h"
    known = await reader.read(campaigns)
    configured = [each.name for each in settings.policy.campaigns]
    names = list(dict.fromkeys([*configured, *known])) if args.campaign is None else [args.campaign]
    if args.campaign is not None and args.campaign not in (*configured, *known):
        return f"there is no campaign {args.campaign!r}; known are {', '.join([*configured]) or 'none'}"
    return {
        name: await reader.read(
            partial(figures, campaign=name, since=since, until=until, timezone=settings.timezone)
        )
        for name in names
    }


def _shown(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if isinstance(value, float) else f"{value:,}"


def _print_table(found: Mapping[str, Mapping[str, Any]]) -> None:
    table = Table(title="Missed calls")
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    for title, key in SHOWN:
        table.add_row(title, *(_shown(each[key]) for each in found.values()))
    peaks = (peak(each["peak_hours"]) for each in found.values())
    table.add_row("Peak hour", *("–" if each is None else f"{each:02d}:00" for each in peaks))
    Console().print(table)


def _write_csv(found: Mapping[str, Mapping[str, Any]]) -> None:
    """One row a campaign; empty where there is no value."""
    writer = csv.writer(sys.stdout)
    writer.writerow(["campaign", *(key for _, key in SHOWN), "peak_hour"])
    for name, each in found.items():
        values = ("" if each[key] is None else each[key] for _, key in SHOWN)
        writer.writerow([name, *values, peak(each["peak_hours"])])
