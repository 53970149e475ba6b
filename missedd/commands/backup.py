"""`missedd backup`: a copy of the database, beside a running daemon or without one."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import Progress as Bar

from missedd.commands.shared.options import FAILED, OK, add_config_option, print_problems
from missedd.config.loader import InvalidConfig, load_settings
from missedd.store.backup.online_backup import Progress, copy_database
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.read_access import check_database_exists
from missedd.store.sqlite.sqlite_location import require_sqlite

BACKUP_OF_POSTGRESQL = (
    "PostgreSQL makes its own backups, with pgBackRest for example; docs/cluster.md says how, and what "
    "missedd does after a restore"
)

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "backup",
        help="copy the database to a file; the daemon may keep running",
        description="Writes one complete, checked file that only its owner can read. If the command fails, "
        "no file is left. The file contains people's numbers: protect it as you protect the database.",
        epilog="example: missedd backup --config missedd.toml missedd-$(date +%F).db",
    )
    add_config_option(parser)
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")
    parser.add_argument("out", type=Path, metavar="OUT", help="the file to write")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load_settings(args.config, os.environ)
    except InvalidConfig as problems:
        return print_problems(problems)
    try:
        source = require_sqlite(settings.store, BACKUP_OF_POSTGRESQL)
        if args.out.is_dir() or _is_same(args.out, source):
            print(f"{args.out}: name a file of its own for the copy", file=sys.stderr)
            return FAILED
        check_database_exists(source)
        with progress_bar("copying") as progress:
            copy_database(source, args.out, progress, replace=args.force)
    except FileExistsError:
        print(f"{args.out} is there already; --force writes over it", file=sys.stderr)
        return FAILED
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    print(f"{args.out}: {args.out.stat().st_size:,} bytes, a copy of {source}")
    return OK


def _is_same(out: Path, source: Path) -> bool:
    try:
        return out.samefile(source)
    except FileNotFoundError:  # one of them, and then they are not
        return False


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar on a terminal, silence elsewhere."""
    console = Console(stderr=True)
    with Bar(console=console, disable=not console.is_terminal, transient=True) as bar:
        line = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(line, completed=done, total=total)
