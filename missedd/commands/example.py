"""`missedd example`: the example configuration, to begin with."""

from __future__ import annotations

import argparse
import sys

from missedd.base.shipped_files import EXAMPLE, read_shipped_file
from missedd.commands.shared.options import OK

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "example",
        help="print a complete configuration, with every key explained",
        description="Prints the example configuration. Keep what you need and delete the rest. If you leave "
        "a table out, missedd does not do what that table describes. `missedd check` then shows what is "
        "wrong.",
        epilog="example: missedd example > missedd.toml",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    sys.stdout.write(read_shipped_file(EXAMPLE))
    return OK
