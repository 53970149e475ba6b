"""A due action is claimed before its request is sent, and the answer is recorded afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from tests.core.campaigns import AGENTS, CALLER, NOON, OTHER, callback, campaign, minutes, policy, seconds
from tests.engine.dispatch.scene import CALLBACKS, dispatching, number
from tests.engine.scene import Provider, scene, us


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
