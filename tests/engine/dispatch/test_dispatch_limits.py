"""What delays requests: the rate limit, pauses, gates, the cap, and calls in progress."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.core.policy import MessageClass
from missedd.core.reasons import Reason
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.request_result import Refused
from missedd.store.admission.admit import admit
from missedd.store.people.suppressions import suppress
from tests.core.campaigns import (
    AGENTS,
    CALLER,
    EXOPHONE,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    ist,
    minutes,
    office,
    policy,
    seconds,
    sms,
)
from tests.engine.dispatch.scene import CALLBACKS, dispatching, number
from tests.engine.scene import Provider, scene, us

THIRD_EXOPHONE = "+918047120009"


async def test_a_rate_limit_pauses_the_whole_lane(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage, [Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=60)])
        async with dispatching(stage, provider, budget=RateLimiter(60)):
            for index in range(5):
                await stage.call(f"c{index}", caller=number(index))
                await trio.sleep(1)
            await trio.sleep(55)
            # Ignore the requests that were in flight when the answer came; after them there is none.
            early = [each for each in provider.asked_at if each < 60]
            assert len(early) == 1
            assert len(stage.events("budget.paused")) == 1
            await trio.sleep(60)
            assert len(provider.requests) == 6
            assert min(each for each in provider.asked_at if each > 60) >= 30.3 + 60
            assert {row[0] for row in await stage.actions()} == {"placed"}


async def test_a_budget_is_kept_in_every_minute(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        for index in range(40):
            await stage.call(f"c{index}", NOON - seconds(40 - index), caller=number(index))
        provider = Provider(stage)
        async with dispatching(stage, provider, budget=RateLimiter(10)):
            await trio.sleep(300)
        asked = provider.asked_at
        assert sorted(provider.asked_for) == list(range(1, 41))
        for one in asked:
            assert sum(one <= each < one + 60 for each in asked) <= 10


async def test_a_backlog_serves_the_freshest_and_closes_what_grew_too_old(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.calls()
        for index in range(10):
            await stage.call(f"c{index}", NOON - minutes(14) + seconds(index), caller=number(index))
        provider = Provider(stage)
        async with dispatching(stage, provider, budget=RateLimiter(2)):
            await trio.sleep(600)
        assert provider.asked_for[0] == 10
        assert provider.asked_for == sorted(provider.asked_for, reverse=True)
        outcomes = [row[1] for row in await stage.actions()]
        assert outcomes.count("expired") == 10 - len(provider.requests) > 5


async def test_no_more_requests_are_out_than_there_are_places(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        for index in range(25):
            await stage.call(f"c{index}", NOON - minutes(1), caller=number(index))
        provider = Provider(stage, takes_s=10)
        async with dispatching(stage, provider, in_flight=4):
            await trio.sleep(9)
            assert provider.in_flight == 4
            assert len(await stage.attempts()) == 4, "nothing is claimed that cannot go out at once"
            await trio.sleep(100)
        assert provider.max_in_flight == 4
        assert sorted(provider.asked_for) == list(range(1, 26))


async def test_the_gates_are_asked_again_just_before_sending(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider):
            await stage.call("c1", caller=CALLER)
            await stage.call("c2", caller=OTHER)
            unit = partial(
                suppress, number=CALLER, reason="asked", source="api", now=stage.clock.now(), until=None
            )
            await stage.store.write(unit)
            await trio.sleep(60)
            assert provider.asked_for == [2]
            assert (await stage.actions())[0] == ("done", "dropped", "suppressed-since")
            assert len(stage.events("action.closed")) == 1


async def test_what_a_gate_holds_goes_out_when_it_opens(autojump_clock: MockClock, tmp_path: Path) -> None:
    texts = policy(campaign(sms=sms(message_class=MessageClass.PROMOTIONAL)))
    async with scene(tmp_path, texts) as stage:
        provider = Provider(stage)
        stage.clock.error = ist("2026-11-23 20:59:59") - NOON
        await stage.call("c1")
        await trio.sleep(2)
        async with dispatching(stage, provider, Lane.SMS):
            await trio.sleep(6)
            assert await stage.actions("state, reason") == [("held", "quiet-hours")]
            assert len(stage.events("action.held")) == 1
            await trio.sleep(13 * 3600 + 10)
            assert [at for at, _ in provider.requests] == [ist("2026-11-24 10:00")]


async def test_deferred_callbacks_go_out_at_the_opening(autojump_clock: MockClock, tmp_path: Path) -> None:
    of = policy(campaign(callback=callback(), hours=office()))
    async with scene(tmp_path, of) as stage:
        stage.clock.error = ist("2026-11-23 22:00") - NOON
        provider = Provider(stage)
        async with dispatching(stage, provider, budget=RateLimiter(200)):
            for index in range(3):
                await stage.call(f"c{index}", caller=number(index))
            await trio.sleep(12 * 3600)
        assert len(provider.requests) == 3
        opening = ist("2026-11-24 09:30")
        assert all(timedelta(0) <= at - opening < seconds(2) for at, _ in provider.requests)


async def test_whoever_waits_for_the_end_of_a_call_goes_at_that_end(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """The outcome wakes the waiting action. Meanwhile the store is not polled."""
    of = policy(
        campaign(callback=callback()),
        campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=callback()),
    )
    async with scene(tmp_path, of) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider, budget=RateLimiter(60)):
            await stage.call("c1")
            await stage.call("c2", dialled=(SECOND_EXOPHONE,))
            await trio.sleep(77)
            assert len(provider.requests) == 1
            held = stage.events("action.held")
            assert [line["reason"] for line in held] == ["caller-being-rung"]
            (first,) = provider.asked_for
            await stage.report_call_end(first, "busy", "sid-1")
            await trio.sleep(1)
        assert sorted(provider.asked_for) == [1, 2]
        assert provider.asked_at == pytest.approx([30, 77], abs=0.01)


async def test_whoever_goes_first_in_its_stead_need_not_have_been_asked_for(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Two older callbacks, whose timers have not fired yet; each has an agent that the next one needs too."""
    first, second, _ = AGENTS
    of = policy(
        campaign(callback=callback(flow=None, agents=(second,))),
        campaign(
            name="care", exophones=(SECOND_EXOPHONE,), callback=callback(flow=None, agents=(second, first))
        ),
        campaign(name="shop", exophones=(THIRD_EXOPHONE,), callback=callback(flow=None, agents=(first,))),
    )
    async with scene(tmp_path, of) as stage:
        provider = Provider(stage)
        at = NOON - minutes(1)
        calls = [
            call(f"c{index}", at + seconds(index), caller=number(index), dialled=(exophone,))
            for index, exophone in enumerate((EXOPHONE, SECOND_EXOPHONE, THIRD_EXOPHONE))
        ]
        await stage.store.write(partial(admit, calls=calls, policy=of, received_at=NOON))
        async with dispatching(stage, provider, budget=RateLimiter(60)):
            stage.ready[Lane.VOICE].add(us(-28), 3)
            await trio.sleep(5)
            assert provider.asked_for[0] == 1
            assert len(provider.requests) == 2, "as many as there are agents"


@pytest.mark.parametrize("limit", [1, 2])
async def test_the_cap_holds_at_sending_whatever_was_planned(
    autojump_clock: MockClock, tmp_path: Path, limit: int
) -> None:
    """As many callbacks as the lower cap allows had no answer, and the caller has called again since."""
    of = campaign(callback=callback(max_per_hour=5), dedup_window=seconds(1))
    async with scene(tmp_path, policy(of)) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider):
            for index in range(limit):
                await stage.call(f"c{index}")
                await trio.sleep(40)
                await stage.report_call_end(index + 1, "no-answer")
            await trio.sleep(1)
            await stage.call("last")
        assert (await stage.actions("state, reason"))[-1] == ("planned", "owed")
        # The operator lowers the cap and starts the daemon again.
        stage.policy = policy(campaign(callback=callback(max_per_hour=limit), dedup_window=seconds(1)))
        async with dispatching(stage, provider):
            await trio.sleep(600)
        assert len(provider.requests) == limit
        assert (await stage.actions())[-1] == ("done", "dropped", "max-per-hour")
