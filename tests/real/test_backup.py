"""Backup beside a running daemon, restore, quarantine and release: with the real commands."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.real.daemon import ENVIRON, Daemon, ExchangeServer, eventually, free_port
from tests.real.peers import posting

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "4s", give_up_after = "10m" }
"""


def missedd(daemon: Daemon, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "missedd", command, "--config", str(daemon.config), *arguments],
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def reasons(daemon: Daemon) -> Counter[str]:
    listed: Any = daemon.api("/api/v1/actions?limit=1000")["items"]
    return Counter(each["reason"] for each in listed)


def test_an_old_backup_rings_nobody_until_it_is_released(tmp_path: Path) -> None:
    port, backup = free_port(), tmp_path / "backup.db"
    with Daemon(tmp_path, SHOP, port) as daemon, ExchangeServer(port, daemon.missed_call_url) as exchange:
        daemon.start()
        rung = exchange.control("POST", "ring", {"count": 20, "shape": "native"})["calls"]
        made = missedd(daemon, "backup", str(backup))
        assert (made.returncode, made.stderr) == (0, "")
        assert missedd(daemon, "backup", str(backup)).returncode == 1
        refused = missedd(daemon, "restore", str(backup))
        assert refused.returncode == 1
        assert "is in use by missedd" in refused.stderr
        # Everybody is served, and then the disk is lost.
        eventually(lambda: len(exchange.control("GET", "truth")["connects"]) == 20)
        assert daemon.signal(signal.SIGTERM) == 0
        verified = missedd(daemon, "restore", "--verify", str(backup))
        assert verified.returncode == 0
        assert "20 actions pending" in verified.stdout
        restored = missedd(daemon, "restore", str(backup))
        assert (restored.returncode, restored.stderr) == (0, "")
        assert "20 pending actions wait" in restored.stdout

        daemon.start()
        assert [each["actions"] for each in daemon.events("store.quarantined")] == [20]
        assert daemon.api("/api/v1/quarantine")["actions"] == 20
        assert "missedd release" in missedd(daemon, "why", rung[0]["call_sid"]).stdout
        (new,) = exchange.control("POST", "ring", {"number": "+919876543210"})["calls"]
        eventually(lambda: len(exchange.control("GET", "truth")["connects"]) == 21)
        assert reasons(daemon)["quarantined"] == 20

        released = missedd(daemon, "release")
        assert (released.returncode, released.stdout[:19]) == (0, "20 actions released")
        eventually(lambda: len(exchange.control("GET", "truth")["connects"]) == 41)
        called = Counter(call["from_number"] for call in exchange.control("GET", "truth")["connects"])
        # That is what a release does, and why it takes an operator's word. Some are still on the telephone.
        assert called == {each["number"]: 2 for each in rung} | {new["number"]: 1}
        assert daemon.signal(signal.SIGTERM) == 0


def test_without_a_daemon_what_waits_can_be_dropped(tmp_path: Path) -> None:
    port, backup = free_port(), tmp_path / "backup.db"
    with Daemon(tmp_path, SHOP, port) as daemon, ExchangeServer(port, daemon.missed_call_url) as exchange:
        daemon.start()
        exchange.control("POST", "ring", {"count": 5, "shape": "native"})
        assert daemon.signal(signal.SIGTERM) == 0
        assert missedd(daemon, "backup", str(backup)).returncode == 0
        assert missedd(daemon, "restore", str(backup)).returncode == 0
        dropped = missedd(daemon, "release", "--drop")
        assert dropped.stdout.startswith("5 actions dropped"), dropped.stderr
        daemon.start()
        assert reasons(daemon) == {"dropped-at-release": 5}
        assert not exchange.control("GET", "truth")["connects"]
        assert daemon.signal(signal.SIGTERM) == 0


def test_a_backup_under_load_is_taken_beside_the_daemon(tmp_path: Path) -> None:
    with Daemon(tmp_path, SHOP, free_port()) as daemon:
        daemon.start()
        with posting(daemon.public_port) as posted:
            time.sleep(0.3)
            before = len(posted.sids("200"))
            backups = [tmp_path / f"backup-{n}.db" for n in range(3)]
            for each in backups:
                assert missedd(daemon, "backup", str(each)).returncode == 0
        assert Counter(posted.statuses.values()) == {"200": len(posted.statuses)}
        for each in backups:
            told = missedd(daemon, "restore", "--verify", str(each))
            assert told.returncode == 0, told.stderr
            calls = int(told.stdout.split(" calls")[0].split()[-1].replace(",", ""))
            assert before <= calls <= len(posted.statuses)
        assert daemon.signal(signal.SIGTERM) == 0
