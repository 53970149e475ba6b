"""An operator's change takes effect once it is durable, even if the client has disconnected."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.audit import Actor, Source
from missedd.core.model import Lane
from missedd.core.people.leads import LeadStatus
from missedd.core.policy import WebhookPolicy
from missedd.engine.operator import Operator
from missedd.operator_actions.actions import ResendParkedWebhooks, ResendWebhook
from missedd.operator_actions.campaigns import PauseCampaign, ResumeCampaign
from missedd.operator_actions.description import OperatorChange
from missedd.operator_actions.leads import MarkLead
from missedd.operator_actions.numbers import Suppress, Unsubscribe, Unsuppress
from missedd.operator_actions.quarantine import ReleaseQuarantine
from missedd.store.actions.claims import claim
from missedd.store.actions.quarantine import start_quarantine
from tests.core.campaigns import CALLER, callback, campaign, policy
from tests.engine.scene import EngineScene, scene

ME = Actor(Source.CLI)
BOTH = policy(campaign(callback=callback(), webhook=WebhookPolicy("https://crm.example.in/")))


def operator_of(stage: EngineScene) -> Operator:
    return Operator(stage.store, stage.policy, stage.clock, stage.log, stage.timers.add)


async def parked(stage: EngineScene) -> None:
    await stage.store.write(
        lambda db: db.execute(
            "UPDATE actions SET state = 'done', outcome = 'failed', wake_at = NULL WHERE kind = 'webhook'"
        )
    )


async def paused(stage: EngineScene) -> None:
    """The callback has reached its gate, and waits for the end of a pause."""
    await operator_of(stage).perform(ME, PauseCampaign("admissions", "a test", None))
    await trio.sleep(60)
    unit = partial(claim, ids=[2], policy=BOTH, now=stage.clock.now(), limit=1)
    stage.timers.add(each.timer for each in (await stage.store.write(unit)).stopped if each.timer)


async def restored(stage: EngineScene) -> None:
    await stage.store.write(partial(start_quarantine, now=stage.clock.now()))


@pytest.mark.parametrize(
    ("before", "change", "lane"),
    [
        (parked, ResendWebhook(1), Lane.WEBHOOK),
        (parked, ResendParkedWebhooks(), Lane.WEBHOOK),
        (paused, ResumeCampaign("admissions"), Lane.VOICE),
        (restored, ReleaseQuarantine(), Lane.VOICE),
    ],
)
async def test_what_an_operator_lets_go_goes_though_nobody_waits_for_the_answer(
    autojump_clock: MockClock,
    tmp_path: Path,
    before: Callable[[EngineScene], Awaitable[None]],
    change: OperatorChange[object],
    lane: Lane,
) -> None:
    async with scene(tmp_path, BOTH) as stage:
        await stage.call()
        await before(stage)
        await trio.sleep(60)
        stage.ready[lane].take(9)
        stage.disk.takes_s = 5
        with trio.move_on_after(1) as waiting:
            await operator_of(stage).perform(ME, change)
        assert waiting.cancelled_caught
        await trio.sleep(10)
        assert len(stage.ready[lane]) == 1
        assert len(stage.events("operator.acted")) >= 1


async def test_a_pauses_end_is_looked_for_though_nobody_waited(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, BOTH) as stage:
        await stage.call()
        await paused(stage)
        stage.ready[Lane.VOICE].take(9)
        until = stage.clock.now() + timedelta(minutes=3)
        stage.disk.takes_s = 5
        with trio.move_on_after(1):
            await operator_of(stage).perform(ME, PauseCampaign("admissions", "for three minutes", until))
        await trio.sleep(200)
        assert len(stage.ready[Lane.VOICE]) == 1


@pytest.mark.parametrize(
    ("change", "subject", "log"),
    [
        (Suppress(CALLER, "asked", None), CALLER, {"number": "…3210"}),
        (MarkLead(1, LeadStatus.CONTACTED), "1", {"lead": 1, "status": "contacted"}),
        (PauseCampaign("admissions", "lunch", None), "admissions", {"campaign": "admissions"}),
        (ReleaseQuarantine(drop=True), "database", {}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, OperatorChange) else "",
)
async def test_change_is_in_the_audit_record_and_in_the_log_by_the_same_name(
    autojump_clock: MockClock,
    tmp_path: Path,
    change: OperatorChange[object],
    subject: str,
    log: dict[str, object],
) -> None:
    async with scene(tmp_path, policy(campaign(callback=callback(), lead_source="missed_call"))) as stage:
        await stage.call()
        await operator_of(stage).perform(ME, change)
        assert await stage.rows("SELECT source, deed, subject FROM audit") == [
            ("cli", change.audit_action, subject)
        ]
        (line,) = stage.events("operator.acted")
        assert {"deed": change.audit_action, "source": "cli"} | log == {
            name: line[name] for name in ("deed", "source", *log)
        }


@pytest.mark.parametrize(
    "change",
    [
        Unsuppress(CALLER),
        Unsubscribe("news", CALLER),
        MarkLead(7, LeadStatus.NEW),
        ResumeCampaign("admissions"),
    ],
    ids=lambda change: type(change).__name__,
)
async def test_change_of_nothing_leaves_no_record(
    autojump_clock: MockClock, tmp_path: Path, change: OperatorChange[bool]
) -> None:
    async with scene(tmp_path, BOTH) as stage:
        assert await operator_of(stage).perform(ME, change) is False
        assert await stage.rows("SELECT * FROM audit") == []
        assert stage.events("operator.acted") == []
