"""Expired actions are counted and logged once a minute, and are a trouble until the series is over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import trio
from trio.testing import MockClock

from missedd.core.model import Kind, Lane
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.alerts.expiry_alerts import GATHER_S, RESOLVED_AFTER_S, TROUBLE_THRESHOLD, ExpiryTroubles
from missedd.engine.dispatch.attempts import AttemptRecorder
from tests.core.campaigns import NOON, callback, campaign, minutes, policy
from tests.engine.scene import EngineScene, scene

CALLBACKS = policy(campaign(callback=callback(give_up_after=minutes(1))))


async def counting(stage: EngineScene, nursery: trio.Nursery) -> tuple[ExpiryTroubles, ActiveTroubles]:
    troubles = ActiveTroubles()
    expiries = ExpiryTroubles(troubles, stage.clock, stage.log)
    nursery.start_soon(expiries.run)
    await trio.sleep(0)
    return expiries, troubles


async def test_a_backlog_that_grows_too_old_is_one_warning_and_stands_for_an_hour(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """1,511 callbacks expire, as their lane was held for more than a minute."""
    async with scene(tmp_path, CALLBACKS) as stage, trio.open_nursery() as nursery:
        expiries, troubles = await counting(stage, nursery)
        attempts = AttemptRecorder(
            stage.store, stage.policy, stage.clock, stage.log, stage.timers, expiries.record_expired
        )
        for i in range(1511):
            await stage.call(f"c{i}", caller=f"+9198{i:08}")
        await trio.sleep(150)
        queue = stage.ready[Lane.VOICE]
        while len(queue):
            assert await attempts.claim(queue, queue.take(64), 64) is not None
        await trio.sleep(GATHER_S + 1)
        (line,) = stage.events("actions.expired")
        assert (line["level"], line["campaign"], line["count"]) == ("warning", "admissions", 1511)
        (trouble,) = troubles.active()
        assert (trouble.kind, trouble.subject) == (TroubleKind.EXPIRING, "admissions")
        assert trouble.since == NOON + timedelta(seconds=150)
        assert trouble.cause == "1,511 callbacks of admissions grew too old before their turn"
        await trio.sleep(RESOLVED_AFTER_S - 60)
        assert troubles.active() == [trouble]
        await trio.sleep(60 + GATHER_S)
        assert troubles.active() == []
        nursery.cancel_scope.cancel()


async def test_now_and_then_one_is_no_news(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage, trio.open_nursery() as nursery:
        expiries, troubles = await counting(stage, nursery)
        for _ in range(3 * TROUBLE_THRESHOLD):
            expiries.record_expired("admissions", Kind.CALLBACK)
            await trio.sleep(700)
        for _ in range(TROUBLE_THRESHOLD - 1):
            expiries.record_expired("admissions", Kind.CALLBACK)
        for _ in range(TROUBLE_THRESHOLD - 1):
            expiries.record_expired("sales", Kind.SMS)
        await trio.sleep(100)
        assert (troubles.active(), stage.events("actions.expired")) == ([], [])
        nursery.cancel_scope.cancel()


async def test_what_goes_on_is_told_once_a_minute_with_exact_counts(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """A slow series counts as a fast one does: three a minute are 180 an hour."""
    async with scene(tmp_path, CALLBACKS) as stage, trio.open_nursery() as nursery:
        expiries, troubles = await counting(stage, nursery)
        for second in range(600):
            if second % 20 == 0:
                expiries.record_expired("admissions", Kind.CALLBACK)
                expiries.record_expired("admissions", Kind.SMS)
            await trio.sleep(1)
        await trio.sleep(120)
        lines = stage.events("actions.expired")
        assert 9 <= len(lines) <= 11
        assert sum(line["count"] for line in lines) == lines[-1]["in_all"] == 60
        (trouble,) = troubles.active()
        assert trouble.cause == "30 callbacks and 30 SMS of admissions grew too old before their turn"
        assert trouble.since == NOON
        nursery.cancel_scope.cancel()


async def test_each_campaign_has_its_own_end(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage, trio.open_nursery() as nursery:
        expiries, troubles = await counting(stage, nursery)
        for name in ("admissions", "sales"):
            for _ in range(TROUBLE_THRESHOLD):
                expiries.record_expired(name, Kind.CALLBACK)
        await trio.sleep(1800)
        expiries.record_expired("sales", Kind.CALLBACK)
        await trio.sleep(1900)
        (trouble,) = troubles.active()
        assert trouble.cause.startswith("6 callbacks of sales")
        await trio.sleep(1800)
        assert troubles.active() == []
        # An expiry after that starts a new series.
        expiries.record_expired("sales", Kind.CALLBACK)
        await trio.sleep(60)
        assert troubles.active() == []
        nursery.cancel_scope.cancel()
