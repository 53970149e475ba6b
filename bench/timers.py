"""How late callbacks leave, with a hundred thousand timers pending: in quiet, and while calls come in.

Lateness is from the due instant in the database to the request's arrival at the provider. So it
holds the timer, the claim with its fsync, and the request on its way.
"""

from __future__ import annotations

import signal
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

from bench.ingest import CAMPAIGN
from bench.provider import Provider, running
from bench.rig import Server, load
from bench.stock import stock
from tests.real.daemon import Daemon

PENDING: Final = 100_000
DUE: Final = 400
WITHIN_S: Final = 16.0
SOON_S: Final = 6.0
"""From the writing to the first due instant: the daemon is ready by then."""

BUDGET: Final = 60_000
"""Calls a minute: the provider's budget is what usually keeps a callback waiting, and not the subject."""


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    return {
        "pending": PENDING,
        "due": DUE,
        "quiet": _late_ms(say, "in quiet", incoming=None),
        "busy": _late_ms(say, "200 calls a second coming in", incoming=200),
    }


def _late_ms(say: Callable[[str], None], about: str, incoming: int | None) -> dict[str, Any]:
    say(f"timers: {DUE} callbacks fall due among {PENDING:,}, {about}")
    with (
        running() as provider,
        tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder,
        Daemon(Path(folder), CAMPAIGN, provider.port) as daemon,
    ):
        written = daemon.config.read_text("utf-8")
        daemon.config.write_text(written.replace("_per_minute = 6000", f"_per_minute = {BUDGET}"), "utf-8")
        stock(daemon, pending=PENDING)
        due_at = _bring_forward(daemon)
        daemon.start()
        if daemon.running is None:
            raise AssertionError("started without a process")
        if incoming:
            server = Server(daemon.running.pid, daemon.public_port)
            load(server, "--rate", str(incoming), "--for", f"{SOON_S + WITHIN_S:g}")
        late_ms = _awaited(provider, due_at)
        if daemon.signal(signal.SIGTERM):
            raise RuntimeError("the daemon did not stop well")
    at = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
    return {
        "about": about,
        "late_ms": {name: round(late_ms[int(share * len(late_ms))], 2) for name, share in at.items()}
        | {"max": round(late_ms[-1], 2)},
    }


def _bring_forward(daemon: Daemon) -> dict[str, float]:
    """Let some of the callbacks fall due soon, at no regular interval: by number, when."""
    rng = Random(1)
    soon_us = int((time.time() + SOON_S) * 1e6)
    due_us = sorted(soon_us + int(rng.uniform(0, WITHIN_S) * 1e6) for _ in range(DUE))
    connection = sqlite3.connect(daemon.config.with_name("missedd.db"), isolation_level=None)
    ids = [each[0] for each in connection.execute("SELECT id FROM actions ORDER BY number LIMIT ?", (DUE,))]
    connection.execute("BEGIN")
    connection.executemany(
        "UPDATE actions SET due_at = ?1, wake_at = ?1 WHERE id = ?2", zip(due_us, ids, strict=True)
    )
    connection.execute("COMMIT")
    found = connection.execute(
        "SELECT number, due_at FROM actions WHERE due_at BETWEEN ? AND ?", (soon_us, due_us[-1])
    ).fetchall()
    connection.close()
    return {number: at_us / 1e6 for number, at_us in found}


def _awaited(provider: Provider, due_at: dict[str, float]) -> list[float]:
    """Each callback's lateness in milliseconds, the smallest first."""
    give_up_at = max(due_at.values()) + 30
    while len(provider.asked_at) < len(due_at):
        if time.time() > give_up_at:
            raise RuntimeError(f"{len(due_at) - len(provider.asked_at)} callbacks never left")
        time.sleep(0.1)
    late = [(provider.asked_at[number] - at) * 1000 for number, at in due_at.items()]
    if min(late) < 0:
        raise RuntimeError("a callback left before it was due")
    return sorted(late)
