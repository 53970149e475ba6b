"""A lane in trouble: the lane is held, probed by one request at a time, and released; the alerts about it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.dispatch.lane_probes import LaneProbes
from missedd.engine.leadership.term import Term
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.exotel.client import ExotelAccount, ExotelClient, new_exotel_client
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from tests.core.campaigns import callback, campaign, minutes, policy, sms
from tests.engine.scene import EngineScene, Provider, scene

UNREACHED = Refused(True, "connect-error", Reason.CONNECTION_FAILED, "the name is not resolved")
UNAUTHORISED = Refused(False, "401:34010", Reason.PROVIDER_AUTH, "Authentication failed")
BROKE = Refused(False, "403:40001", Reason.ACCOUNT_PROBLEM, "Insufficient balance")
THROTTLED = Refused(True, "503", Reason.RATE_LIMITED, "Service Unavailable")
ERROR = Unknown("500", Reason.REPLY_LOST, "Internal Server Error")

CALLBACKS = policy(campaign(callback=callback()))
PATIENT = policy(campaign(callback=callback(give_up_after=minutes(600))))
TEXTS = policy(campaign(sms=sms()))


def number(index: int) -> str:
    return f"+9198{index:08}"


class LookUps:
    """Answers lookups with these statuses, then with 200."""

    def __init__(self, statuses: Iterable[int] = ()) -> None:
        self._statuses = list(statuses)
        self.asked_at: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked_at.append(trio.current_time())
        status = self._statuses.pop(0) if self._statuses else 200
        return httpx.Response(status, json={"Metadata": {"NextPageUri": None}, "Calls": []})


@asynccontextmanager
async def lane_of(
    stage: EngineScene,
    answers: Iterable[Answer],
    lane: Lane = Lane.VOICE,
    look_ups: LookUps | None = None,
    budget: RateLimiter | None = None,
) -> AsyncIterator[Provider]:
    provider, budget = Provider(stage, answers), budget or RateLimiter(200)
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
        max_in_flight=20,
        breakers=stage.upstream,
        term=Term(1),
    )
    async with new_exotel_client(httpx.MockTransport(look_ups or LookUps())) as http:
        client = ExotelClient(
            http, ExotelAccount("example1", "https://exotel.example", "k", "t"), stage.clock
        )
        probes = LaneProbes(
            lane=lane,
            store=stage.store,
            clock=stage.clock,
            breakers=stage.upstream,
            client=client,
            rate_limiter=budget,
            dispatcher=dispatcher,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dispatcher.run, probes.run)
            yield provider
            dispatcher.stop()
            nursery.cancel_scope.deadline = trio.current_time() + 60


def waits(provider: Provider) -> list[float]:
    """Seconds from each answer to the next request."""
    return [round(b - a - 0.3, 2) for a, b in zip(provider.asked_at, provider.asked_at[1:], strict=False)]


async def test_after_three_in_a_row_it_waits_for_a_probe_and_everything_goes_on(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage, lane_of(stage, [UNREACHED] * 6) as provider:
        for index in range(3):
            await stage.call(f"c{index}", caller=number(index))
        await trio.sleep(32)
        assert stage.upstream.hold_reason(Lane.VOICE) is Reason.PROVIDER_UNREACHABLE
        assert stage.upstream.hold_reason(Lane.SMS) is None, "the SMS may find another way"
        assert set(await stage.actions()) <= {
            ("held", None, "provider-unreachable"),
            ("planned", None, "connection-failed"),
        }
        await trio.sleep(4)
        assert await stage.actions() == [("held", None, "provider-unreachable")] * 3
        assert await stage.due_on_disk() == {1, 2, 3}, "each is looked at again as it grows too old"
        await trio.sleep(76)
        assert waits(provider)[2:6] == [5, 10, 20, 40]
        assert await stage.actions("state") == [("placed",)] * 3
        assert [len({*provider.asked_for[first : first + 3]}) for first in (0, 3)] == [3, 3], "each in turn"
        assert stage.upstream.hold_reason(Lane.VOICE) is None


async def test_who_needs_to_know_is_told(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, PATIENT) as stage, lane_of(stage, [UNREACHED] * 14):
        await stage.call()
        await trio.sleep(45)
        (told,) = stage.events("provider.unreachable")
        assert (told["level"], told["lane"], told["reason"]) == ("error", "voice", "provider-unreachable")
        (trouble,) = stage.troubles.active()
        assert (trouble.kind, trouble.subject) == (TroubleKind.PROVIDER_UNREACHABLE, "voice")
        assert trouble.cause == (
            "Exotel cannot be reached for calls (connect-error, the name is not resolved)"
        )
        assert "DNS" in trouble.remedy
        await trio.sleep(15)
        assert stage.troubles.active()[0].tries == 5, "three before it, and two probes"
        await trio.sleep(600)
        assert [line.get("tries") for line in stage.events("provider.unreachable")] == [None, 10]
        (over,) = stage.events("provider.reachable")
        assert (over["level"], over["lane"], over["tries"]) == ("info", "voice", 11)
        assert 555 < over["lasted_s"] < 560
        assert stage.troubles.active() == []


@pytest.mark.parametrize(("refusal", "reason"), [(UNAUTHORISED, "provider-auth"), (BROKE, "account-problem")])
async def test_the_first_refusal_of_the_account_holds_both_lanes_and_closes_nothing(
    autojump_clock: MockClock, tmp_path: Path, refusal: Refused, reason: str
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage, lane_of(stage, [refusal] * 2) as provider:
        await stage.call("a")
        await trio.sleep(1)
        await stage.call("b", caller=number(1))
        await trio.sleep(33)
        assert await stage.actions() == [("held", None, reason)] * 2
        assert [stage.upstream.hold_reason(lane) for lane in Lane] == [reason, reason, None, None]
        assert len(stage.events("provider.refuses")) == 1
        assert [(each.kind, each.subject) for each in stage.troubles.active()] == [
            (TroubleKind.PROVIDER_REFUSES, "sms"),
            (TroubleKind.PROVIDER_REFUSES, "voice"),
        ]
        await trio.sleep(30)
        assert waits(provider)[:2] == [5, 10]
        assert await stage.actions("state") == [("placed",)] * 2
        assert stage.upstream.hold_reason(Lane.SMS) is None, (
            "no SMS was refused, and perhaps none is ever sent"
        )
        assert stage.upstream.is_on_probation(Lane.SMS), "the account may call and not text"
        assert len(stage.events("provider.reachable")) == 1
        assert stage.troubles.active() == []


async def test_a_lane_that_was_refused_itself_waits_for_an_order_of_its_own(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        for lane in (Lane.VOICE, Lane.SMS):
            stage.upstream.record_answer(lane, UNAUTHORISED, trio.current_time())
        await trio.sleep(6)
        stage.upstream.record_answer(Lane.SMS, UNAUTHORISED, trio.current_time())
        stage.upstream.record_answer(Lane.VOICE, Accepted("abc"), trio.current_time())
        assert stage.upstream.hold_reason(Lane.VOICE) is None
        assert stage.upstream.hold_reason(Lane.SMS) is Reason.PROVIDER_AUTH, (
            "the account may call and not text"
        )
        assert stage.events("provider.reachable") == [], "it is over once both go on"


@pytest.mark.parametrize("failure", [UNREACHED, UNAUTHORISED])
async def test_what_is_ahead_of_a_clock_that_was_set_back_is_no_probe(
    autojump_clock: MockClock, tmp_path: Path, failure: Refused
) -> None:
    async with scene(tmp_path, PATIENT) as stage, lane_of(stage, [failure] * 4) as provider:
        for index in range(3):
            await stage.call(f"c{index}", caller=number(index))
        await trio.sleep(36)
        assert await stage.actions("state") == [("held",)] * 3
        stage.clock.error = -minutes(30)
        asked, waiting = len(provider.requests), len(stage.timers)
        await trio.sleep(600)
        assert len(provider.requests) == asked
        assert len(stage.timers) <= waiting + 3, "what cannot go is not judged again and again"
        await trio.sleep(1500)
        assert await stage.actions("state") == [("placed",)] * 3


async def test_what_is_held_expires_by_its_own_rule_and_spends_nothing(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        budget = RateLimiter(8)
        async with lane_of(stage, [UNAUTHORISED] * 99, budget=budget) as provider:
            for index in range(40):
                await stage.call(f"c{index}", caller=number(index))
            await trio.sleep(60)
            assert len(provider.requests) < 6
            assert budget.wait_s == 0, "those who wait hold no slot"
            await trio.sleep(900)
            assert await stage.actions() == [("done", "expired", "too-old")] * 40
            assert len(stage.events("action.held")) <= 40, "held once, however many probes there were"


async def test_after_a_5xx_look_ups_ask_so_that_no_callback_is_burnt(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    look_ups = LookUps([500, 502, 503])
    async with scene(tmp_path, CALLBACKS) as stage:
        began_s = trio.current_time()
        async with lane_of(stage, [ERROR] * 4, look_ups=look_ups) as provider:
            for index in range(9):
                await stage.call(f"c{index}", caller=number(index))
                await trio.sleep(1)
            await trio.sleep(24)
            held_s = provider.asked_at[2] + 0.3
            assert len(provider.requests) == 3
            await trio.sleep(100)
            asked = [round(at - began_s - held_s, 1) for at in look_ups.asked_at]
            assert asked[:4] == [5, 15, 35, 75]
            # The fourth lookup is answered, so a callback is sent. It fails too, which delays the next probe.
            assert provider.asked_at[3] == pytest.approx(held_s + 75, abs=0.1)
            assert asked[4:] == []
            await trio.sleep(45)
            assert [state for (state,) in await stage.actions("state")].count("attempting") == 4
            assert [state for (state,) in await stage.actions("state")].count("placed") == 5


async def test_an_sms_that_is_throttled_was_not_sent_and_goes_again(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, TEXTS) as stage, lane_of(stage, [THROTTLED] * 2, Lane.SMS) as provider:
        await stage.call()
        await trio.sleep(1)
        assert stage.upstream.hold_reason(Lane.SMS) is Reason.PROVIDER_UNREACHABLE
        assert await stage.actions() == [("held", None, "provider-unreachable")]
        await trio.sleep(30)
        assert waits(provider) == [5, 10]
        assert await stage.actions() == [("placed", None, "provider-accepted")]
        assert stage.troubles.active() == []
        assert stage.events("provider.unreachable") == []


async def test_where_nothing_waits_a_look_up_finds_out(autojump_clock: MockClock, tmp_path: Path) -> None:
    """All held actions have expired. The next caller must not wait for a probe."""
    async with (
        scene(tmp_path, CALLBACKS) as stage,
        lane_of(stage, [UNREACHED] * 20, look_ups=LookUps([500] * 10)),
    ):
        await stage.call()
        await trio.sleep(900 + 700)
        assert await stage.actions() == [("done", "expired", "too-old")]
        assert stage.upstream.hold_reason(Lane.VOICE) is None
        assert len(stage.events("provider.reachable")) == 1


async def test_what_is_held_as_the_trouble_ends_is_let_go_all_the_same(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, PATIENT) as stage, lane_of(stage, [UNREACHED] * 3):
        await stage.call()
        await trio.sleep(38)
        stage.disk.takes_s = 0.7  # so that writes of the same time may happen in any order
        for index in range(30):
            await stage.call(f"c{index}", caller=number(index), at=stage.clock.now() - minutes(1))
            await trio.sleep(0.1)
        await trio.sleep(120)
        assert {state for (state,) in await stage.actions("state")} == {"placed"}


async def test_in_doubt_one_at_a_time_goes(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, CALLBACKS) as stage, lane_of(stage, [UNREACHED]) as provider:
        await stage.call("first")
        await trio.sleep(31)
        for index in range(5):
            await stage.call(f"c{index}", caller=number(index), at=stage.clock.now() - minutes(1))
        await trio.sleep(0.29)
        assert len(provider.requests) == 2
        await trio.sleep(0.4)
        assert provider.max_in_flight == 4, "one was taken, so there is no doubt"


async def test_another_answer_than_a_success_is_no_end_of_a_trouble_of_the_account(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    bad_number = Refused(False, "400", Reason.PROVIDER_REFUSED, "no such number")
    answers: list[Answer] = [UNAUTHORISED, bad_number, Accepted("abc")]
    async with scene(tmp_path, CALLBACKS) as stage, lane_of(stage, answers) as provider:
        for index in range(3):
            await stage.call(f"c{index}", caller=number(index))
            await trio.sleep(1)
        await trio.sleep(60)
        assert sorted(await stage.actions("state, reason")) == [
            ("done", "provider-refused"),
            ("placed", "provider-accepted"),
            ("placed", "provider-accepted"),
        ]
        assert waits(provider)[:2] == [5, 10]
