"""Peers with bad manners, on real sockets: the daemon answers Exotel all the same, and stays small."""

from __future__ import annotations

import contextlib
import resource
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.real.daemon import Daemon, free_port, resident_mb
from tests.real.peers import missed_call, post

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = { source = "missed_call" }
"""
IDLE = 2_000
"""Connections that say nothing; ten thousand by hand: `IDLE` is bounded by this program's descriptors."""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path, SHOP, free_port()) as daemon:
        daemon.start()
        yield daemon
        began = time.monotonic()
        assert daemon.signal(signal.SIGTERM) == 0
        assert time.monotonic() - began < 12, "no peer holds up the stop for longer than the drain may take"


def connected(daemon: Daemon) -> socket.socket:
    return socket.create_connection(("127.0.0.1", daemon.public_port), 20)


def is_well(daemon: Daemon, sid: str) -> bool:
    """A missed call is taken in, and in good time."""
    began = time.monotonic()
    return post(daemon.public_port, missed_call(sid, "09876543210")) == "200" and time.monotonic() - began < 2


def test_slow_lorises_are_shown_out_and_nobody_waits_for_them(daemon: Daemon) -> None:
    with ExitStack() as peers:
        slow = [peers.enter_context(connected(daemon)) for _ in range(200)]
        began, request = time.monotonic(), missed_call("slow", "09876500000")
        for each in slow:
            each.sendall(request[:40])
        for n in range(40, 200):
            if time.monotonic() - began > 11:
                break
            for each in slow[:50]:
                try:
                    each.sendall(request[n : n + 1])
                except OSError:
                    break
            assert is_well(daemon, f"between-{n}")
            time.sleep(0.25)
        for each in slow:
            heard = each.recv(200)
            assert heard == b"" or heard.startswith(b"HTTP/1.1 408 ")
    assert daemon.api("/api/v1/calls?number=09876500000")["items"] == []


def test_peers_that_never_read_are_left_to_themselves(daemon: Daemon) -> None:
    with ExitStack() as peers:
        for which in range(20):
            deaf = peers.enter_context(connected(daemon))
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.settimeout(0.2)
            one = missed_call(f"deaf-{which}", "09876500001").replace(b"Connection: close", b"X: y")
            with contextlib.suppress(TimeoutError):
                while True:
                    deaf.sendall(one * 50)
        assert is_well(daemon, "after-the-deaf")
        assert daemon.running is not None
        assert resident_mb(daemon.running.pid) < 200


def test_thousands_of_idle_connections_cost_little_and_keep_nobody_out(daemon: Daemon) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < IDLE + 100:
        pytest.skip("too few file descriptors for that many peers")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, IDLE + 100), hard))
    assert daemon.running is not None
    before_mb = resident_mb(daemon.running.pid)
    with ExitStack() as peers:
        for _ in range(IDLE):
            peers.enter_context(connected(daemon))
        time.sleep(1.2)
        for n in range(20):
            assert is_well(daemon, f"among-idlers-{n}")
        grown_mb = resident_mb(daemon.running.pid) - before_mb
        print(f"{IDLE} idle connections: {grown_mb:.1f} MB more")
        assert grown_mb < 60
