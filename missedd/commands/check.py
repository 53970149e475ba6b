"""`missedd check`: every problem of a configuration at once."""

from __future__ import annotations

import argparse
from functools import partial

from missedd.commands.common import OK, add_config, with_config
from missedd.config import Loaded

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "check",
        help="say every problem of a configuration, each with its key",
        description="Reads the configuration and the secrets exactly as `missedd serve` does, and says "
        "everything that is wrong. Exit code 0 if it would start, 78 if not.",
    )
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return with_config(partial(_say, str(args.config)), args.config)


def _say(path: str, loaded: Loaded) -> int:
    settings = loaded.settings
    for warning in settings.warnings:
        print(f"warning: {warning}")
    names = ", ".join(each.name for each in settings.policy.campaigns) or "none"
    print(f"{path} is well: campaigns {names}; the database is {settings.store_path}")
    return OK
