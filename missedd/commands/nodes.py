"""`missedd nodes`: the daemons on one database, who leads, and what needs a person."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial

from msgspec import convert
from rich.console import Console
from rich.table import Table

from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option, add_format_option, to_local_text
from missedd.config.loader import Settings
from missedd.core.api_types.nodes import NodeJson, NodesJson

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "nodes",
        help="show the daemons that share the database: who leads, who is alive",
        description="Asks the daemon of this configuration. With a SQLite file there is one node, which "
        "leads. With a PostgreSQL every daemon on it is listed; one that is gone is listed for a day.",
        epilog="example: missedd nodes --config missedd.toml --json",
    )
    add_config_option(parser)
    add_format_option(parser, "table", "json")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_print_nodes, args.format == "json"))


def _print_nodes(as_json: bool, settings: Settings) -> int:
    answer = call_api(settings, "/api/v1/nodes", method="GET")
    if not answer.is_ok:
        print(answer.detail, file=sys.stderr)
        return FAILED
    if as_json:
        print(json.dumps(answer.body, indent=2))
        return OK
    _print_table(convert(answer.body, NodesJson).items, settings)
    return OK


def _print_table(nodes: list[NodeJson], settings: Settings) -> None:
    table = Table(title="Nodes")
    for column in (
        "node",
        "name",
        "does",
        "state",
        "address",
        "version",
        "clock",
        "configuration",
        "last seen",
    ):
        table.add_column(column, no_wrap=column in ("node", "does", "state"), overflow="fold")
    for node in nodes:
        clock, seen = f"{node.skew_s:+.2f} s", to_local_text(node.seen_at, settings)
        table.add_row(
            *(str(node.node), node.name, node.role, node.state, node.address),
            *(node.version, clock, node.config, seen),
        )
    Console().print(table)
