"""`missedd unit`: the units for systemd, and what else a server is set up with."""

from __future__ import annotations

import argparse
import sys

from missedd.base.shipped_files import SERVICE, SHIPPED, text_of
from missedd.commands.shared.options import OK, USAGE
from missedd.config.values import nearest

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    width = max(map(len, SHIPPED))
    parser = commands.add_parser(
        "unit",
        help="print a unit for systemd, the alerts for Prometheus or the dashboard for Grafana",
        description="Prints one of the files that come with missedd, as it is in this release.",
        epilog="files:\n"
        + "".join(f"  {name:{width}}  {shipped.about}\n" for name, shipped in SHIPPED.items())
        + "\nexample: missedd unit missedd.socket > /etc/systemd/system/missedd.socket",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", default=SERVICE, metavar="FILE", help=f"by default {SERVICE}")
    parser.add_argument("--list", action="store_true", help="name the files instead, one a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.list:
        print("\n".join(SHIPPED))
        return OK
    if args.file not in SHIPPED:
        close = nearest(args.file, list(SHIPPED))
        meant = f"; did you mean {close}?" if close else ""
        print(f"missedd: there is no {args.file} among {', '.join(SHIPPED)}{meant}", file=sys.stderr)
        return USAGE
    sys.stdout.write(text_of(args.file))
    return OK
