"""`missedd restore`: check a backup, or put it in the place of the database."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime
from functools import partial
from pathlib import Path

import trio

from missedd.base.clock import SystemClock
from missedd.commands.backup import BACKUP_OF_POSTGRESQL, progress_bar
from missedd.commands.shared.options import FAILED, OK, USAGE, add_config_option, print_problems
from missedd.config.loader import InvalidConfig, PostgresqlLocation, Settings, load_settings
from missedd.store.actions.quarantine import start_quarantine
from missedd.store.backup.inspect import DatabaseReport, inspect_database
from missedd.store.backup.restore import restore_backup
from missedd.store.cluster.running_nodes import check_no_daemon
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.sqlite.read_access import has_database
from missedd.store.store import driver_for, open_reader, open_store

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "restore",
        help="check a backup, or replace the database with it",
        description="The whole backup is read and checked first. Stop the daemon before you restore. Under "
        "systemd stop its sockets too, because the next call would start the daemon again: `systemctl stop "
        "missedd.socket missedd-private.socket missedd`. The old database is kept beside the new one. "
        "Pending actions of the backup are not sent until `missedd release`, because the daemon may have "
        "sent them after the backup was made. A PostgreSQL is restored by its own tools; run this command "
        "with --quarantine afterwards, while all daemons are stopped.",
        epilog="example: missedd restore --config missedd.toml --verify missedd-2026-11-23.db",
    )
    add_config_option(parser)
    parser.add_argument("--verify", action="store_true", help="only check the backup; exit code 0 or 1")
    parser.add_argument(
        "--quarantine",
        action="store_true",
        help="for a PostgreSQL that its own tools have restored: only let its pending actions wait",
    )
    parser.add_argument(
        "backup", type=Path, nargs="?", metavar="BACKUP", help="the file that `missedd backup` wrote"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load_settings(args.config, os.environ)
    except InvalidConfig as problems:
        return print_problems(problems)
    if args.quarantine or isinstance(settings.store, PostgresqlLocation):
        return _quarantine(args, settings)
    if args.backup is None:
        print("name the BACKUP to restore", file=sys.stderr)
        return USAGE
    found = inspect_database(args.backup)
    print(_report_text(args.backup, found), file=sys.stdout if found.is_healthy else sys.stderr)
    if not found.is_healthy or args.verify:
        return OK if found.is_healthy else FAILED
    try:
        path = settings.store
        if has_database(path) and args.backup.samefile(path):
            print(f"{args.backup} is the database itself", file=sys.stderr)
            return FAILED
        with progress_bar("restoring") as progress:
            restored = trio.run(restore_backup, path, args.backup, SystemClock().now(), progress)
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    print(f"restored: {path}")
    if restored.old_database is not None:
        print(f"the database that was there is {restored.old_database}")
    _print_quarantined(restored.quarantined_actions, args.config)
    return OK


def _quarantine(args: argparse.Namespace, settings: Settings) -> int:
    """After a restore by PostgreSQL's own tools: nobody but the operator knows that there was one."""
    location = settings.store
    if not isinstance(location, PostgresqlLocation):
        print(f"--quarantine is for a PostgreSQL; for {location} name the BACKUP to restore", file=sys.stderr)
        return USAGE
    if not args.quarantine or args.backup is not None or args.verify:
        print(
            f"the database is {location}: {BACKUP_OF_POSTGRESQL}; after it was restored run "
            f"`missedd restore --config {args.config} --quarantine`",
            file=sys.stderr,
        )
        return USAGE
    try:
        quarantined = trio.run(_start_quarantine, location, SystemClock().now())
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    _print_quarantined(quarantined, args.config)
    return OK


async def _start_quarantine(location: PostgresqlLocation, now: datetime) -> int:
    async with driver_for(location) as driver:
        async with open_reader(driver, location) as reader:
            await reader.read(check_no_daemon)
        async with open_store(driver, location, "missedd restore") as store:
            return await store.write(partial(start_quarantine, now=now), offload=True)


def _print_quarantined(count: int, config: Path) -> None:
    print(
        f"{count:,} pending actions wait, and so do all later actions for earlier "
        f"calls: `missedd release --config {config}` releases them, with --drop it drops them"
    )


def _report_text(path: Path, found: DatabaseReport) -> str:
    if not found.is_healthy:
        return "\n".join(f"{path}: {problem}" for problem in found.problems)
    older = "" if found.version == LATEST_VERSION else f", which a restore brings to {LATEST_VERSION}"
    counts = ", ".join(f"{count:,} {table}" for table, count in found.counts.items())
    return (
        f"{path} is well: integrity and references checked, schema version {found.version}{older}; "
        f"{counts}; {found.pending:,} actions pending"
    )
