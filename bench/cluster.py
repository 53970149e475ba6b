"""What several nodes on one PostgreSQL cost a call, and how late their requests leave.

Two cores cannot show what four nodes take in a second. They can show what a call costs the nodes and the
server, so these figures are processor time, and ratios of rows of one run. The server keeps its files in
memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.late_requests import measure_late
from bench.rig import Server
from tests.postgresql_server import PostgresqlServer, find_binaries, start_server

ROWS: Final = (
    # name, database, nodes, calls a batch
    ("sqlite 1", "sqlite", 1, 1),
    ("sqlite 16", "sqlite", 1, 16),
    ("sqlite 64", "sqlite", 1, 64),
    ("1 node, 1", "postgresql", 1, 1),
    ("1 node, 16", "postgresql", 1, 16),
    ("1 node, 64", "postgresql", 1, 64),
    ("4 nodes, 64", "postgresql", 4, 64),
)

_A_DAY: Final = """
INSERT INTO calls (id, call_sid, campaign, caller, exophone, called_at, received_at, verdict, reason, shape,
                   fields)
SELECT -n, 'day' || n, 'admissions', '+9170' || lpad((n * 7919 % 100000000)::text, 8, '0'), '+918047120001',
       db_now_us() - n * 1000000, db_now_us() - n * 1000000, 'accepted', 'first-call', 'native', '{}'
FROM generate_series(1::bigint, 50000) n"""
"""Calls of the last fourteen hours."""

type Say = Callable[[str], None]


def measure(say: Say, rounds: int, for_s: float) -> dict[str, Any]:
    binaries = find_binaries()
    if binaries is None:
        raise RuntimeError("no PostgreSQL server is installed; on Debian: apt install postgresql")
    server = start_server(binaries)
    try:
        found: dict[str, list[dict[str, float]]] = {name: [] for name, *_ in ROWS}
        for turn in range(1, rounds + 1):
            for name, kind, nodes, batch in ROWS:
                say(f"cluster, round {turn} of {rounds}: {name}")
                found[name].append(_admission(server, kind, nodes, batch, for_s))
        late = measure_late(server, say)
    finally:
        server.stop()
    rows = {
        name: {key: round(median(each[key] for each in taken), 1) for key in taken[0]}
        for name, taken in found.items()
    }
    one, four = rows["1 node, 64"], rows["4 nodes, 64"]
    return {
        "rounds": rounds,
        "rows": rows,
        "server_four_by_one": round(four["server_us"] / one["server_us"], 2),
        "node_four_by_one": round(four["node_us"] / one["node_us"], 2),
        "node_by_sqlite": round(one["node_us"] / rows["sqlite 64"]["node_us"], 2),
        "late_ms": late,
    }


def _admission(server: PostgresqlServer, kind: str, nodes: int, batch: int, for_s: float) -> dict[str, float]:
    """Processor time a call of the nodes and of the server, in microseconds; calls a second."""
    with _database(server, kind) as database:
        workers = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.admit_worker", database, str(batch), str(for_s), str(number)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(1, nodes + 1)
        ]
        for worker in workers:
            _said(worker)
        before = _server_cpu_s(server)
        for worker in workers:
            if worker.stdin is None:
                raise AssertionError("a worker without an input")
            worker.stdin.write("go\n")
            worker.stdin.flush()
        time.sleep(for_s)
        after = _server_cpu_s(server)
        figures = [json.loads(_said(worker)) for worker in workers]
        for worker in workers:
            worker.communicate()
    calls = sum(each["calls"] for each in figures)
    return {
        "node_us": sum(each["cpu_s"] for each in figures) / calls * 1e6,
        "server_us": sum(after[pid] - before.get(pid, 0.0) for pid in after) / calls * 1e6,
        "rate": calls / for_s,
        "p99_ms": max(each["p99_ms"] for each in figures),
    }


def _said(worker: subprocess.Popen[str]) -> str:
    line = worker.stdout.readline() if worker.stdout else ""
    if not line:
        raise RuntimeError(f"a worker ended with {worker.wait()}")
    return line


@contextmanager
def _database(server: PostgresqlServer, kind: str) -> Iterator[str]:
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder:
            yield str(Path(folder) / "missedd.db")
        return
    database = server.fresh_database()
    with database.connect() as connection:
        # As on any day but the first: the server knows its tables by statistics.
        connection.execute(_A_DAY)
        connection.execute("ANALYZE")
    yield database.url
    database.drop()


def _server_cpu_s(server: PostgresqlServer) -> dict[int, float]:
    """What each process of the server has used of the processors."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text("utf-8")
    used: dict[int, float] = {}
    for pid in map(int, children.split()):
        try:
            used[pid] = Server(pid, 0).cpu_s()
        except OSError:
            continue  # it has ended meanwhile
    return used
