"""A restart under load: with systemd's sockets nobody notices, without them nobody is lost."""

from __future__ import annotations

import http.client
import signal
import socket
import time
from collections import Counter
from pathlib import Path

from tests.real.daemon import Daemon, free_port
from tests.real.peers import posting

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = { source = "missed_call" }
"""


def counted(daemon: Daemon) -> int:
    return int(daemon.api("/api/v1/analytics?campaign=shop")["total_calls"])


def test_restarts_with_passed_sockets_refuse_nobody(tmp_path: Path) -> None:
    with (
        Daemon(tmp_path, SHOP, free_port()) as daemon,
        socket.create_server(("127.0.0.1", daemon.public_port), backlog=1024) as public,
        socket.create_server(("127.0.0.1", daemon.private_port)) as private,
    ):
        passed = {"public": public, "private": private}
        daemon.start(passed)
        assert daemon.events("daemon.started")[0]["inherited"] == ["private", "public"]
        with posting(daemon.public_port) as posted:
            for _ in range(3):
                time.sleep(0.5)
                assert daemon.signal(signal.SIGTERM) == 0
                daemon.start(passed)
            time.sleep(0.3)
        assert Counter(posted.statuses.values()) == {"200": len(posted.statuses)}
        assert len(posted.statuses) > 300
        assert counted(daemon) == len(posted.statuses)
        assert daemon.signal(signal.SIGTERM) == 0


def test_a_stop_under_load_answers_all_that_it_took(tmp_path: Path) -> None:
    with Daemon(tmp_path, SHOP, free_port()) as daemon:
        daemon.start()
        with posting(daemon.public_port) as posted:
            for _ in range(2):
                time.sleep(0.5)
                assert daemon.signal(signal.SIGTERM) == 0
                time.sleep(0.1)
                daemon.start()
        heard = Counter(posted.statuses.values())
        # Nobody listens between a stop and a start; a connection that the kernel had queued then is reset.
        assert set(heard) <= {"200", "ConnectionRefusedError", "ConnectionResetError"}
        assert heard["200"] > 100
        assert counted(daemon) == heard["200"]
        assert daemon.signal(signal.SIGTERM) == 0


def test_a_load_balancer_is_told_of_a_stop_on_the_connection_that_it_keeps(tmp_path: Path) -> None:
    with Daemon(tmp_path, SHOP, free_port()) as daemon:
        daemon.start()
        balancer = http.client.HTTPConnection("127.0.0.1", daemon.public_port, timeout=20)
        heard: list[tuple[int, bytes, str | None]] = []
        assert daemon.running is not None
        while not heard or heard[-1][2] != "close":
            balancer.request("GET", "/readyz")
            reply = balancer.getresponse()
            heard.append((reply.status, reply.read(), reply.headers["connection"]))
            if len(heard) == 3:
                daemon.running.send_signal(signal.SIGTERM)
        balancer.close()
        assert heard[0] == (200, b"", None)
        assert heard[-1] == (503, b"", "close")
        assert daemon.running.wait(20) == 0
        assert daemon.events("webhook.refused") == []
