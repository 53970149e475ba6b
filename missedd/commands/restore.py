"""`missedd restore`: check a backup, or put it in the place of the database."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import trio

from missedd.base.clock import SystemClock
from missedd.commands.backup import shown_progress
from missedd.commands.shared.options import FAILED, OK, add_config, say_problems
from missedd.config.loader import ConfigProblems, load
from missedd.store.backup.inspect import Examined, examine
from missedd.store.backup.restore import restore
from missedd.store.db.database import StoreRefused
from missedd.store.db.migrate import LATEST
from missedd.store.db.read_access import is_there

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "restore",
        help="check a backup, or put it in the place of the database",
        description="The backup is read to its last page first. The daemon must be stopped, under "
        "systemd with its sockets, or the next caller starts it again: `systemctl stop missedd.socket "
        "missedd-private.socket missedd`. The database that was there is kept beside the new one. What "
        "the backup still owes is not sent until `missedd release`: the callers may have been served since "
        "it was made.",
        epilog="example: missedd restore --config missedd.toml --verify missedd-2026-11-23.db",
    )
    add_config(parser)
    parser.add_argument("--verify", action="store_true", help="only check the backup: exit code 0 or 1")
    parser.add_argument("backup", type=Path, metavar="BACKUP")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load(args.config, os.environ)
    except ConfigProblems as problems:
        return say_problems(problems)
    found = examine(args.backup)
    print(_told(args.backup, found), file=sys.stdout if found.is_well else sys.stderr)
    if not found.is_well or args.verify:
        return OK if found.is_well else FAILED
    try:
        if is_there(settings.store_path) and args.backup.samefile(settings.store_path):
            print(f"{args.backup} is the database itself", file=sys.stderr)
            return FAILED
        with shown_progress("restoring") as progress:
            restored = trio.run(restore, settings.store_path, args.backup, SystemClock().now(), progress)
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    print(f"restored: {settings.store_path}")
    if restored.kept is not None:
        print(f"the database that was there is {restored.kept}")
    print(
        f"{restored.waiting:,} pending actions wait, and so does all else that earlier calls lead to: "
        f"`missedd release --config {args.config}` lets them go, with --drop it drops them"
    )
    return OK


def _told(path: Path, found: Examined) -> str:
    if not found.is_well:
        return "\n".join(f"{path}: {problem}" for problem in found.problems)
    older = "" if found.version == LATEST else f", which a restore brings to {LATEST}"
    counts = ", ".join(f"{count:,} {table}" for table, count in found.counts.items())
    return (
        f"{path} is well: integrity and references checked, schema version {found.version}{older}; "
        f"{counts}; {found.pending:,} actions pending"
    )
