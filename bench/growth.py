"""What a full database costs: its bytes, and whether calls are still taken in as fast."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.ingest import CAMPAIGN
from bench.rig import Server, hammer
from bench.stock import stock
from tests.real.daemon import Daemon, free_port

SIZES: Final = (0, 1_000_000)
FULL: Final = (*SIZES, 10_000_000)


def measure(
    say: Callable[[str], None], rounds: int, for_s: float, generator: str, sizes: tuple[int, ...]
) -> dict[str, Any]:
    """All sizes in turn, several times over; each size's database goes on growing by what comes in."""
    found: dict[int, list[dict[str, float]]] = {size: [] for size in sizes}
    with tempfile.TemporaryDirectory(prefix="missedd-bench-") as name:
        daemons = {}
        for size in sizes:
            folder = Path(name) / str(size)
            folder.mkdir()
            daemons[size] = Daemon(folder, CAMPAIGN, free_port())
            say(f"growth: filling in {size:,} calls")
            stock(daemons[size], past=size)
        bytes_a_call = _bytes(daemons[max(sizes)]) / max(sizes)
        for n in range(1, rounds + 1):
            for size, daemon in daemons.items():
                say(f"growth, round {n} of {rounds}: {size:,} calls in the store")
                found[size].append(_round(daemon, for_s, generator))
    return {
        "generator": generator,
        "rounds": rounds,
        "mb_a_million_calls": round(bytes_a_call),
        "sizes": {
            str(size): {key: round(median(each[key] for each in rounds_of), 2) for key in rounds_of[0]}
            for size, rounds_of in found.items()
        },
    }


def _round(daemon: Daemon, for_s: float, generator: str) -> dict[str, float]:
    with daemon:
        ready_s = daemon.start()
        if daemon.running is None:
            raise AssertionError("started without a process")
        server = Server(daemon.running.pid, daemon.public_port)
        hammer(server, 1.0, generator)
        before_s = server.cpu_s()
        hammered = hammer(server, for_s, generator)
        cpu_us = (server.cpu_s() - before_s) / hammered.answered * 1e6
        if daemon.signal(signal.SIGTERM) or hammered.failed:
            raise RuntimeError(f"{hammered.failed} requests failed, or the daemon did not stop well")
    return {"rate": hammered.rate, "p99_ms": hammered.p99_ms, "cpu_us": cpu_us, "ready_s": ready_s}


def _bytes(daemon: Daemon) -> int:
    return daemon.config.with_name("missedd.db").stat().st_size
