"""A daemon with a million pending callbacks: how long its start takes, and how much memory it has.

    python -m tests.real.million [--pending 1000000]

Run by hand. All are due within the hour, so that the timers hold each of them.
"""

from __future__ import annotations

import argparse
import signal
import sqlite3
import tempfile
import time
from pathlib import Path

from missedd.clock import SystemClock, to_us
from tests.real.daemon import Daemon, free_port
from tests.real.peers import missed_call, post
from tests.store.database import MIGRATIONS

CAMPAIGN = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "20m", give_up_after = "3h" }
"""


def fill(path: Path, pending: int) -> None:
    """A database with `pending` calls, each owed a callback within the hour."""
    now_us = to_us(SystemClock().now())
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    scripts = sorted(MIGRATIONS.glob("*.sql"))
    for script in scripts:
        connection.executescript(script.read_text("utf-8"))
    connection.execute(f"PRAGMA user_version = {len(scripts)}")
    connection.execute("BEGIN")
    counted = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < :pending)"
    given = {"pending": pending, "now": now_us, "spread": 45 * 60_000_000 // pending}
    connection.execute(
        f"""{counted} INSERT INTO calls
            (id, call_sid, campaign, caller, exophone, called_at, received_at, verdict, reason, shape, fields)
            SELECT i, printf('%032x', i * 7919), 'shop', '+91' || (7000000000 + i), '+918047120001',
                   :now, :now, 'accepted', 'first-call', 'native', '{{}}' FROM n""",
        given,
    )
    connection.execute(
        f"""{counted} INSERT INTO actions (id, call_id, kind, campaign, number, exophone, state, reason, plan,
                                           base_at, due_at, expires_at, wake_at, created_at)
            SELECT i, i, 'callback', 'shop', '+91' || (7000000000 + i), '+918047120001', 'planned', 'owed',
                   'open', :now, :now + 600000000 + i * :spread, :now + 10800000000,
                   :now + 600000000 + i * :spread, :now FROM n""",
        given,
    )
    connection.execute("COMMIT")
    connection.close()


def resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no memory is told of {pid}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pending", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="missedd-million-") as folder,
        Daemon(Path(folder), CAMPAIGN, free_port()) as daemon,
    ):
        empty_s = daemon.start()
        assert daemon.running is not None
        empty_mb = resident_mb(daemon.running.pid)
        daemon.signal(signal.SIGTERM)
        database = daemon.config.with_name("missedd.db")
        for leftover in database.parent.glob("missedd.db*"):
            leftover.unlink()
        fill(database, arguments.pending)
        print(f"filled: {database.stat().st_size / 1e6:,.0f} MB")
        took_s = daemon.start()
        timers = daemon.events("daemon.started")[-1]["timers"]
        full_mb = resident_mb(daemon.running.pid)
        print(f"ready in {took_s:.1f} s (empty: {empty_s:.1f} s) with {timers:,} timers in memory")
        per_timer = (full_mb - empty_mb) * 1024 * 1024 / max(timers, 1)
        print(f"resident: {full_mb:.0f} MB (empty: {empty_mb:.0f} MB), {per_timer:.0f} bytes a timer")
        began = time.monotonic()
        assert post(daemon.public_port, missed_call("one-more", "09876543210")) == "200"
        print(f"one more call took {(time.monotonic() - began) * 1000:.1f} ms")
        time.sleep(10)
        print(f"resident after ten seconds: {resident_mb(daemon.running.pid):.0f} MB")
        assert daemon.signal(signal.SIGTERM) == 0


if __name__ == "__main__":
    main()
