"""`missedd subscriptions`: a list's consents with their evidence, as CSV, JSON or a table."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from zoneinfo import ZoneInfo

from msgspec import to_builtins
from rich.console import Console
from rich.table import Table

from missedd.commands.shared.options import FAILED, OK, add_config_option, add_format_option, run_query
from missedd.config.loader import Settings
from missedd.core.api_types.consents import SubscriptionJson
from missedd.core.explain.number import format_local_time
from missedd.core.pagination import MAX_LIMIT, Query
from missedd.store.db.database import DatabaseConnection
from missedd.store.reads.reader import subscriptions
from missedd.web.api.csv_export import to_csv
from missedd.web.api.subscriptions import STATES

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

TABLE_COLUMNS = ("number", "state", "consented_at", "call_sid", "withdrawn_at", "withdrawn_by")
UNWRAPPED_COLUMNS = ("number", "state")
"""Columns that stay on one line however narrow the terminal is."""


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "subscriptions",
        help="list the consents of a subscription list, with their evidence",
        description="Prints every consent of the list, in force or withdrawn, the newest first: the number, "
        "the purpose, the call, the time, and how the consent ended. The daemon may be running or stopped.",
        epilog="example: missedd subscriptions --config missedd.toml weather --state in-force --format csv",
    )
    add_config_option(parser)
    parser.add_argument("list", metavar="LIST", help="the name of the list in the configuration")
    parser.add_argument("--state", choices=STATES, help="only consents in this state")
    add_format_option(parser, "table", "json", "csv")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    found = run_query(args.config, partial(_load_consents, args=args))
    if isinstance(found, int):
        return found
    settings, consents = found
    configured = sorted({each.subscribe.list for each in settings.policy.campaigns if each.subscribe})
    if not consents and args.list not in configured:
        known = ", ".join(configured) or "none"
        print(f"there is no list {args.list!r}; configured are: {known}", file=sys.stderr)
        return FAILED
    match args.format:
        case "json":
            print(json.dumps(to_builtins(consents), indent=2, ensure_ascii=False))
        case "csv":
            sys.stdout.write(to_csv(SubscriptionJson, consents))
        case _:
            _print_table(args.list, consents, ZoneInfo(settings.timezone))
    return OK


async def _load_consents(
    settings: Settings, reader: DatabaseConnection, args: argparse.Namespace
) -> tuple[Settings, list[SubscriptionJson]]:
    consents: list[SubscriptionJson] = []
    cursor: str | None = None
    while True:
        query = Query(list=args.list, standing=args.state, limit=MAX_LIMIT, cursor=cursor)
        page = await reader.read(partial(subscriptions, query=query))
        consents += page.items
        cursor = page.next
        if cursor is None:
            return settings, consents


def _print_table(name: str, consents: list[SubscriptionJson], zone: ZoneInfo) -> None:
    table = Table(title=f"Consents to {name}")
    for column in TABLE_COLUMNS:
        title = column.removesuffix("_at").replace("_", " ")
        table.add_column(title, no_wrap=column in UNWRAPPED_COLUMNS, overflow="fold")
    for each in consents:
        cells = (
            format_local_time(value, zone) if name.endswith("_at") and value else value
            for name, value in ((name, getattr(each, name)) for name in TABLE_COLUMNS)
        )
        table.add_row(*(str(cell or "–") for cell in cells))
    Console().print(table)
