"""How long a figure takes over a long history: a store is filled, a daemon runs on it, its API is asked.

The daemon's own follower makes the summaries while it serves, as after an upgrade. Times are those of
the whole request to the private site, whatever its range.
"""

from __future__ import annotations

import io
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import trio

from bench.figures_fill import CAMPAIGNS, START_US, fill
from missedd.base.clock import SystemClock, from_us
from missedd.config.loader import Settings, load_settings_table
from missedd.config.secrets import Secrets
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.daemon.apps import build_private_site
from missedd.engine.build import Engine
from missedd.engine.engine import running_engine
from missedd.engine.environment import Environment
from missedd.log.logger import Logger, create_logger
from missedd.store.reads.reader import ReadOnlyDatabase
from missedd.store.rollups.roll_up import is_rollup_due
from missedd.store.rollups.state import load_rollup_state
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.store.store import open_store
from missedd.web.private.metrics import Metrics

LIMIT_MS: Final = 200
TIMES: Final = 7
TIMEZONE: Final = "Asia/Kolkata"
ZONE: Final = ZoneInfo(TIMEZONE)
ODD: Final = timedelta(hours=18, minutes=29, seconds=31)
"""In the busiest hour, and as far from a full one as can be."""

type Say = Callable[[str], None]


def measure(calls: int, days: int, say: Say) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="missedd-figures-") as folder:
        return trio.run(_measure, Path(folder) / "missedd.db", calls, days, say)


async def _measure(path: Path, calls: int, days: int, say: Say) -> dict[str, Any]:
    log = create_logger(io.StringIO(), now=SystemClock().now)
    async with aio_driver() as driver, open_store(driver, path, "a bench"):
        pass  # which makes the schema
    say(f"figures: filling a store with {calls:,} calls of {days} days")
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        fill(db, calls, days)
    bare = path.stat().st_size
    async with _daemon(path, log) as engine:
        began_s = time.perf_counter()
        while (until := await engine.store.read(_until)) is not None:
            say(f"figures: the summaries are made, up to {until} by now")
            await trio.sleep(15)
        took_s = time.perf_counter() - began_s
        ranges = await _ask(engine, days, log, say)
    size = path.stat().st_size
    return {
        "about": f"{calls:,} calls of {days} days in {len(CAMPAIGNS)} campaigns",
        "limit_ms": LIMIT_MS,
        "ranges": ranges,
        "summaries_made_in_s": round(took_s),
        "gb_per_million_calls": round(size / calls / 1000, 2),
        "summaries_share": round((size - bare) / size, 3),
    }


@asynccontextmanager
async def _daemon(path: Path, log: Logger) -> AsyncIterator[Engine]:
    secrets = Secrets("key", "token", "webhook-token-of-16", None)
    async with aio_driver() as driver:
        world = Environment(SystemClock(), Random(1), driver)
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
    return replace(load_settings_table(raw, "", path.parent / "a bench"), store=path)


async def _until(db: ReadOnlyDatabase) -> datetime | str | None:
    """Up to when there are summaries; None once they are as far as they shall be."""
    grid = hour_grid_for(TIMEZONE)
    summary = await load_rollup_state(db, grid)
    if summary is None:
        return "nothing"
    if not await is_rollup_due(db, grid, SystemClock().now()):
        return None
    return from_us(summary.until_us).astimezone(ZONE) if summary.until_us > 0 else "nothing"


def _ranges(days: int) -> dict[str, dict[str, str]]:
    start = from_us(START_US).astimezone(ZONE)
    end = start + timedelta(days=days)

    def period(since: datetime, until: datetime | None = None) -> dict[str, str]:
        return {"since": since.isoformat()} | ({} if until is None else {"until": until.isoformat()})

    some_day = end - timedelta(days=9)
    one, other = {"campaign": CAMPAIGNS[0]}, {"campaign": CAMPAIGNS[1]}
    nearly_all = period(start + ODD, end - timedelta(days=1) + ODD)
    return {
        "all time": {},
        "all time, one campaign": one,
        "the last 30 days": period(end - timedelta(days=30)),
        "a day": period(some_day, some_day + timedelta(days=1)),
        "half an evening hour": period(some_day + ODD, some_day + ODD + timedelta(minutes=30)),
        "odd bounds, nearly all": nearly_all,
        "odd bounds, one campaign": nearly_all | other,
        "odd bounds, 40 days": period(end - timedelta(days=41) + ODD, end - timedelta(days=1) + ODD),
    }


async def _ask(engine: Engine, days: int, log: Logger, say: Say) -> dict[str, dict[str, float]]:
    client = build_private_site(engine, SystemClock(), TIMEZONE, log, Metrics(), lambda: None).test_client()
    found: dict[str, dict[str, float]] = {}
    for name, query in _ranges(days).items():
        say(f"figures: asking for {name}")
        took_ms: list[float] = []
        for _ in range(TIMES):
            began_s = time.perf_counter()
            answer = await client.get(f"/api/v1/analytics?{urlencode(query)}")
            told = await answer.get_json()
            took_ms.append(round((time.perf_counter() - began_s) * 1000, 1))
        found[name] = {
            "calls": told["total_calls"],
            "first_ms": took_ms[0],
            "median_ms": median(took_ms),
            "worst_ms": max(took_ms),
        }
    return found
