"""How long lookups are repeated, and how much of the rate limit they use."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted
from missedd.store.actions.claims import claim
from tests.core.campaigns import SECOND_EXOPHONE, callback, campaign, policy
from tests.engine.reconciliation.scene import FLOW, Exotel, attempted, lost, missed, reconciling
from tests.engine.scene import EngineScene, scene


async def test_a_provider_without_a_list_ends_the_search_within_its_bound(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.status = 404
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(3600)
        assert await stage.actions() == [("done", "unknown", "not-found")]
        assert exotel.asked == ["Calls.json"] * 4


async def test_a_provider_that_stays_away_is_not_waited_for_more_than_a_day(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.is_down = True
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(timedelta(hours=24).total_seconds())
        assert await stage.actions("state") == [("attempting",)]
        await trio.sleep(3600)
        assert await stage.actions() == [("done", "unknown", "not-found")]


async def test_many_lost_answers_ask_a_provider_that_is_away_no_more_often_than_one(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.is_down = True
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        for n in range(20):
            await lost(stage, f"c{n}", caller=f"+9198000000{n:02}")
        await trio.sleep(600)
        assert len(exotel.asked) <= 600 / 30 + 1
        exotel.is_down = False
        await trio.sleep(7200)
        assert set(await stage.actions()) == {("done", "unknown", "not-found")}


async def test_a_429_at_a_look_up_pauses_the_budget(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    exotel.status = 429
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(20)
        exotel.status = None
        exotel.call("out-1")
        await trio.sleep(60)
        assert await stage.actions("state, looks") == [("placed", 0)]
        assert exotel.asked == ["Calls.json"] * 2


BOTH = policy(
    campaign(callback=callback()),
    campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=callback()),
)


async def waited_for(stage: EngineScene, index: int) -> tuple[int, int]:
    """A caller's placed callback, and the same caller's next one, which waits for its end; both ids."""
    caller = f"+9198000001{index:02}"
    (first,) = await stage.calls(missed(f"a{index}", caller=caller))
    (second,) = await stage.calls(missed(f"b{index}", caller=caller, dialled=(SECOND_EXOPHONE,)))
    out, waits = first.timers[0].action_id, second.timers[0].action_id
    await attempted(stage, out, Accepted(f"out-{index}"))
    unit = partial(claim, ids=[waits], policy=stage.policy, now=stage.clock.now(), limit=1)
    claims = await stage.store.write(unit)
    assert [stopped.reason for stopped in claims.stopped] == [Reason.CALLER_BEING_RUNG]
    stage.timers.add(claims.other_timers)
    return out, waits


async def test_an_end_that_somebody_waits_for_is_learnt_soon_though_no_report_comes(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, BOTH) as stage, reconciling(stage, exotel):
        out, waits = await waited_for(stage, 1)
        exotel.call("out-1", From="+919800000101")
        await trio.sleep(61)
        assert exotel.asked == ["out-1.json"]
        exotel.end("out-1", "no-answer")
        await trio.sleep(60)
        assert exotel.asked == ["out-1.json"] * 2
        assert (await stage.actions("state, outcome"))[out - 1] == ("done", "no-answer")
        assert waits in stage.ready[Lane.VOICE].due_ids(), "it is due at once"


async def test_early_lookups_take_at_most_a_quarter_of_the_budget(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Calls in progress: the other actions are looked up later, and none is forgotten."""
    exotel = Exotel()
    async with scene(tmp_path, BOTH) as stage, reconciling(stage, exotel, per_minute=8):
        for index in range(6):
            await waited_for(stage, index)
            exotel.call(f"out-{index}", From=f"+9198000001{index:02}")
        await trio.sleep(59)
        assert exotel.asked == []
        await trio.sleep(59)
        assert len(exotel.asked) == 2
        await trio.sleep(61)
        assert len(exotel.asked) <= 5
        await trio.sleep(300)
        assert set(exotel.asked) == {f"out-{index}.json" for index in range(6)}
