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
    console.print()


def _ingest(found: dict[str, Any]) -> Table:
    table = _table("acknowledged a second", "calls/s", "missedd is", "p99 ms", "CPU µs a call")
    for name, each in found["contenders"].items():
        table.add_row(
            f"{name}: {each['about']}",
            f"{each['rate']:,.0f}",
            f"{each['mine_is']:.2f} ×",
            f"{each['p99_ms']:,.1f}",
            f"{each['cpu_us']:,.0f}",
        )
    return table


def _against(found: dict[str, Any]) -> Table:
    table = _table(f"processor time a call, {found['turns']} turns", "CPU µs a call")
    table.add_row("this checkout", f"{found['cpu_us']['ours']:,.1f}")
    table.add_row(found["checkout"], f"{found['cpu_us']['theirs']:,.1f}")
    ratio = found["ratio"]
    table.add_row("ours by theirs: median", f"{ratio['median']:.3f}")
    table.add_row("half of the turns are between", f"{ratio['low']:.3f} and {ratio['high']:.3f}")
    return table


def _ack(found: dict[str, Any]) -> Table:
    table = _table("acknowledged after ms", "p50", "p90", "p99", "p99.9", "max", "errors", "dropped")
    for each in found["loads"].values():
        times = [f"{value:,.2f}" for value in each["latency_ms"].values()]
        table.add_row(each["about"], *times, f"{each['errors']:,}", f"{each['dropped']:,}")
    return table


def _timers(found: dict[str, Any]) -> Table:
    table = _table(f"callbacks leave late by ms, {found['pending']:,} pending", "p50", "p90", "p99", "max")
    for name in ("quiet", "busy"):
        table.add_row(found[name]["about"], *(f"{value:,.1f}" for value in found[name]["late_ms"].values()))
    return table


def _restart(found: dict[str, Any]) -> Table:
    table = _table(f"a start with {found['timers']:,} timers", "")
    table.add_row("ready after", f"{found['ready_s']} s")
    table.add_row("ready after, on an empty database", f"{found['empty_ready_s']} s")
    table.add_row("memory", f"{found['resident_mb']:,} MB")
    table.add_row("memory a timer", f"{found['bytes_a_timer']} bytes")
    table.add_row("the first call then takes", f"{found['first_call_ms']} ms")
    return table


def _day(found: dict[str, Any]) -> Table:
    table = _table(f"a day of {found['calls']:,} calls in virtual time", "")
    table.add_row("took", f"{found['took_s']:,} s")
    table.add_row("times real time", f"{found['times_real']:,}")
    return table


def _growth(found: dict[str, Any]) -> Table:
    table = _table("calls in the store", "calls/s", "p99 ms", "CPU µs a call", "ready after s")
    for size, each in found["sizes"].items():
        table.add_row(
            f"{int(size):,}",
            f"{each['rate']:,.0f}",
            f"{each['p99_ms']:,.1f}",
            f"{each['cpu_us']:,.0f}",
            f"{each['ready_s']:.2f}",
        )
    table.add_row(
        "a million calls, each with its callback", f"{found['mb_a_million_calls']:,} MB", "", "", ""
    )
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


def _steps(found: dict[str, Any]) -> Table:
    table = _table("what a call costs, step by step", "µs a call")
    for step, cost_us in found["cost_us"].items():
        table.add_row(step, f"{cost_us:,.1f}")
    return table


def _cluster(found: dict[str, Any]) -> Table:
    table = _table("nodes, calls a batch", "node µs a call", "server µs a call", "calls/s", "p99 ms")
    for name, each in found["rows"].items():
        server = f"{each['server_us']:,.0f}" if "node" in name else ""
        table.add_row(
            name, f"{each['node_us']:,.0f}", server, f"{each['rate']:,.0f}", f"{each['p99_ms']:,.1f}"
        )
    late = "; ".join(
        f"{about}: p50 {each['p50']} p99 {each['p99']} max {each['max']} ms late"
        for about, each in found["late_ms"].items()
    )
    table.caption = (
        f"four nodes by one: server {found['server_four_by_one']}, node {found['node_four_by_one']}; "
        f"PostgreSQL by SQLite at 64 a batch: node {found['node_by_sqlite']}\n{late}"
    )
    return table


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False)


SHAPES = {
    "ingest": _ingest,
    "against": _against,
    "ack": _ack,
    "timers": _timers,
    "restart": _restart,
    "day": _day,
    "growth": _growth,
    "figures": _figures,
    "cluster": _cluster,
    "steps": _steps,
}
