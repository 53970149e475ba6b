"""`missedd leads`: who rang, or what changed of them since, as CSV, JSON or a table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from missedd.base.clock import SystemClock
from missedd.commands.report import Wrong, instant
from missedd.commands.shared.options import OK, USAGE, add_config, add_format, reading
from missedd.config.loader import Settings
from missedd.core.explain.number import local_time
from missedd.core.pagination import LARGEST_LIMIT, Page, Query
from missedd.core.people.leads import LeadStatus, all_leads
from missedd.store.db.database import Connection
from missedd.store.reads.reader import campaigns
from missedd.store.reads.reader import leads as leads_page
from missedd.web.api.csv_export import csv_header, csv_lines
from missedd.web.api.leads import LEAD_COLUMNS

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
type Leads = AsyncGenerator[list[Mapping[str, Any]]]

SHOWN = ("campaign", "number", "status", "count", "last_seen_at", "callback_outcome", "updated_at")
WHOLE = ("number", "status")
"""Columns that stay on one line however narrow the terminal is."""


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "leads",
        help="who rang, or what changed of them since",
        description="Every lead, the newest first; with --since those that changed since, the latest change "
        "first. CSV and JSON have the columns of GET /api/v1/leads, with times in UTC (Z) unless --local "
        "is given. Works beside a running daemon or without one.",
        epilog="examples: missedd leads --config missedd.toml --since 24h --format csv > leads.csv; "
        "missedd leads --config missedd.toml --campaign admissions --status new",
    )
    add_config(parser)
    parser.add_argument("--since", metavar="T", help="what changed since a date, an instant, or 24h, 7d ago")
    parser.add_argument("--campaign", metavar="N", help="one campaign instead of all")
    parser.add_argument("--status", choices=[each.value for each in LeadStatus])
    add_format(parser, "table", "json", "csv")
    parser.add_argument(
        "--local",
        action="store_true",
        help="times of the configuration's time zone, with its name: 2026-11-23 12:00:00 IST",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    result = reading(args.config, partial(_tell, args=args))
    if isinstance(result, Wrong):
        print(result, file=sys.stderr)
        return USAGE
    return result


async def _tell(settings: Settings, reader: Connection, args: argparse.Namespace) -> int | Wrong:
    clock, zone = SystemClock(), ZoneInfo(settings.timezone)
    try:
        since = instant(args.since, "--since", clock.now(), settings.timezone)
    except Wrong as wrong:
        return wrong
    names = list(
        dict.fromkeys([*(each.name for each in settings.policy.campaigns), *await reader.read(campaigns)])
    )
    if args.campaign is not None and args.campaign not in names:
        return Wrong(f"--campaign: there is no {args.campaign!r}; known are {', '.join(names) or 'none'}")

    async def read(query: Query) -> Page:
        return await reader.read(partial(leads_page, query=query))

    query = Query(campaign=args.campaign, status=args.status, updated_since=since)
    async with aclosing(all_leads(read, query, clock.now)) as leads:
        match args.format:
            case "csv":
                await _write_csv(leads, partial(_local, zone=zone) if args.local else dict)
            case "json":
                await _write_json(leads, partial(_local, zone=zone) if args.local else dict)
            case _:
                await _print_table(leads, partial(_local, zone=zone))
    return OK


def _local(lead: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """A lead with its times as a person in the zone reads them."""
    return {
        name: local_time(value, zone) if name.endswith("_at") and value else value
        for name, value in lead.items()
    }


type Shown = Callable[[Mapping[str, Any]], dict[str, Any]]


async def _write_csv(leads: Leads, shown: Shown) -> None:
    sys.stdout.write(csv_header(LEAD_COLUMNS))
    async for rows in leads:
        sys.stdout.write(csv_lines(LEAD_COLUMNS, map(shown, rows)))


async def _write_json(leads: Leads, shown: Shown) -> None:
    """One list, written as it is read."""
    before = "[\n"
    async for rows in leads:
        for row in rows:
            sys.stdout.write(before + json.dumps(shown(row), ensure_ascii=False))
            before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


async def _print_table(leads: Leads, shown: Shown) -> None:
    kept: list[Mapping[str, Any]] = []
    async for rows in leads:
        kept += rows
        if len(kept) > LARGEST_LIMIT:
            break
    Console().print(_table(map(shown, kept[:LARGEST_LIMIT])))
    if len(kept) > LARGEST_LIMIT:
        print(f"There are more than these {LARGEST_LIMIT:,}; --format csv has all.")


def _table(leads: Iterable[Mapping[str, Any]]) -> Table:
    table = Table(title="Leads")
    for column in SHOWN:
        title = column.removesuffix("_at").replace("_", " ")
        table.add_column(title, no_wrap=column in WHOLE, overflow="fold")
    for lead in leads:
        table.add_row(*(str(lead[name]) if lead[name] is not None else "–" for name in SHOWN))
    return table
