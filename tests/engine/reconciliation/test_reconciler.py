"""What became of requests whose answer, or whose report, never came: looked up, never asked again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from missedd.core.actions.resolution import Resolution
from missedd.core.model import InboundCall, Kind, Lane, Outcome, StatusReport
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import interpret_answer
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.engine.reconciliation.reconciler import Reconciler
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.exotel.client import ExotelAccount, ExotelClient, new_exotel_client
from missedd.exotel.dates import format_ist
from missedd.exotel.request_result import Accepted, Answer, Unknown
from missedd.store.actions.attempts import record_attempt_result
from missedd.store.actions.claims import claim
from missedd.store.actions.operator_changes import resolve_unknown as settle_unknown
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
    minutes,
    policy,
    seconds,
    sms,
)
from tests.engine.scene import EngineScene, scene

FLOW = policy(campaign(callback=callback()))
TWO_NUMBERS = policy(campaign(callback=callback(flow=None, agents=AGENTS[:1])))
TEXTS = policy(campaign(sms=sms()))
SHORT = callback(ring_timeout=seconds(5), time_limit=seconds(10))
"""Its call cannot be up any more after 75 s: then another may go to the same person."""
AFTER_SHORT_S = 76
LOST = Unknown("read-timeout")
BEFORE_NOON = NOON - minutes(1)


class Exotel:
    """Its list of calls and its details, over HTTP; down while `is_down`, or with nothing but a `status`."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.messages: dict[str, str] = {}
        self.is_down = False
        self.status: int | None = None
        self.asked: list[str] = []

    def call(self, sid: str, at: datetime = NOON, **changes: object) -> dict[str, Any]:
        entry: dict[str, Any] = {
            "Sid": sid,
            "DateCreated": format_ist(at),
            "Direction": "outbound-api",
            "From": CALLER,
            "To": EXOPHONE,
            "PhoneNumberSid": EXOPHONE,
            "Status": "in-progress",
            "EndTime": None,
        }
        self.calls.append(entry | changes)
        return self.calls[-1]

    def end(self, sid: str, status: str = "completed") -> None:
        for each in self.calls:
            if each["Sid"] == sid:
                each |= {"Status": status, "EndTime": format_ist(NOON + minutes(1))}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path.rpartition("/")[2])
        if self.is_down or self.status is not None:
            return httpx.Response(self.status or 503)
        path = request.url.path
        if path.endswith("/Calls.json"):
            return httpx.Response(200, json={"Metadata": {}, "Calls": self.calls})
        sid = path.rpartition("/")[2].removesuffix(".json")
        if "/SMS/" in path:
            if sid not in self.messages:
                return httpx.Response(200, text="No matching results")
            return httpx.Response(200, json={"SMSMessage": {"Sid": sid, "Status": self.messages[sid]}})
        found = [each for each in self.calls if each["Sid"] == sid]
        return httpx.Response(200, json={"Call": found[0]}) if found else httpx.Response(404, json={})


@asynccontextmanager
async def reconciling(
    stage: EngineScene, exotel: Exotel, per_minute: int = 200
) -> AsyncIterator[StatusReports]:
    reports = StatusReports(stage.store, stage.policy, stage.clock, stage.log, stage.timers)
    async with new_exotel_client(httpx.MockTransport(exotel)) as http:
        account = ExotelAccount("example1", "https://api.in.exotel.example", "k", "t")
        reconciler = Reconciler(
            store=stage.store,
            policy=stage.policy,
            clock=stage.clock,
            log=stage.log,
            client=ExotelClient(http, account, stage.clock),
            rate_limiters={Lane.VOICE: RateLimiter(per_minute), Lane.SMS: RateLimiter(200)},
            due_queue=stage.ready[Lane.LOOKUP],
            timers=stage.timers,
            status_reports=reports,
            breakers=stage.upstream,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(reconciler.run)
            yield reports
            nursery.cancel_scope.cancel()


async def attempted(stage: EngineScene, action_id: int, answer: Answer) -> None:
    """Claim an action and record `answer` to its request, as the dispatcher would."""
    now = stage.clock.now()
    unit = partial(claim, ids=[action_id], policy=stage.policy, now=now, limit=1)
    (claimed,) = (await stage.store.write(unit)).claimed
    settled = interpret_answer(answer, claimed.action.kind, claimed.attempt, now, stage.rng)
    wakes = await stage.store.write(
        partial(
            record_attempt_result,
            action_id=action_id,
            attempt=claimed.attempt,
            result=settled.result,
            policy=stage.policy,
            now=now,
        )
    )
    stage.timers.add(wakes)


def missed(sid: str, at: datetime = BEFORE_NOON, **changes: Any) -> InboundCall:
    """A call whose callback is due by noon."""
    return call(sid, at, **changes)


async def lost(stage: EngineScene, sid: str = "c1", **changes: Any) -> None:
    """A missed call whose callback goes out now, at noon, and whose answer never comes."""
    (admitted,) = await stage.calls(missed(sid, **changes))
    await attempted(stage, admitted.timers[0].action_id, LOST)


@pytest.mark.parametrize(
    ("status", "outcome"), [("completed", "answered"), ("no-answer", "no-answer"), ("failed", "failed")]
)
async def test_a_lost_answer_is_found_and_its_end_is_learnt(
    autojump_clock: MockClock, tmp_path: Path, status: str, outcome: str
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", NOON + seconds(1))
        await trio.sleep(20)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]
        assert await stage.attempts("result, provider_sid") == [("unknown", "out-1")]
        exotel.end("out-1", status)
        await trio.sleep(400)
        assert (await stage.actions())[0][:2] == ("done", outcome)
        assert await stage.rows("SELECT source, effect FROM reports") == [("look-up", "applied")]


@pytest.mark.parametrize(("shown", "found"), [("+918047120099", "out-1"), (EXOPHONE, None)])
async def test_a_call_from_another_number_is_looked_for_by_that_number(
    autojump_clock: MockClock, tmp_path: Path, shown: str, found: str | None
) -> None:
    exotel = Exotel()
    of = policy(campaign(callback=callback(caller_id="+918047120099")))
    async with scene(tmp_path, of) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", NOON + seconds(1), To=shown, PhoneNumberSid=shown)
        await trio.sleep(20)
        assert await stage.actions("provider_sid") == [(found,)]


async def test_a_lost_answer_that_ended_meanwhile_is_settled_at_once(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1")
        exotel.end("out-1")
        await trio.sleep(20)
        assert await stage.actions() == [("done", "answered", "customer-answered")]


async def test_what_is_not_in_the_list_is_unknown_in_the_end_and_never_dialled_again(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(3600)
        assert await stage.actions() == [("done", "unknown", "not-found")]
        assert exotel.asked == ["Calls.json"] * 4
        assert len(await stage.attempts()) == 1
        assert [line["level"] for line in stage.events("action.closed")] == ["error"]


async def test_a_provider_that_cannot_be_asked_says_nothing_about_the_action(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.is_down = True
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(3 * 3600)
        assert await stage.actions("state, looks") == [("attempting", 0)]
        assert stage.timers.pending_ids() == await stage.due_on_disk() == {1}
        exotel.is_down = False
        exotel.call("out-1")
        await trio.sleep(60)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]


# Calls in the list that are not this attempt's.
STRANGERS: list[dict[str, Any]] = [
    {"PhoneNumberSid": None, "To": SECOND_EXOPHONE},
    {"DateCreated": format_ist(NOON - minutes(3))},
    {"DateCreated": format_ist(NOON + minutes(3))},
    {"Direction": "inbound"},
    {"From": OTHER},
    {"PhoneNumberSid": SECOND_EXOPHONE, "To": SECOND_EXOPHONE},
    {"Sid": ""},
]


@pytest.mark.parametrize("changes", STRANGERS)
async def test_only_a_call_that_can_be_ours_is_adopted(
    autojump_clock: MockClock, tmp_path: Path, changes: dict[str, Any]
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", **changes)
        await trio.sleep(30)
        assert await stage.actions("state, provider_sid") == [("attempting", None)]


async def test_with_agents_both_numbers_have_to_fit(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    async with scene(tmp_path, TWO_NUMBERS) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("stranger", To=OTHER)
        exotel.call("ours", From=AGENTS[0], To=CALLER)
        await trio.sleep(30)
        assert await stage.actions("provider_sid") == [("ours",)]


async def test_a_call_that_belongs_to_another_action_is_not_adopted(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """The caller was rung half a minute before, in vain, and that call stands in the list too."""
    exotel = Exotel()
    async with (
        scene(tmp_path, policy(campaign(callback=callback(), dedup_window=seconds(1)))) as stage,
        reconciling(stage, exotel) as reports,
    ):
        (first,) = await stage.calls(missed("c1"))
        await attempted(stage, first.timers[0].action_id, Accepted("out-1"))
        exotel.call("out-1", NOON + seconds(1))
        await trio.sleep(30)
        fields = {"Status": "no-answer", "CallSid": "out-1"}
        await reports.apply_call_report(1, StatusReport("out-1", "no-answer", fields=fields))
        await lost(stage, "c2", at=NOON - seconds(50))
        await trio.sleep(30)
        assert exotel.asked == ["Calls.json"]
        assert await stage.actions("state, provider_sid") == [("done", "out-1"), ("attempting", None)]


async def test_of_two_lost_answers_each_adopts_the_call_that_is_nearest_to_it(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    of = policy(campaign(callback=SHORT, dedup_window=seconds(1)))
    async with scene(tmp_path, of) as stage, reconciling(stage, exotel):
        await lost(stage, "c1")
        await trio.sleep(AFTER_SHORT_S)
        await lost(stage, "c2", at=NOON - seconds(50))
        # The list shows both by the time of the second one's look-up, which comes first.
        exotel.call("out-1", NOON)
        exotel.call("out-2", NOON + seconds(AFTER_SHORT_S))
        await trio.sleep(10)
        assert await stage.actions("provider_sid") == [(None,), ("out-2",)]
        await trio.sleep(120)
        assert await stage.actions("provider_sid") == [("out-1",), ("out-2",)]


async def test_a_placed_call_that_nobody_reports_on_is_asked_after_and_given_up(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        (admitted,) = await stage.calls(missed("c1"))
        exotel.call("out-1")
        await attempted(stage, admitted.timers[0].action_id, Accepted("out-1"))
        await trio.sleep(4 * 3600)
        assert await stage.actions() == [("done", "unknown", "no-report")]
        assert exotel.asked == ["out-1.json"] * 6


async def test_a_report_that_came_needs_no_look_up(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel) as reports:
        (admitted,) = await stage.calls(missed("c1"))
        await attempted(stage, admitted.timers[0].action_id, Accepted("out-1"))
        ended = StatusReport("out-1", "completed", fields={"Status": "completed", "CallSid": "out-1"})
        assert (await reports.apply(1, Kind.CALLBACK, ended)).effect == "applied"
        await trio.sleep(4 * 3600)
        assert exotel.asked == []
        assert len(stage.timers) == 0


async def test_what_a_report_has_ended_is_not_said_to_be_found(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel) as reports:
        await lost(stage)
        exotel.call("out-1")
        await trio.sleep(4)
        stage.disk.takes_s = 3  # so that the look-up begins while the report is being kept
        ended = StatusReport("out-1", "completed", fields={"Status": "completed", "CallSid": "out-1"})
        await reports.apply(1, Kind.CALLBACK, ended)
        await trio.sleep(30)
        assert exotel.asked == ["Calls.json"]
        assert await stage.actions() == [("done", "answered", "customer-answered")]
        assert stage.events("action.found") == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [("sent", ("done", "delivered")), ("failed", ("done", "failed")), ("queued", ("placed", None))],
)
async def test_an_sms_is_asked_after(
    autojump_clock: MockClock, tmp_path: Path, status: str, expected: tuple[str, str | None]
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, TEXTS) as stage, reconciling(stage, exotel):
        (admitted,) = await stage.calls(missed("c1"))
        await attempted(stage, admitted.timers[0].action_id, Accepted("sms-1"))
        exotel.messages["sms-1"] = status
        await trio.sleep(200)
        assert (await stage.actions())[0][:2] == expected


async def test_a_lost_sms_waits_for_its_report_and_asks_nobody(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, TEXTS) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(1700)
        assert await stage.actions("state") == [("attempting",)]
        await trio.sleep(200)
        assert await stage.actions() == [("done", "unknown", "not-found")]
        assert exotel.asked == []


async def test_a_lost_sms_that_a_first_report_named_is_asked_after(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.messages["sms-1"] = "sent"
    async with scene(tmp_path, TEXTS) as stage, reconciling(stage, exotel) as reports:
        await lost(stage)
        first = StatusReport("sms-1", "queued", is_terminal=False)
        assert (await reports.apply(1, Kind.SMS, first)).effect == "noted: not final"
        await trio.sleep(7200)
        assert await stage.actions() == [("done", "delivered", "sms-delivered")]


async def test_a_full_disk_at_a_look_up_is_waited_out(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1")
        stage.disk.is_full = True
        await trio.sleep(60)
        assert await stage.actions("state") == [("attempting",)]
        stage.disk.is_full = False
        await trio.sleep(60)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]


@pytest.mark.parametrize("of", [FLOW, TWO_NUMBERS, TEXTS])
async def test_every_lost_answer_comes_to_an_end(
    autojump_clock: MockClock, tmp_path: Path, of: Policy
) -> None:
    async with scene(tmp_path, of) as stage, reconciling(stage, Exotel()):
        await lost(stage)
        await trio.sleep(timedelta(hours=4).total_seconds())
        ((state, outcome, reason),) = await stage.actions()
        assert (state, outcome, Reason(reason)) == ("done", "unknown", Reason.NOT_FOUND)


@pytest.mark.parametrize("skew_s", [-110, -60, 60, 110])
async def test_a_provider_whose_clock_is_not_ours_is_understood(
    autojump_clock: MockClock, tmp_path: Path, skew_s: float
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1", NOON + seconds(skew_s))
        await trio.sleep(20)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]


@pytest.mark.parametrize("flips", [False, True])
@pytest.mark.parametrize("unreadable", [False, True])
async def test_two_campaigns_that_ring_one_caller_soon_after_each_other_adopt_their_own(
    autojump_clock: MockClock, tmp_path: Path, flips: bool, unreadable: bool
) -> None:
    exotel = Exotel()
    both = policy(
        campaign(callback=SHORT),
        campaign(name="shop", exophones=(SECOND_EXOPHONE,), callback=SHORT),
    )
    async with scene(tmp_path, both) as stage, reconciling(stage, exotel):
        await lost(stage, "c1")
        await trio.sleep(AFTER_SHORT_S)
        await lost(stage, "c2", dialled=(SECOND_EXOPHONE,))
        began = [NOON, NOON + seconds(AFTER_SHORT_S)]
        named = [("out-1", EXOPHONE), ("out-2", SECOND_EXOPHONE)]
        # The one further away in time is the right one, if it is the right ExoPhone's.
        for (sid, exophone), at in zip(named, reversed(began) if flips else began, strict=True):
            exotel.call(sid, at, To=exophone, PhoneNumberSid=None if unreadable else exophone)
        await trio.sleep(130)
        assert await stage.actions("provider_sid") == [("out-1",), ("out-2",)]


@pytest.mark.parametrize("first", ["agent", "customer"])
async def test_whoever_is_rung_first_the_call_is_found(
    autojump_clock: MockClock, tmp_path: Path, first: str
) -> None:
    exotel = Exotel()
    of = policy(campaign(callback=callback(flow=None, agents=AGENTS[:1], first=first)))
    async with scene(tmp_path, of) as stage, reconciling(stage, exotel):
        await lost(stage)
        pair = (AGENTS[0], CALLER) if first == "agent" else (CALLER, AGENTS[0])
        exotel.call("ours", From=pair[0], To=pair[1])
        await trio.sleep(20)
        assert await stage.actions("state, provider_sid") == [("placed", "ours")]


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


async def test_an_action_that_an_operator_settled_is_looked_for_no_more(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(10)
        now = stage.clock.now()
        unit = partial(
            settle_unknown, action_id=1, outcome=Outcome.ANSWERED, note=None, policy=stage.policy, now=now
        )
        assert (await stage.store.write(unit)).resolution is Resolution.SETTLED
        await trio.sleep(7200)
        assert exotel.asked == ["Calls.json"]
        assert await stage.actions("outcome, settled_outcome") == [("unknown", "answered")]


BOTH = policy(
    campaign(callback=callback()),
    campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=callback()),
)


async def waited_for(stage: EngineScene, index: int) -> tuple[int, int]:
    """Somebody's callback that is out, and another of theirs, which waits for its end; their ids."""
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


async def test_such_look_ups_are_a_quarter_of_the_budget_at_most(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    """Calls that go on; the others' turn comes later, and nobody is forgotten."""
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
