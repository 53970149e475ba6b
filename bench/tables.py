"""The figures of a part as a table on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table


def show(console: Console, part: str, found: dict[str, Any]) -> None:
    table = SHAPES[part](found)
    for column in table.columns[1:]:
        column.justify = "right"
    console.print(table)


def _ingest(found: dict[str, Any]) -> Table:
    table = _table("acknowledged a second", "calls/s", "missedd is", "p99 ms", "CPU µs/call")
    for name, each in found["contenders"].items():
        table.add_row(
            f"{name}: {each['about']}",
            f"{each['rate']:,.0f}",
            f"{each['mine_is']:.2f} ×",
            f"{each['p99_ms']:,.1f}",
            f"{each['cpu_us']:,.0f}",
        )
    return table


def _ack(found: dict[str, Any]) -> Table:
    table = _table("ms to the acknowledgement", "p50", "p90", "p99", "p99.9", "max", "errors", "dropped")
    for name, each in found.items():
        times = [f"{value:,.2f}" for value in each["latency_ms"].values()]
        table.add_row(f"{name}: {each['about']}", *times, f"{each['errors']:,}", f"{each['dropped']:,}")
    return table


def _figures(found: dict[str, Any]) -> Table:
    table = _table(f"GET /api/v1/analytics, ms: {found['about']}", "calls", "first", "median", "worst")
    for name, each in found["ranges"].items():
        times = (f"{each[key]:,.0f}" for key in ("first_ms", "median_ms", "worst_ms"))
        table.add_row(name, f"{each['calls']:,}", *times)
    table.caption = (
        f"allowed are {found['limit_ms']} ms; {found['gb_per_million_calls']} GB a million calls, "
        f"{found['summaries_share']:.1%} of it summaries, made in {found['summaries_made_in_s']:,} s"
    )
    return table


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)


SHAPES = {"ingest": _ingest, "ack": _ack, "figures": _figures}
