"""`missedd leads`: who rang, or what changed of them since, as CSV, JSON or a table."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from functools import partial
from zoneinfo import ZoneInfo

from msgspec import to_builtins
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from missedd.base.clock import SystemClock
from missedd.commands.report import InvalidArgument, parse_instant
from missedd.commands.shared.options import OK, USAGE, add_config_option, add_format_option, run_query
from missedd.config.loader import Settings
from missedd.core.api_types.leads import LeadJson
from missedd.core.explain.number import format_local_time
from missedd.core.pagination import MAX_LIMIT, Page, Query
from missedd.core.people.leads import LeadStatus, all_leads
from missedd.store.db.database import DatabaseConnection
from missedd.store.reads.reader import campaigns
from missedd.store.reads.reader import leads as leads_page
from missedd.web.api.csv_export import csv_header, csv_lines

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]
type Leads = AsyncGenerator[list[LeadJson]]

TABLE_COLUMNS = ("campaign", "number", "status", "count", "last_seen_at", "callback_outcome", "updated_at")
UNWRAPPED_COLUMNS = ("number", "status")
"""Columns that stay on one line however narrow the terminal is."""


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "leads",
        help="list the leads, or the leads that changed since a time",
        description="Prints all leads, the newest first. With --since it prints the leads that changed since "
        "then, the latest change first. CSV and JSON have the columns of GET /api/v1/leads. Times are in UTC "
        "(Z) unless --local is given. The daemon may be running or stopped.",
        epilog="examples: missedd leads --config missedd.toml --since 24h --format csv > leads.csv; "
        "missedd leads --config missedd.toml --campaign admissions --status new",
    )
    add_config_option(parser)
    parser.add_argument(
        "--since", metavar="T", help="only leads that changed since a date, a date and time, or 24h or 7d ago"
    )
    parser.add_argument("--campaign", metavar="N", help="only the leads of this campaign")
    parser.add_argument("--status", choices=[each.value for each in LeadStatus])
    add_format_option(parser, "table", "json", "csv")
    parser.add_argument(
        "--local",
        action="store_true",
        help="print times in the time zone of the configuration: 2026-11-23 12:00:00 IST",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    result = run_query(args.config, partial(_print_leads, args=args))
    if isinstance(result, InvalidArgument):
        print(result, file=sys.stderr)
        return USAGE
    return result


async def _print_leads(
    settings: Settings, reader: DatabaseConnection, args: argparse.Namespace
) -> int | InvalidArgument:
    clock, zone = SystemClock(), ZoneInfo(settings.timezone)
    try:
        since = parse_instant(args.since, "--since", clock.now(), settings.timezone)
    except InvalidArgument as wrong:
        return wrong
    names = list(
        dict.fromkeys([*(each.name for each in settings.policy.campaigns), *await reader.read(campaigns)])
    )
    if args.campaign is not None and args.campaign not in names:
        return InvalidArgument(
            f"--campaign: there is no {args.campaign!r}; known are {', '.join(names) or 'none'}"
        )

    async def read(query: Query) -> Page[LeadJson]:
        return await reader.read(partial(leads_page, query=query))

    query = Query(campaign=args.campaign, status=args.status, updated_since=since)
    async with aclosing(all_leads(read, query, clock.now)) as leads:
        match args.format:
            case "csv":
                await _write_csv(leads, partial(_local, zone=zone) if args.local else _as_it_is)
            case "json":
                await _write_json(leads, partial(_local, zone=zone) if args.local else _as_it_is)
            case _:
                await _print_table(leads, partial(_local, zone=zone))
    return OK


def _local(lead: LeadJson, zone: ZoneInfo) -> LeadJson:
    """A lead with its times as a person in the zone reads them."""
    times = {name: getattr(lead, name) for name in lead.__struct_fields__ if name.endswith("_at")}
    return replace(lead, **{name: format_local_time(at, zone) for name, at in times.items() if at})


def _as_it_is(lead: LeadJson) -> LeadJson:
    return lead


type FormatLead = Callable[[LeadJson], LeadJson]


async def _write_csv(leads: Leads, shown: FormatLead) -> None:
    sys.stdout.write(csv_header(LeadJson))
    async for rows in leads:
        sys.stdout.write(csv_lines(LeadJson, map(shown, rows)))


async def _write_json(leads: Leads, shown: FormatLead) -> None:
    """One list, written as it is read."""
    before = "[\n"
    async for rows in leads:
        for row in rows:
            sys.stdout.write(before + json.dumps(to_builtins(shown(row)), ensure_ascii=False))
            before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


async def _print_table(leads: Leads, shown: FormatLead) -> None:
    kept: list[LeadJson] = []
    async for rows in leads:
        kept += rows
        if len(kept) > MAX_LIMIT:
            break
    Console().print(_table(map(shown, kept[:MAX_LIMIT])))
    if len(kept) > MAX_LIMIT:
        print(f"There are more than these {MAX_LIMIT:,}; --format csv has all.")


def _table(leads: Iterable[LeadJson]) -> Table:
    table = Table(title="Leads")
    for column in TABLE_COLUMNS:
        title = column.removesuffix("_at").replace("_", " ")
        table.add_column(title, no_wrap=column in UNWRAPPED_COLUMNS, overflow="fold")
    for lead in leads:
        values = (getattr(lead, name) for name in TABLE_COLUMNS)
        table.add_row(*("–" if value is None else str(value) for value in values))
    return table
