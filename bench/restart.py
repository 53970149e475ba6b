"""How long a start takes with a million callbacks pending, and how much memory each of them."""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.ingest import CAMPAIGN
from bench.stock import stock
from tests.real.daemon import Daemon, free_port, resident_mb
from tests.real.peers import missed_call, post

PENDING = 1_000_000


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder,
        Daemon(Path(folder), CAMPAIGN, free_port()) as daemon,
    ):
        say("restart: an empty database")
        empty_s, empty_mb = _started(daemon)
        _stop(daemon)
        say(f"restart: filling in {PENDING:,} pending callbacks")
        stock(daemon, pending=PENDING)
        say("restart: starting")
        ready_s, full_mb = _started(daemon)
        timers = daemon.events("daemon.started")[-1]["timers"]
        began = time.perf_counter()
        status = post(daemon.public_port, missed_call("one-more", "09876543210"))
        call_ms = (time.perf_counter() - began) * 1000
        if timers < PENDING or status != "200":
            raise RuntimeError(f"{timers} timers after the start, and a call got {status}")
        _stop(daemon)
    return {
        "timers": timers,
        "ready_s": round(ready_s, 2),
        "empty_ready_s": round(empty_s, 2),
        "resident_mb": round(full_mb),
        "empty_resident_mb": round(empty_mb),
        "bytes_a_timer": round((full_mb - empty_mb) * 2**20 / timers),
        "first_call_ms": round(call_ms, 1),
    }


def _started(daemon: Daemon) -> tuple[float, float]:
    took_s = daemon.start()
    if daemon.running is None:
        raise AssertionError("started without a process")
    return took_s, resident_mb(daemon.running.pid)


def _stop(daemon: Daemon) -> None:
    if daemon.signal(signal.SIGTERM):
        raise RuntimeError("the daemon did not stop well")
