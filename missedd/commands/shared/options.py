"""What several commands share: the `--config` option, exit codes, and reading a configuration."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import trio

from missedd.config.loader import InvalidConfig, LoadedConfig, Settings, load_config, load_settings
from missedd.config.toml_file import FILE_MISSING
from missedd.core.explain.number import format_local_time
from missedd.store.db.database import DatabaseConnection, StoreRefused
from missedd.store.store import driver_for, open_reader

OK, FAILED, USAGE, CONFIGURATION = 0, 1, 2, 78
"""Exit codes. 78 is `EX_CONFIG`."""

CONFIG_PLACES: Final = (Path("missedd.toml"), Path("/etc/missedd/missedd.toml"))
"""Where a configuration is looked for that nobody has named."""


def add_config_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        default=default_config(os.environ),
        metavar="FILE",
        help="the configuration, a TOML file (default: the file that MISSEDD_CONFIG names, else "
        f"{' or '.join(map(str, CONFIG_PLACES))})",
    )


def default_config(environ: Mapping[str, str]) -> Path:
    """The configuration where none is named; the first place to look, where there is none anywhere."""
    if named := environ.get("MISSEDD_CONFIG"):
        return Path(named)
    for place in CONFIG_PLACES:
        try:
            place.stat()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError:
            pass  # there is something that we may not look at: whoever reads it says so
        return place
    return CONFIG_PLACES[0]


def add_format_option(parser: argparse.ArgumentParser, *formats: str) -> None:
    """`--format` with the first as its default, and `--json` for `--format json`."""
    parser.add_argument("--format", choices=formats, default=formats[0], help=f"({formats[0]})")
    parser.add_argument(
        "--json",
        dest="format",
        action="store_const",
        const="json",
        default=argparse.SUPPRESS,
        help="short for --format json",
    )


def print_problems(problems: InvalidConfig) -> int:
    """Print every problem, and say how many: the operator mends them all in one go."""
    for problem in problems.problems:
        print(problem, file=sys.stderr)
    if any(problem.reason == FILE_MISSING for problem in problems.problems):
        places = " or ".join(map(str, CONFIG_PLACES))
        print(f"name it with --config or MISSEDD_CONFIG, or put it at {places}", file=sys.stderr)
    count = len(problems.problems)
    print(
        f"{count} problem{'s' if count != 1 else ''} in the configuration; nothing was started",
        file=sys.stderr,
    )
    return CONFIGURATION


def private_url(settings: Settings) -> str:
    """Where a running daemon answers its operator."""
    private = settings.listen.private
    host = f"[{private.host}]" if ":" in private.host else private.host
    return f"http://{host}:{private.port}"


def to_local_text(instant: str, settings: Settings) -> str:
    """An instant of the API's as a person reads it: `2026-11-23 12:00:00 IST`."""
    return format_local_time(instant, ZoneInfo(settings.timezone))


def run_with_config(run: Callable[[LoadedConfig], int], path: Path) -> int:
    """Run a command that needs settings and secrets."""
    try:
        loaded = load_config(path, os.environ)
    except InvalidConfig as problems:
        return print_problems(problems)
    return run(loaded)


def run_query[T](path: Path, query: Callable[[Settings, DatabaseConnection], Awaitable[T]]) -> T | int:
    """Run a query on the database beside a daemon that may be running; an exit code where that can't be.

    Only the file is needed, no secrets: an operator may look without being able to send.
    """
    try:
        settings = load_settings(path, os.environ)
    except InvalidConfig as problems:
        return print_problems(problems)

    async def read() -> T:
        async with driver_for(settings.store) as driver, open_reader(driver, settings.store) as reader:
            return await query(settings, reader)

    try:
        return trio.run(partial(read))
    except StoreRefused as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
