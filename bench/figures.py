"""The figures over a long history: a store is filled, a daemon started on it, and its API asked.

    python -m bench.figures --calls 10000000 --days 365

The daemon's own follower makes the summaries while it serves, as after an upgrade; how long that
takes is shown, then each range's answer: the whole API request, in milliseconds.
"""

from __future__ import annotations

import argparse
import io
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import trio
from rich.console import Console
from rich.table import Table

from bench.figures_fill import CAMPAIGNS, START_US, fill
from missedd.clock import SystemClock, from_us
from missedd.config import Settings, load_table
from missedd.core.grid import grid_of
from missedd.engine.engine import Engine, World, running_engine
from missedd.log import configure
from missedd.secrets import Secrets
from missedd.sites import private_site
from missedd.store.aio import aio_driver
from missedd.store.database import Database
from missedd.store.store import open_store
from missedd.store.summaries import next_bound, summary_of
from missedd.web.metrics import Metrics

LIMIT_MS = 200
TIMES = 5
TIMEZONE = "Asia/Kolkata"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.figures", description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--days", type=int, default=365, help="how many days the calls are spread over")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where the database stays, or already is")
    args = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="missedd-figures-") as folder:
        path = args.keep or Path(folder) / "missedd.db"
        return trio.run(partial(_run, path, args.calls, args.days))


async def _run(path: Path, calls: int, days: int) -> int:
    if not path.exists():
        async with aio_driver() as driver, open_store(driver, path, "a bench"):
            pass
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            began_s = time.perf_counter()
            fill(db, calls, days)
            print(f"filled with {calls:,} calls of {days} days in {time.perf_counter() - began_s:.0f} s")
    before = path.stat().st_size
    async with _daemon(path) as engine:
        began_s = time.perf_counter()
        while await engine.store.read(_is_behind):
            await trio.sleep(0.5)
        print(f"summaries made in {time.perf_counter() - began_s:.0f} s")
        worst = await _ask(engine, days)
    size = path.stat().st_size
    print(f"{size / calls * 1e6 / 1e9:.2f} GB a million calls, {(size - before) / size:.1%} of it summaries")
    print(f"the slowest answer took {worst:.0f} ms, allowed are {LIMIT_MS}")
    return int(worst > LIMIT_MS)


async def _is_behind(db: Database) -> bool:
    grid = grid_of(TIMEZONE)
    if await summary_of(db, grid) is None:
        return True  # the follower has not even begun
    return await next_bound(db, grid, SystemClock().now()) is not None


@asynccontextmanager
async def _daemon(path: Path) -> AsyncIterator[Engine]:
    log = configure(sys.stderr, now=SystemClock().now)
    secrets = Secrets("key", "token", "webhook-token-of-16", None)
    async with aio_driver() as driver:
        world = World(SystemClock(), Random(1), driver)  # noqa: S311 - jitter
        async with running_engine(
            _settings(path), secrets, world, log, "a bench", "http://127.0.0.1"
        ) as engine:
            yield engine


def _settings(path: Path) -> Settings:
    raw = {
        "timezone": TIMEZONE,
        "exotel": {"account_sid": "example1", "api_base": "http://127.0.0.1:9", "catch_up": False},
        "listen": {"public_url": "http://127.0.0.1"},
        "campaign": [
            {"name": name, "exophones": [f"+91804712000{i}"], "lead": {}} for i, name in enumerate(CAMPAIGNS)
        ],
    }
    return replace(load_table(raw, "", path.parent / "a bench"), store_path=path)


def _ranges(days: int) -> dict[str, dict[str, str]]:
    zone = ZoneInfo(TIMEZONE)
    start = from_us(START_US).astimezone(zone)
    end = start + timedelta(days=days)

    def period(since: datetime, until: datetime | None = None) -> dict[str, str]:
        return {"since": since.isoformat()} | ({} if until is None else {"until": until.isoformat()})

    odd = timedelta(hours=18, minutes=29, seconds=31)
    return {
        "all time": {},
        "all time, one campaign": {"campaign": CAMPAIGNS[0]},
        "the last 30 days": period(end - timedelta(days=30)),
        "a day": period(end - timedelta(days=9), end - timedelta(days=8)),
        "an evening hour, odd bounds": period(
            end - timedelta(days=9) + odd, end - timedelta(days=9, hours=-20)
        ),
        "all but the ends, odd bounds": period(start + odd, end - timedelta(days=1) + odd),
        "the same, one campaign": period(start + odd, end - timedelta(days=1) + odd)
        | {"campaign": CAMPAIGNS[1]},
        "half an hour": period(
            end - timedelta(days=9) + odd, end - timedelta(days=9) + odd + timedelta(minutes=30)
        ),
    }


async def _ask(engine: Engine, days: int) -> float:
    """The slowest of all answers, in milliseconds."""
    log = configure(io.StringIO(), now=SystemClock().now)
    app = private_site(engine, SystemClock(), TIMEZONE, log, Metrics(), lambda: None)
    client = app.test_client()
    table = Table(title="GET /api/v1/analytics, milliseconds")
    for column in ("range", "calls", "first", "median", "worst"):
        table.add_column(column, justify="left" if column == "range" else "right")
    worst = 0.0
    for name, query in _ranges(days).items():
        took = []
        for _ in range(TIMES):
            began_s = time.perf_counter()
            answer = await client.get(f"/api/v1/analytics?{urlencode(query)}")
            found = await answer.get_json()
            took.append((time.perf_counter() - began_s) * 1000)
        cells = (f"{each:.0f}" for each in (took[0], median(took), max(took)))
        table.add_row(name, f"{found['total_calls']:,}", *cells)
        worst = max(worst, *took)
    Console().print(table)
    return worst


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
