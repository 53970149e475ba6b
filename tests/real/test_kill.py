"""Real processes and signals: nothing acknowledged is lost, nothing is done twice."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.real.daemon import ENVIRON, Daemon, ExchangeServer, eventually, free_port

CALLBACK = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "6s", give_up_after = "10m" }
lead = { source = "missed_call" }
"""


def test_sixty_pending_callbacks_survive_kill_9_and_each_leaves_once(tmp_path: Path) -> None:
    port = free_port()
    with Daemon(tmp_path, CALLBACK, port) as daemon, ExchangeServer(port, daemon.missed_call_url) as exchange:
        daemon.start()
        rung = exchange.control("POST", "ring", {"count": 60, "shape": "native"})["calls"]
        assert Counter(each["verdict"] for each in rung) == {"accepted": 60}
        assert daemon.signal(signal.SIGKILL) == -signal.SIGKILL
        assert not exchange.control("GET", "truth")["connects"]

        daemon.start()
        eventually(lambda: len(exchange.control("GET", "truth")["connects"]) >= 60)
        # Time enough for a second round, had there been one.
        eventually(lambda: daemon.api("/api/v1/analytics?campaign=shop")["callbacks_made"] == 60)
        assert daemon.signal(signal.SIGTERM) == 0
        truth = exchange.control("GET", "truth")
        # A second call may well find somebody on the telephone, which then does not ring.
        dialled = Counter(each["number"] for each in (*truth["rings"], *truth["engaged"]))
        assert dialled == dict.fromkeys((each["number"] for each in rung), 1)


def test_sigterm_drains_and_exits_0_and_the_next_start_goes_on(tmp_path: Path) -> None:
    port = free_port()
    with Daemon(tmp_path, CALLBACK, port) as daemon, ExchangeServer(port, daemon.missed_call_url) as exchange:
        daemon.start()
        exchange.control("POST", "ring", {"count": 5})
        assert daemon.signal(signal.SIGTERM) == 0
        assert [each["event"] for each in daemon.events("daemon.stopped")] == ["daemon.stopped"]
        daemon.start()
        eventually(lambda: len(exchange.control("GET", "truth")["connects"]) == 5)
        assert daemon.signal(signal.SIGINT) == 0


def test_a_second_daemon_on_the_same_database_says_who_has_it(tmp_path: Path) -> None:
    port = free_port()
    with Daemon(tmp_path, CALLBACK, port) as daemon:
        daemon.start()
        assert daemon.running is not None
        second = subprocess.run(
            [sys.executable, "-m", "missedd", "serve", "--config", str(daemon.config)],
            env=ENVIRON,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert second.returncode == 1
        assert f"is in use by missedd, process {daemon.running.pid}" in second.stderr
        assert daemon.signal(signal.SIGTERM) == 0


def test_check_and_serve_agree_on_a_broken_configuration(tmp_path: Path) -> None:
    config = tmp_path / "missedd.toml"
    config.write_text('[[campaign]]\nname = "x"\nexophones = ["nonsense"]\ndedup = "5m"\n', "utf-8")
    said = [
        subprocess.run(
            [sys.executable, "-m", "missedd", command, "--config", str(config)],
            env=ENVIRON,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        for command in ("check", "serve")
    ]
    assert [each.returncode for each in said] == [78, 78]
    assert said[0].stderr == said[1].stderr
    assert 'campaign "x": dedup' in said[0].stderr
    assert "dedup_window" in said[0].stderr


def test_why_and_report_read_beside_a_running_daemon(tmp_path: Path) -> None:
    port = free_port()
    with Daemon(tmp_path, CALLBACK, port) as daemon, ExchangeServer(port, daemon.missed_call_url) as exchange:
        daemon.start()
        (call,) = exchange.control("POST", "ring", {"number": "+919876543210"})["calls"]

        def run(*arguments: str) -> str:
            return subprocess.run(
                [sys.executable, "-m", "missedd", *arguments],
                env=ENVIRON,
                capture_output=True,
                text=True,
                timeout=30,
                check=True,
            ).stdout

        told = run("why", "--config", str(daemon.config), call["call_sid"])
        assert "It was accepted: the campaign accepted no other call" in told
        assert "callback" in told
        assert run("why", "--config", str(daemon.config), "098765 43210") == told
        assert "1" in run("report", "--config", str(daemon.config), "--campaign", "shop")
        assert daemon.signal(signal.SIGTERM) == 0
