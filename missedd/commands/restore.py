"""`missedd restore`: check a backup, or put it in the place of the database."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import trio

from missedd.base.clock import SystemClock
from missedd.commands.backup import BACKUP_OF_POSTGRESQL, progress_bar
from missedd.commands.shared.options import FAILED, OK, add_config_option, print_problems
from missedd.config.loader import InvalidConfig, load_settings
from missedd.store.backup.inspect import DatabaseReport, inspect_database
from missedd.store.backup.restore import restore_backup
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.sqlite.read_access import has_database
from missedd.store.sqlite.sqlite_location import require_sqlite

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "restore",
        help="check a backup, or replace the database with it",
        description="The whole backup is read and checked first. Stop the daemon before you restore. Under "
        "systemd stop its sockets too, because the next call would start the daemon again: `systemctl stop "
        "missedd.socket missedd-private.socket missedd`. The old database is kept beside the new one. "
        "Pending actions of the backup are not sent until `missedd release`, because the daemon may have "
        "sent them after the backup was made.",
        epilog="example: missedd restore --config missedd.toml --verify missedd-2026-11-23.db",
    )
    add_config_option(parser)
    parser.add_argument("--verify", action="store_true", help="only check the backup; exit code 0 or 1")
    parser.add_argument("backup", type=Path, metavar="BACKUP", help="the file that `missedd backup` wrote")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load_settings(args.config, os.environ)
    except InvalidConfig as problems:
        return print_problems(problems)
    found = inspect_database(args.backup)
    print(_report_text(args.backup, found), file=sys.stdout if found.is_healthy else sys.stderr)
    if not found.is_healthy or args.verify:
        return OK if found.is_healthy else FAILED
    try:
        path = require_sqlite(settings.store, BACKUP_OF_POSTGRESQL)
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
    print(
        f"{restored.quarantined_actions:,} pending actions wait, and so do all later actions for earlier "
        f"calls: `missedd release --config {args.config}` releases them, with --drop it drops them"
    )
    return OK


def _report_text(path: Path, found: DatabaseReport) -> str:
    if not found.is_healthy:
        return "\n".join(f"{path}: {problem}" for problem in found.problems)
    older = "" if found.version == LATEST_VERSION else f", which a restore brings to {LATEST_VERSION}"
    counts = ", ".join(f"{count:,} {table}" for table, count in found.counts.items())
    return (
        f"{path} is well: integrity and references checked, schema version {found.version}{older}; "
        f"{counts}; {found.pending:,} actions pending"
    )
