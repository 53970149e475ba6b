"""Two real daemons on one PostgreSQL: both take in, one sends. Who dies or stops is replaced."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgresql_server import PostgresqlDatabase
from tests.real.daemon import Daemon, ExchangeServer, eventually, free_port
from tests.real.peers import missed_call, post

pytestmark = pytest.mark.postgresql

REPLACED_WITHIN_S = 15.0
"""The lease of 10 s, and 5 s for a busy machine."""
CALLED_WITHIN_S = 120.0
"""For callbacks that take some seconds on an idle machine, with a look-up after a kill."""
SHOP = """
[store]
url = "{url}"
[node]
name = "{name}"
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = {{ flow = "12345", delay = "1s", give_up_after = "10m" }}
"""


def node(folder: Path, name: str, database: PostgresqlDatabase, exotel_port: int) -> Daemon:
    (folder / name).mkdir()
    return Daemon(folder / name, SHOP.format(url=database.url, name=name), exotel_port)


def roles(of: Daemon) -> dict[str, str]:
    return {
        each["name"]: each["role"] for each in of.api("/api/v1/nodes")["items"] if each["state"] == "alive"
    }


def dialled(exchange: ExchangeServer) -> Counter[str]:
    truth: dict[str, Any] = exchange.control("GET", "truth")
    return Counter(each["number"] for each in (*truth["rings"], *truth["engaged"]))


def numbers(first: int, count: int) -> list[str]:
    return [f"+9198765{number:05d}" for number in range(first, first + count)]


def test_both_take_in_one_sends_and_the_other_goes_on_after_kill_9(
    tmp_path: Path, postgresql_database: PostgresqlDatabase
) -> None:
    port = free_port()
    with (
        node(tmp_path, "one", postgresql_database, port) as one,
        node(tmp_path, "two", postgresql_database, port) as two,
        ExchangeServer(port) as exchange,
    ):
        one.start()
        two.start()
        assert roles(two) == {"one": "leads", "two": "takes in"}
        (listed,) = [each for each in one.api("/api/v1/nodes")["items"] if each["name"] == "two"]
        assert listed["address"] == f"127.0.0.1:{two.private_port}"

        called = numbers(10_000, 40)
        for index, number in enumerate(called):
            taken_by = (one, two)[index % 2]
            assert post(taken_by.public_port, missed_call(f"first-{index}", number)) == "200"
        # The same call at the other node is the same call.
        assert post(two.public_port, missed_call("first-0", called[0])) == "200"
        eventually(lambda: dialled(exchange) == dict.fromkeys(called, 1), CALLED_WITHIN_S)
        assert two.events("attempt.accepted") == []

        assert one.signal(signal.SIGKILL) == -signal.SIGKILL
        killed_s = time.monotonic()
        more = numbers(20_000, 10)
        for index, number in enumerate(more):
            assert post(two.public_port, missed_call(f"second-{index}", number)) == "200"
        eventually(lambda: two.events("cluster.leads"))
        assert time.monotonic() - killed_s < REPLACED_WITHIN_S
        eventually(lambda: dialled(exchange) == dict.fromkeys([*called, *more], 1), CALLED_WITHIN_S)
        assert roles(two) == {"two": "leads"}

        one.start()  # another node, of the same name
        eventually(lambda: roles(one) == {"one": "takes in", "two": "leads"})
        assert post(one.public_port, missed_call("third", numbers(30_000, 1)[0])) == "200"
        eventually(lambda: dialled(exchange)[numbers(30_000, 1)[0]] == 1, CALLED_WITHIN_S)

        assert two.signal(signal.SIGTERM) == 0
        eventually(lambda: one.events("cluster.leads"))
        assert roles(one) == {"one": "leads"}
        assert one.events("cluster.node_gone") == []
        assert one.signal(signal.SIGTERM) == 0
        assert dialled(exchange) == dict.fromkeys([*called, *more, *numbers(30_000, 1)], 1)


def test_a_leader_that_stood_still_is_replaced_and_sends_nothing_when_it_wakes_up(
    tmp_path: Path, postgresql_database: PostgresqlDatabase
) -> None:
    port = free_port()
    with (
        node(tmp_path, "one", postgresql_database, port) as one,
        node(tmp_path, "two", postgresql_database, port) as two,
        ExchangeServer(port) as exchange,
    ):
        one.start()
        two.start()
        called = numbers(10_000, 20)
        for index, number in enumerate(called):
            assert post(one.public_port, missed_call(f"first-{index}", number)) == "200"
        assert one.running is not None
        one.running.send_signal(signal.SIGSTOP)
        try:
            eventually(lambda: two.events("cluster.leads"))
            eventually(lambda: dialled(exchange) == dict.fromkeys(called, 1), CALLED_WITHIN_S)
        finally:
            one.running.send_signal(signal.SIGCONT)
        eventually(lambda: one.events("cluster.lost"))
        more = numbers(20_000, 5)
        for index, number in enumerate(more):
            assert post(one.public_port, missed_call(f"second-{index}", number)) == "200"
        eventually(lambda: dialled(exchange) == dict.fromkeys([*called, *more], 1), CALLED_WITHIN_S)
        assert roles(one) == {"one": "takes in", "two": "leads"}
        assert one.signal(signal.SIGTERM) == 0
        assert two.signal(signal.SIGTERM) == 0


def test_a_watcher_at_one_node_is_shown_a_vote_that_the_other_took(
    tmp_path: Path, postgresql_database: PostgresqlDatabase
) -> None:
    vote = """
[[poll]]
name = "singer"
[[campaign]]
name = "asha"
exophones = ["+918047120001"]
[campaign.vote]
poll = "singer"
option = "Asha"
"""
    store = SHOP[: SHOP.index("[[campaign]]")]
    nodes: list[Daemon] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        settings = store.format(url=postgresql_database.url, name=name) + vote
        nodes.append(Daemon(tmp_path / name, settings, free_port()))
    with nodes[0] as one, nodes[1] as two:
        one.start()
        two.start()
        for taken_by, watched in ((one, two), (two, one)):
            url = f"http://127.0.0.1:{watched.private_port}/api/v1/polls/singer/events"
            with httpx.stream("GET", url, trust_env=False, timeout=30) as stream:
                # Heartbeats come every 15 s: what does not come within some of them does not come.
                first_lines = islice(stream.iter_lines(), 20)
                lines = (line for line in first_lines if line.startswith("data: "))
                total = json.loads(next(lines).removeprefix("data: "))["total"]
                number = f"+9198765{watched.public_port:05d}"
                assert post(taken_by.public_port, missed_call(number, number)) == "200"
                seen = json.loads(next(lines).removeprefix("data: "))
                assert seen["total"] == total + 1
        for daemon in nodes:
            assert daemon.signal(signal.SIGTERM) == 0
