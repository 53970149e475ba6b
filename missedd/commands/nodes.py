"""`missedd nodes`: the daemons on one database, who leads, and what needs a person."""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from msgspec import convert, to_builtins
from rich.console import Console
from rich.table import Table

from missedd.commands.shared.daemon_client import call_api, run_with_settings
from missedd.commands.shared.options import (
    FAILED,
    OK,
    add_config_option,
    add_format_option,
    run_query,
    to_local_text,
)
from missedd.config.loader import PostgresqlLocation, Settings
from missedd.core.api_types.nodes import NodeJson, NodesJson, nodes_json
from missedd.core.cluster.cluster_status import ClusterStatus
from missedd.store.cluster.status import read_cluster_status
from missedd.store.db.database import DatabaseConnection

WIDTH_OF_FILES = 140
"""Columns of a table that goes to a file or another program: no cell needs two lines."""

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "nodes",
        help="show the daemons that share the database: who leads, who is alive",
        description="With a PostgreSQL every daemon on it is listed, and one that is gone is listed for a "
        "day; what needs a person is printed as a warning. With a SQLite file the daemon on it is the only "
        "node, and leads; the command asks that daemon.",
        epilog="example: missedd nodes --config missedd.toml --json",
    )
    add_config_option(parser)
    add_format_option(parser, "table", "json")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_print_nodes, args.config, args.format == "json"))


def _print_nodes(config: Path, as_json: bool, settings: Settings) -> int:
    if isinstance(settings.store, PostgresqlLocation):
        # The database knows, whether a daemon runs on this machine or not.
        status = run_query(config, _read_status)
        if isinstance(status, int):
            return status
        nodes, warnings = nodes_json(status), list(status.warnings())
    else:
        answer = call_api(settings, "/api/v1/nodes", method="GET")
        if not answer.is_ok:
            print(answer.detail, file=sys.stderr)
            return FAILED
        nodes, warnings = convert(answer.body, NodesJson), []
    if as_json:
        print(json.dumps(to_builtins(nodes), indent=2))
    else:
        _print_table(nodes.items, settings)
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return OK


async def _read_status(_: Settings, reader: DatabaseConnection) -> ClusterStatus:
    return await reader.read(read_cluster_status)


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
    Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES).print(table)
