"""`missedd unit`: the units for systemd, and what else a server is set up with."""

from __future__ import annotations

import argparse
import sys

from missedd.base.shipped_files import SERVICE, SHIPPED_FILES, read_shipped_file
from missedd.commands.shared.options import OK, USAGE
from missedd.config.values import closest_match

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    width = max(map(len, SHIPPED_FILES))
    parser = commands.add_parser(
        "unit",
        help="print a systemd unit, the alerts, the dashboard, the runbook or the file for Patroni",
        description="Prints one of the files that come with this release of missedd.",
        epilog="files:\n"
        + "".join(f"  {name:{width}}  {shipped.description}\n" for name, shipped in SHIPPED_FILES.items())
        + "\nexample: missedd unit missedd.socket > /etc/systemd/system/missedd.socket",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", nargs="?", default=SERVICE, metavar="FILE", help=f"the file to print ({SERVICE})"
    )
    parser.add_argument("--list", action="store_true", help="print the names of the files, one per line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.list:
        print("\n".join(SHIPPED_FILES))
        return OK
    if args.file not in SHIPPED_FILES:
        close = closest_match(args.file, list(SHIPPED_FILES))
        meant = f"; did you mean {close}?" if close else ""
        print(f"missedd: there is no {args.file} among {', '.join(SHIPPED_FILES)}{meant}", file=sys.stderr)
        return USAGE
    sys.stdout.write(read_shipped_file(args.file))
    return OK
