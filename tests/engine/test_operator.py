"""An operator's word is followed as soon as it is durable, even if whoever gave it has hung up."""

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
from missedd.core.policy import WebhookPolicy
from missedd.engine.operator import Operator
from missedd.operator_actions.actions import ResendParkedWebhooks, ResendWebhook
from missedd.operator_actions.campaigns import PauseCampaign, ResumeCampaign
from missedd.operator_actions.quarantine import ReleaseQuarantine
from missedd.store.actions.claims import claim
from missedd.store.actions.quarantine import start_quarantine
from tests.core.campaigns import callback, campaign, policy
from tests.engine.scene import EngineScene, scene

ME = Actor(Source.CLI)
BOTH = policy(campaign(callback=callback(), webhook=WebhookPolicy("https://crm.example.in/")))


def operator_of(stage: EngineScene) -> Operator:
    return Operator(stage.store, stage.policy, stage.clock, stage.log, stage.timers)


async def parked(stage: EngineScene) -> None:
    await stage.store.write(
        lambda db: db.execute(
            "UPDATE actions SET state = 'done', outcome = 'failed', wake_at = NULL WHERE kind = 'webhook'"
        )
    )


async def paused(stage: EngineScene) -> None:
    """The callback has come to its gate, and waits for the end of a pause."""
    await operator_of(stage).perform(ME, PauseCampaign("admissions", "a test", None))
    await trio.sleep(60)
    unit = partial(claim, ids=[2], policy=BOTH, now=stage.clock.now(), limit=1)
    stage.timers.add(each.timer for each in (await stage.store.write(unit)).stopped if each.timer)


async def restored(stage: EngineScene) -> None:
    await stage.store.write(partial(start_quarantine, now=stage.clock.now()))


type Deed = Callable[[Operator], Awaitable[object]]


@pytest.mark.parametrize(
    ("before", "deed", "lane"),
    [
        (parked, lambda it: it.perform(ME, ResendWebhook(1)), Lane.WEBHOOK),
        (parked, lambda it: it.perform(ME, ResendParkedWebhooks()), Lane.WEBHOOK),
        (paused, lambda it: it.perform(ME, ResumeCampaign("admissions")), Lane.VOICE),
        (restored, lambda it: it.perform(ME, ReleaseQuarantine()), Lane.VOICE),
    ],
)
async def test_what_an_operator_lets_go_goes_though_nobody_waits_for_the_answer(
    autojump_clock: MockClock,
    tmp_path: Path,
    before: Callable[[EngineScene], Awaitable[None]],
    deed: Deed,
    lane: Lane,
) -> None:
    async with scene(tmp_path, BOTH) as stage:
        await stage.call()
        await before(stage)
        await trio.sleep(60)
        stage.ready[lane].take(9)
        stage.disk.takes_s = 5
        with trio.move_on_after(1) as waiting:
            await deed(operator_of(stage))
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
