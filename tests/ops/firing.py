"""A real Prometheus with the shipped rules watches a real daemon in trouble: alerts fire, and resolve.

    python -m tests.ops.firing

An event is counted that never happened before, the daemon is killed, and Exotel goes away; each
time the alert must come, and go again when all is well but for what looks back on an hour. Waits in
the rules (`for`) are left out, or it would take that long.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from tests.ops.exposition import RULES
from tests.real.daemon import Daemon, ExchangeServer, free_port
from tests.real.peers import missed_call, post

CAMPAIGN: Final = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
[campaign.callback]
flow = "1"
delay = "1s"
"""
PATIENCE_S: Final = 90.0
"""A probe of Exotel comes after a minute at the latest."""

SCRAPES: Final = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [missedd.rules.yml]
scrape_configs:
  - job_name: missedd
    static_configs: [{targets: ["127.0.0.1:%d"]}]
"""


class Prometheus:
    """A running one, asked which alerts fire."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}/api/v1"

    def firing(self) -> set[str]:
        alerts = self._ask("alerts")["alerts"]
        return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}

    def sees_the_daemon(self) -> bool:
        try:
            return bool(self._ask("query", query='missedd_ready{job="missedd"} == 1')["result"])
        except httpx.HTTPError:
            return False

    def _ask(self, what: str, **parameters: str) -> Any:
        answer = httpx.get(f"{self._base}/{what}", params=parameters, trust_env=False)
        answer.raise_for_status()
        return answer.json()["data"]


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[Prometheus]:
    """Prometheus on a free port, with the rules as they are shipped but for their waits."""
    program = shutil.which("prometheus")
    if program is None:
        sys.exit("no prometheus on this machine: apt-get install prometheus")
    rules = re.sub(r"for: \d+[smhd]", "for: 0s", RULES.read_text("utf-8"))
    (folder / "missedd.rules.yml").write_text(rules, "utf-8")
    (folder / "prometheus.yml").write_text(SCRAPES % target, "utf-8")
    port = free_port()
    command = [
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "prometheus.log").open("wb") as log, subprocess.Popen(command, stderr=log) as running:
        try:
            yield Prometheus(port)
        finally:
            running.terminate()


def wait(what: str, is_so: Callable[[], bool]) -> None:
    """Wait for it, and say how long it took; ends the program where it does not come."""
    began_s = time.monotonic()
    while not is_so():
        if time.monotonic() - began_s > PATIENCE_S:
            sys.exit(f"it did not come in {PATIENCE_S:g} s: {what}")
        time.sleep(0.2)
    print(f"{time.monotonic() - began_s:5.1f} s  {what}", flush=True)


def watch(folder: Path) -> None:
    exotel = ExchangeServer(free_port())
    rung = 0

    with Daemon(folder, CAMPAIGN, exotel.port) as daemon:

        def ring(exophone: str = "08047120001") -> None:
            nonlocal rung
            rung += 1
            request = missed_call(f"rung-{rung}", f"098765{rung:05d}")
            answer = post(daemon.public_port, request.replace(b"08047120001", exophone.encode()))
            assert answer == "200", answer

        with exotel:
            daemon.start()
            with prometheus(folder, daemon.private_port) as watching:
                wait("Prometheus sees the daemon", watching.sees_the_daemon)
                wait("no alert fires", lambda: not watching.firing())
                ring("08047129999")
                # The first of its kind: without a series of 0 before it, nobody would see it.
                wait("MisseddUnknownExophone fires", lambda: watching.firing() == {"MisseddUnknownExophone"})
                daemon.signal(signal.SIGKILL)
                wait("MisseddDown fires", lambda: "MisseddDown" in watching.firing())
                daemon.start()
                wait("MisseddDown is over", lambda: "MisseddDown" not in watching.firing())
                exotel.__exit__()
                for _ in range(5):
                    ring()
                alert = "MisseddProviderUnreachable"
                wait(f"{alert} fires", lambda: alert in watching.firing())
                exotel.__enter__()
                wait(f"{alert} is over", lambda: alert not in watching.firing())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="firing-") as made:
        watch(Path(made))
