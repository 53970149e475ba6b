"""The rollup worker: it rolls up old calls, does so soon in a burst, and recovers from a full disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.base.clock import from_us
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.analytics.time_buckets import BEFORE_US
from missedd.engine.leader.rollup_worker import RollupWorker
from missedd.store.reads.reader import load_analytics
from missedd.store.rollups.roll_up import CALLS_PER_BUCKET, LARGE_BUCKET_FACTOR
from tests.core.campaigns import CALLER, NOON, call, callback, campaign, policy
from tests.engine.scene import EngineScene, scene

INDIA = "Asia/Kolkata"
SHOP = policy(campaign(callback=callback()))


@asynccontextmanager
async def following(folder: Path) -> AsyncIterator[tuple[EngineScene, RollupWorker]]:
    async with scene(folder, SHOP) as stage, trio.open_nursery() as nursery:
        follower = RollupWorker(stage.store, hour_grid_for(INDIA), stage.clock, stage.log)
        nursery.start_soon(follower.run)
        yield stage, follower
        nursery.cancel_scope.cancel()


async def _until(stage: EngineScene) -> int:
    rows = await stage.rows("SELECT until_at FROM summary")
    return int(rows[0][0]) if rows else BEFORE_US


async def _ring(stage: EngineScene, calls: int, ago: timedelta = timedelta(0)) -> None:
    at = stage.clock.now() - ago
    numbers = range(10**9, 10**9 + calls)
    await stage.calls(
        *(call(f"{ago}-{i}", at + timedelta(microseconds=i), caller=f"+91{i}") for i in numbers)
    )


async def test_a_lone_call_is_folded_when_it_is_an_hour_old(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with following(tmp_path) as (stage, follower):
        await stage.call(caller=CALLER)
        follower.on_admitted()
        await trio.sleep(50 * 60)
        assert await _until(stage) == BEFORE_US
        await trio.sleep(25 * 60)
        assert NOON < from_us(await _until(stage)) < NOON + timedelta(minutes=15)


async def test_in_a_rush_full_stretches_are_folded_at_once(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with following(tmp_path) as (stage, follower):
        await trio.sleep(90)
        for _ in range(3):
            await _ring(stage, CALLS_PER_BUCKET, ago=timedelta(seconds=trio.current_time() % 7))
            for _call in range(CALLS_PER_BUCKET):
                follower.on_admitted()
            await trio.sleep(3)
        await trio.sleep(40)
        found = await stage.store.read(
            partial(
                load_analytics, campaign=None, since=None, until=from_us(await _until(stage)), timezone=INDIA
            )
        )
        assert found.total_calls >= 2 * CALLS_PER_BUCKET


async def test_what_is_far_behind_is_made_at_the_start_and_told(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("missedd.engine.leader.rollup_worker.LOG_EVERY_S", 0.0)
    async with scene(tmp_path, SHOP) as stage:
        for days in range(3):
            await _ring(stage, LARGE_BUCKET_FACTOR * CALLS_PER_BUCKET, ago=timedelta(days=2, hours=days))
    async with following(tmp_path) as (stage, _):
        await trio.sleep(60)
        assert NOON - timedelta(hours=2) < from_us(await _until(stage)) < NOON
        behind = [each["until"] for each in stage.events("summaries.behind")]
        assert behind == sorted(behind)
        assert len(behind) >= 2
        assert stage.events("summaries.caught_up")[0]["folds"] == len(behind) + 1


async def test_a_full_disk_is_waited_for(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with following(tmp_path) as (stage, _):
        await trio.sleep(1)
        await _ring(stage, 3, ago=timedelta(hours=5))
        stage.disk.is_full = True
        await trio.sleep(1200)
        assert await _until(stage) == BEFORE_US
        assert stage.events("store.commit_failed")[0]["unit"] == "summaries"
        stage.disk.is_full = False
        await trio.sleep(120)
        assert await _until(stage) > BEFORE_US
