"""Retention: inactive numbers are erased, a few in each commit, and no other number is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Outcome
from missedd.engine.leader.retention import MAX_COMMIT_ROWS, ROUND_EVERY_S, Retention
from missedd.store.db.database import Database
from missedd.store.people.retention import erase_inactive
from tests.core.campaigns import CALLER, NOON, OTHER, THIRD, call, campaign, policy
from tests.engine.scene import EngineScene, scene

SHOP = policy(campaign(lead_source="missed_call"))
KEPT = timedelta(days=400)
LONG_AGO = NOON - timedelta(days=500)


@pytest.fixture(autouse=True)
def _idle_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests last for days of virtual time, so the clock is not checked every few seconds."""
    monkeypatch.setattr("missedd.engine.timing.clock_steps.CHECK_EVERY_S", ROUND_EVERY_S)


@asynccontextmanager
async def keeping(folder: Path, kept: timedelta = KEPT) -> AsyncIterator[EngineScene]:
    async with scene(folder, SHOP) as stage, trio.open_nursery() as nursery:
        nursery.start_soon(Retention(stage.store, kept, stage.clock, stage.log).run)
        yield stage
        nursery.cancel_scope.cancel()


async def long_ago(folder: Path, *callers: str) -> None:
    async with scene(folder, SHOP, LONG_AGO) as stage:
        await stage.calls(*(call(f"old-{each}", LONG_AGO, caller=each) for each in callers))


async def callers(stage: EngineScene) -> list[str]:
    return [caller for (caller,) in await stage.rows("SELECT DISTINCT caller FROM calls ORDER BY caller")]


async def test_who_was_silent_for_long_is_erased(tmp_path: Path, autojump_clock: MockClock) -> None:
    await long_ago(tmp_path, CALLER, OTHER)
    async with keeping(tmp_path) as stage:
        await stage.call("new", caller=OTHER)
        await trio.sleep(30)
        assert await callers(stage) == [OTHER, CALLER]
        await trio.sleep(60)
        assert await callers(stage) == [OTHER, "erased:1"]
        assert await stage.rows("SELECT number FROM leads ORDER BY id") == [("erased:1",), (OTHER,)]
        assert await stage.rows("SELECT cause FROM erasures") == [("retention",)]
        (line,) = stage.events("numbers.erased")
        assert line["count"] == 1
        assert CALLER[-4:] not in stage.lines.getvalue()


async def test_retention_counts_in_whole_days(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with keeping(tmp_path) as stage:
        await stage.call(at=stage.clock.now())
        stage.clock.error = KEPT - timedelta(hours=1)
        await stage.call("new", caller=OTHER)
        await trio.sleep(120)
        assert await callers(stage) == [OTHER, CALLER]
        stage.clock.error += timedelta(days=1)
        await stage.call("newer", caller=OTHER)
        await trio.sleep(ROUND_EVERY_S + 60)
        assert await callers(stage) == [OTHER, "erased:1"]


async def test_numbers_that_never_rang_are_found_too(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with scene(tmp_path, SHOP, LONG_AGO) as stage:

        async def mentioned(db: Database) -> None:
            await db.execute(
                """INSERT INTO verifications (id, number, campaign, exophone, created_at, expires_at, status,
                                              reason)
                   VALUES ('v', ?, 'shop', '', 0, 9, 'pending', 'awaiting-call')""",
                (CALLER,),
            )
            await db.execute(
                "INSERT INTO audit (at, source, deed, subject) VALUES (0, 'cli', 'number.suppressed', ?)",
                (OTHER,),
            )

        await stage.store.write(mentioned)
    async with keeping(tmp_path) as stage:
        await stage.call("new", caller=THIRD)
        await trio.sleep(90)
        assert await stage.rows("SELECT number FROM verifications") == [("erased:1",)]
        assert await stage.rows("SELECT subject FROM audit") == [("erased:2",)]


async def test_what_is_owed_is_waited_for(tmp_path: Path, autojump_clock: MockClock) -> None:
    await long_ago(tmp_path, CALLER)
    async with keeping(tmp_path) as stage:
        await stage.call("new", caller=OTHER)
        owed = "UPDATE actions SET state = 'held', outcome = NULL WHERE number = ?"
        await stage.store.write(lambda db: db.execute(owed, (CALLER,)))
        await trio.sleep(120)
        assert CALLER in await callers(stage)
        done = "UPDATE actions SET state = 'done', outcome = ? WHERE number = ?"
        await stage.store.write(lambda db: db.execute(done, (Outcome.EXPIRED, CALLER)))
        await trio.sleep(ROUND_EVERY_S)
        assert await callers(stage) == [OTHER, "erased:1"]


async def test_a_few_at_a_time(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("missedd.engine.leader.retention.READ_BATCH", 50)
    await long_ago(tmp_path, *(f"+91{n}" for n in range(9_000_000_000, 9_000_000_230)))
    commits: list[int] = []

    async def counting(db: Database, numbers: list[str], **others: object) -> int:
        commits.append(len(numbers))
        return await erase_inactive(db, numbers, **others)  # type: ignore[arg-type]

    monkeypatch.setattr("missedd.engine.leader.retention.erase_inactive", counting)
    async with keeping(tmp_path) as stage:
        await stage.call("new", caller=OTHER)
        await trio.sleep(120)
        assert len([each for each in await callers(stage) if each.startswith("erased:")]) == 230
        assert sum(commits) == 230
        assert max(commits) * 2 <= MAX_COMMIT_ROWS
        assert sum(each["count"] for each in stage.events("numbers.erased")) == 230


async def test_a_clock_that_is_years_ahead_erases_nobody(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with keeping(tmp_path) as stage:
        await stage.call()
        stage.clock.error = timedelta(days=4_000)
        await trio.sleep(2 * ROUND_EVERY_S)
        assert await callers(stage) == [CALLER]


async def test_a_campaign_that_has_ended_is_forgotten_in_time(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    month = timedelta(days=30)
    async with keeping(tmp_path, month) as stage:
        await stage.call()
        await trio.sleep((month - timedelta(hours=1)).total_seconds())
        assert await callers(stage) == [CALLER]
        await trio.sleep(2 * ROUND_EVERY_S)
        assert await callers(stage) == ["erased:1"]


async def test_time_goes_on_over_restarts_and_off_time_is_made_up_for(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    await long_ago(tmp_path, CALLER)
    # The last call was 500 days ago. It is kept for 400 days, of which the daemon runs for 8 x 50.
    for day in (0, 49):
        async with keeping(tmp_path) as stage:
            await trio.sleep(day * ROUND_EVERY_S + 90)
            assert await callers(stage) == [CALLER]
    async with keeping(tmp_path) as stage:
        await trio.sleep(3 * ROUND_EVERY_S)
        assert await callers(stage) == ["erased:1"]


async def test_calls_without_a_time_of_their_own_prove_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with keeping(tmp_path) as stage:
        await stage.call()
        stage.clock.error = timedelta(days=4_000, microseconds=1)
        for day in range(3):
            await stage.call(f"untimed-{day}", at=stage.clock.now(), caller=OTHER)
            await trio.sleep(ROUND_EVERY_S)
        assert await callers(stage) == [OTHER, CALLER]


async def test_a_full_disk_is_waited_for(tmp_path: Path, autojump_clock: MockClock) -> None:
    await long_ago(tmp_path, CALLER)
    async with keeping(tmp_path) as stage:
        await stage.call("new", caller=OTHER)
        stage.disk.is_full = True
        await trio.sleep(600)
        assert CALLER in await callers(stage)
        assert stage.events("store.commit_failed")[0]["unit"] == "retention"
        stage.disk.is_full = False
        await trio.sleep(90)
        assert await callers(stage) == [OTHER, "erased:1"]


async def test_an_empty_database_and_one_without_numbers(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with keeping(tmp_path) as stage:
        await trio.sleep(90)
        await stage.call("withheld", caller=None)
        await trio.sleep(ROUND_EVERY_S)
        assert stage.events("numbers.erased") == []
