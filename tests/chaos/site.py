"""All of it together: the cluster, three nodes, the front door, the exchange and its callers."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import psycopg

from tests.chaos.callers import Callers
from tests.chaos.front_door import FrontDoor
from tests.chaos.nodes import Node
from tests.cluster.cluster import Cluster
from tests.cluster.ports import free_ports
from tests.real.daemon import TOKEN, ExchangeServer

NODES = ("node1", "node2", "node3")
DATABASE = "missedd"
WELL_AT_MOST_S = 90.0
"""How long the nodes may need once the faults are mended: a lease of 10 s, and a start."""

LEASE_US = 10_000_000
LAST_LINES = 25
MAX_LINE = 1_000
REDELIVERY = {"webhook_timeout_s": 6.0, "webhook_retry_waits_s": [1.0] * 120, "report_delay_s": 0.0}
"""Exotel's own waits of minutes would make a run of hours. 6 s: a node answers 503 within 5."""


class Site:
    """Well once the block begins. `rng` decides what is left to chance; `per_minute` is either budget."""

    def __init__(self, rng: Random, per_minute: int) -> None:
        self.rng = rng
        self.per_minute = per_minute

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="missedd-chaos-")))
            self.cluster = stack.enter_context(Cluster())
            self.cluster.create_database(DATABASE)
            front = stack.enter_context(FrontDoor(Random(self.rng.random())))
            (exotel_port,) = free_ports(1)
            self.nodes = [
                Node(
                    name, self.folder / name, self.cluster, DATABASE, exotel_port, front.port, self.per_minute
                )
                for name in NODES
            ]
            self.exchange = stack.enter_context(
                ExchangeServer(
                    exotel_port,
                    f"http://127.0.0.1:{front.port}/exotel/{TOKEN}/missed-call",
                    "--calls-per-minute",
                    str(self.per_minute),
                )
            )
            self.exchange.control("POST", "settings", {**REDELIVERY, "sms_per_minute": self.per_minute})
            for node in self.nodes:
                node.open_network(stack)
                stack.enter_context(node)
                node.start()
            front.lead_to(self.nodes)
            self.wait_until_well()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self._print_ends_of_logs()
        self._stack.close()

    def _print_ends_of_logs(self) -> None:
        """What a node wrote last says most of why a run was broken off; the folder is gone afterwards."""
        for node in self.nodes:
            lines = node.log_path.read_text("utf-8").splitlines()
            print(
                f"{node.name}:", *(line[:MAX_LINE] for line in lines[-LAST_LINES:]), sep="\n", file=sys.stderr
            )

    def callers(self, per_s: float) -> Callers:
        """They ring while the `with` block of what this returns runs."""
        return Callers(self.exchange, Random(self.rng.random()), per_s)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """What the database holds, read past the nodes' networks. Raises psycopg.Error while it is away."""
        with self.cluster.connect(DATABASE) as connection:
            return connection.execute(statement).fetchall()

    def leader(self) -> Node | None:
        """The node whose lease is not over; None while there is none, or no database to ask."""
        try:
            names = self.query(
                "SELECT name FROM leadership JOIN nodes ON nodes.id = leadership.node "
                f"WHERE renewed_at > db_now_us() - {LEASE_US} AND stopped_at IS NULL"
            )
        except psycopg.Error:
            return None
        return next((node for node in self.nodes if (node.name,) in names), None)

    def require_leader(self) -> Node:
        self.wait_for("a leader", lambda: self.leader() is not None)
        leader = self.leader()
        assert leader is not None
        return leader

    def follower(self) -> Node:
        """A random one of those that do not lead."""
        leader = self.require_leader()
        return self.rng.choice([node for node in self.nodes if node is not leader])

    def wait_for(self, what: str, condition: Callable[[], bool], at_most_s: float = WELL_AT_MOST_S) -> float:
        """Wait until it holds; the seconds that it took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < at_most_s, f"no {what} within {at_most_s:g} s"
            time.sleep(0.1)
        return time.monotonic() - began

    def wait_until_well(self) -> None:
        """All machines serve, all nodes are ready, one of them leads."""
        self.cluster.wait_until_whole()
        for node in self.nodes:
            self.wait_for(f"ready {node.name}", lambda node=node: node.is_ready)  # type: ignore[misc]
        self.require_leader()

    def wait_until_settled(self, at_most_s: float) -> None:
        """Until every action has its outcome or is in doubt (tests/chaos/stored.py), or so long."""
        began = time.monotonic()
        open_ones = "state != 'done' AND NOT (state = 'attempting' AND wake_at IS NOT NULL)"
        while self.query(f"SELECT 1 FROM actions WHERE {open_ones} LIMIT 1"):
            if time.monotonic() - began > at_most_s:
                return
            time.sleep(0.5)
