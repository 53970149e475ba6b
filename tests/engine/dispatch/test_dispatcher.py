"""What is due goes out within the budget, is on record before it does, and its answer afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.core.policy import MessageClass
from missedd.core.reasons import Reason
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
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
from tests.engine.scene import EngineScene, Provider, scene, us

CALLBACKS = policy(campaign(callback=callback()))
THIRD_EXOPHONE = "+918047120009"


def number(index: int) -> str:
    return f"+9198{index:08}"


@asynccontextmanager
async def dispatching(
    stage: EngineScene,
    provider: Provider,
    lane: Lane = Lane.VOICE,
    *,
    budget: RateLimiter | None = None,
    in_flight: int = 20,
) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(
        lane=lane,
        store=stage.store,
        policy=stage.policy,
        clock=stage.clock,
        rng=stage.rng,
        log=stage.log,
        due_queue=stage.ready[lane],
        timers=stage.timers,
        send=provider.send,
        rate_limiter=budget,
        max_in_flight=in_flight,
        breakers=stage.upstream,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatcher.run)
        yield dispatcher
        nursery.cancel_scope.cancel()


async def test_the_attempt_is_committed_before_its_request_goes_out(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider):
            await stage.call()
            await trio.sleep(29.99)
            assert provider.requests == []
            await trio.sleep(1)
            assert provider.asked_at == pytest.approx([30], abs=0.001)
            assert provider.rows_at_request == [("attempting", None, us(30), 1, None)]
            assert await stage.actions("state, reason, provider_sid, wake_at") == [
                ("placed", "provider-accepted", "sid-1", us(30.3 + 180))
            ]
            assert await stage.attempts("number, result, provider_sid, finished_at") == [
                (1, "accepted", "sid-1", us(30.3))
            ]


# An answer, then the action's (state, outcome, reason), the attempt's result, and the requests in a minute.
ANSWERS: list[tuple[Answer, tuple[str, str | None, str], str]] = [
    (Accepted("abc"), ("placed", None, "provider-accepted"), "accepted"),
    (
        Refused(False, "400", Reason.PROVIDER_REFUSED, "bad number"),
        ("done", "refused", "provider-refused"),
        "refused",
    ),
    (Refused(False, "401", Reason.PROVIDER_AUTH), ("done", "expired", "too-old"), "refused"),
    (Refused(False, "403", Reason.DO_NOT_DISTURB), ("done", "refused", "do-not-disturb"), "refused"),
    (Unknown("read-timeout"), ("attempting", None, "reply-lost"), "unknown"),
    (Unknown("500"), ("attempting", None, "reply-lost"), "unknown"),
]


@pytest.mark.parametrize(("answer", "state", "result"), ANSWERS)
async def test_each_answer_leads_to_its_state_and_never_to_a_second_request(
    autojump_clock: MockClock, tmp_path: Path, answer: Answer, state: tuple[str, str | None, str], result: str
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage, [answer])
        async with dispatching(stage, provider):
            await stage.call()
            await trio.sleep(7200)
            assert await stage.actions() == [state]
            assert await stage.attempts() == [(1, 1, result)]
            assert len(provider.requests) == 1


async def test_a_lost_answer_is_left_to_a_look_up(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with (
        scene(tmp_path, CALLBACKS) as stage,
        dispatching(stage, Provider(stage, [Unknown("read-timeout")])),
    ):
        await stage.call()
        await trio.sleep(40)
        assert stage.ready[Lane.LOOKUP].due_ids() == {1}
        ((placed_at,),) = await stage.actions("placed_at")
        assert placed_at == us(30), "it may have rung, so it counts against the cap"


async def test_what_surely_did_not_ring_is_asked_again_until_it_is_taken(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    refusal = Refused(True, "connect-error", Reason.CONNECTION_FAILED)
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage, [refusal, refusal])
        async with dispatching(stage, provider):
            await stage.call()
            await trio.sleep(31)
            assert await stage.actions("state, reason, placed_at") == [("planned", "connection-failed", None)]
            await trio.sleep(60)
            assert await stage.actions() == [("placed", None, "provider-accepted")]
            assert [row[1:] for row in await stage.attempts()] == [
                (1, "refused"),
                (2, "refused"),
                (3, "accepted"),
            ]
            waits = [b - a for a, b in zip(provider.asked_at, provider.asked_at[1:], strict=False)]
            assert waits == sorted(waits)
            assert 2 <= waits[0] - 0.3 <= 2.4


async def test_a_provider_that_never_answers_yes_is_given_up_at_the_limit(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    refusal = Refused(True, "connect-error", Reason.CONNECTION_FAILED)
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage, [refusal] * 100)
        async with dispatching(stage, provider):
            await stage.call()
            await trio.sleep(3600)
            assert await stage.actions() == [("done", "expired", "too-old")]
            assert provider.asked_at[-1] <= 15 * 60
            assert await stage.actions("placed_at") == [(None,)]


async def test_a_register_that_forbids_calls_is_heeded_until_the_number_rings(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    provider_says = [Refused(False, "403", Reason.DO_NOT_DISTURB)]
    async with (
        scene(tmp_path, CALLBACKS) as stage,
        dispatching(stage, Provider(stage, provider_says)),
    ):
        await stage.call()
        await trio.sleep(40)
        assert await stage.rows("SELECT number, channel, source FROM suppressions") == [
            (CALLER, "calls", "provider")
        ]
        await trio.sleep(600)
        again = await stage.call("c2", stage.clock.now())
        assert again.admission.reason is Reason.FIRST_CALL
        assert await stage.rows("SELECT * FROM suppressions") == []


async def test_a_rate_limit_pauses_the_whole_lane(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage, [Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=60)])
        async with dispatching(stage, provider, budget=RateLimiter(60)):
            for index in range(5):
                await stage.call(f"c{index}", caller=number(index))
                await trio.sleep(1)
            await trio.sleep(55)
            # Those that were out already when the answer came are no matter; then it is quiet.
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


async def test_a_full_disk_at_the_claim_sends_nothing_and_recovers(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider, budget=RateLimiter(60)):
            await stage.call()
            stage.disk.is_full = True
            await trio.sleep(40.5)
            assert provider.requests == []
            assert await stage.attempts() == []
            assert stage.timers.pending_ids() == await stage.due_on_disk() == {1}
            stage.disk.is_full = False
            await trio.sleep(10)
            assert provider.asked_for == [1]
            assert await stage.actions() == [("placed", None, "provider-accepted")]


async def test_a_full_disk_at_the_record_forgets_nothing_and_doubles_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage, takes_s=5)
        async with dispatching(stage, provider):
            await stage.call()
            await trio.sleep(32)
            stage.disk.is_full = True
            await trio.sleep(60)
            assert await stage.actions("state, provider_sid") == [("attempting", None)]
            stage.disk.is_full = False
            await trio.sleep(60)
            assert await stage.actions("state, provider_sid") == [("placed", "sid-1")]
            assert len(provider.requests) == 1
            assert await stage.attempts() == [(1, 1, "accepted")]


async def test_a_clock_set_back_while_an_action_waits_its_turn_loses_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        budget = RateLimiter(60)
        budget.pause(40)
        provider = Provider(stage)
        async with dispatching(stage, provider, budget=budget):
            await stage.call()
            await trio.sleep(35)
            assert stage.ready[Lane.VOICE].due_ids() == {1}
            stage.clock.error = -minutes(10)
            await trio.sleep(60)
            assert provider.requests == []
            assert stage.timers.pending_ids() == await stage.due_on_disk() == {1}
            await trio.sleep(600)
            assert provider.asked_for == [1]


async def test_an_action_that_woke_twice_is_sent_once(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage)
        async with dispatching(stage, provider):
            await stage.call("c1", NOON - minutes(1))
            for _ in range(3):
                stage.ready[Lane.VOICE].add(us(-30), 1)
            await trio.sleep(5)
            stage.ready[Lane.VOICE].add(us(-30), 1)
            await trio.sleep(5)
            assert provider.asked_for == [1]


async def test_agents_take_turns_and_are_on_record_with_the_attempt(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    of = policy(campaign(callback=callback(flow=None, agents=AGENTS)))
    async with scene(tmp_path, of) as stage, dispatching(stage, Provider(stage)):
        for index in range(3):
            await stage.call(f"c{index}", caller=number(index))
            await trio.sleep(1)
        await trio.sleep(40)
        await stage.report_call_end(1, "completed")
        await stage.call("c3", caller=number(3))
        await trio.sleep(60)
        agents = await stage.rows("SELECT details ->> 'agent', details ->> 'first' FROM actions ORDER BY id")
        assert agents == [(each, "agent") for each in (*AGENTS, AGENTS[0])]


async def test_whoever_waits_for_the_end_of_a_call_goes_at_that_end(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """The outcome wakes it: nothing is asked again and again meanwhile."""
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
    """Two older ones, each with an agent that the next wants too, whose own timers have not fired yet."""
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


async def test_a_stop_claims_nothing_more_and_waits_for_what_is_out(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        provider = Provider(stage, takes_s=10)
        await stage.call("c1", NOON - minutes(1), caller=CALLER)
        await stage.call("c2", NOON - minutes(1) + seconds(35), caller=OTHER)
        async with dispatching(stage, provider) as dispatcher:
            await trio.sleep(1)
            dispatcher.stop()
            await trio.sleep(20)
            assert provider.asked_for == [1]
            assert [row[0] for row in await stage.actions()] == ["placed", "planned"]


@pytest.mark.parametrize("limit", [1, 2])
async def test_the_cap_holds_at_sending_whatever_was_planned(
    autojump_clock: MockClock, tmp_path: Path, limit: int
) -> None:
    """As many callbacks as the lower cap allows have ended in vain, and the caller has rung again since."""
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
