"""`missedd migrate-store`: move a SQLite database into a PostgreSQL, pending actions included."""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from pathlib import Path

import trio

from missedd.base.clock import SystemClock
from missedd.commands.backup import progress_bar
from missedd.commands.shared.options import CONFIGURATION, FAILED, OK, add_config_option, print_problems
from missedd.config.loader import InvalidConfig, PostgresqlLocation, load_settings
from missedd.store.db.database import StoreRefused
from missedd.store.move.move import MoveResult, move_store

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "migrate-store",
        help="move a SQLite database into the PostgreSQL that the configuration names",
        description="Moves everything, pending actions included, into the empty database that `[store] url` "
        "of the configuration names, in one transaction, and compares both. Stop the daemon first; "
        "under systemd stop its sockets too: `systemctl stop missedd.socket missedd-private.socket missedd`. "
        "Afterwards the file is marked, and no daemon starts on it any more. If the command fails, nothing "
        "was moved; if it is killed, run it again.",
        epilog="example: missedd migrate-store --config missedd.toml --from /var/lib/missedd/missedd.db",
    )
    add_config_option(parser)
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, metavar="FILE", help="the SQLite database"
    )
    parser.add_argument("--dry-run", action="store_true", help="check everything, and move nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load_settings(args.config, os.environ)
    except InvalidConfig as problems:
        return print_problems(problems)
    location = settings.store
    if not isinstance(location, PostgresqlLocation):
        print(
            f"{args.config}: [store] names the file {location}; write url there, the PostgreSQL to move to",
            file=sys.stderr,
        )
        return CONFIGURATION
    try:
        with progress_bar("moving") as progress:
            move = partial(move_store, args.source, location, settings.exotel.account_sid)
            now, dry_run = SystemClock().now(), bool(args.dry_run)
            result = trio.run(partial(move, settings.timezone, now, progress, dry_run=dry_run))
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    if args.json:
        print(json.dumps(_result_json(args.source, location, result, dry_run=dry_run), indent=2))
    else:
        _print_result(args.source, location, result, dry_run=dry_run)
    return OK


def _result_json(
    source: Path, location: PostgresqlLocation, result: MoveResult, *, dry_run: bool
) -> dict[str, object]:
    return {
        "from": str(source),
        "to": str(location),
        "moved": not dry_run,
        "pending": result.pending,
        "rows": result.rows,
    }


def _print_result(source: Path, location: PostgresqlLocation, result: MoveResult, *, dry_run: bool) -> None:
    for table, count in result.rows.items():
        if count:
            print(f"{table}: {count:,}")
    if dry_run:
        print(
            f"nothing was moved; all of it could be moved to {location}, {result.pending:,} actions pending"
        )
    elif result.was_there:
        print(
            f"an earlier run had moved everything to {location}; it was compared, and {source} is marked now"
        )
    else:
        print(
            f"moved to {location} and compared there, {result.pending:,} actions pending; "
            f"no daemon starts on {source} any more"
        )
