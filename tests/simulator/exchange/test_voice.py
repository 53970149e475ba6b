"""Who is rung, how each call ends, and what is reported of it."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.model.people import Person, RingResponse
from simulator.exchange.webhooks.request import PostResult

AGENT, CUSTOMER, EXOPHONE = "+919811111111", "+919876543210", "+918047120001"


@pytest.mark.parametrize(
    ("agent", "customer", "status", "legs", "rings"),
    [
        ("answer", "answer", "completed", ("completed", "completed"), 2),
        ("answer", "no-answer", "no-answer", ("completed", "no-answer"), 2),
        ("answer", "busy", "busy", ("completed", "busy"), 2),
        ("answer", "unreachable", "failed", ("completed", "failed"), 2),
        ("hangup", "answer", "failed", ("completed", "canceled"), 2),
        ("no-answer", "answer", "no-answer", ("no-answer", None), 4),
        ("unreachable", "answer", "failed", ("failed", None), 4),
        ("busy", "answer", "busy", ("busy", None), 1),
    ],
)
async def test_between_two_numbers(
    bench: Any,
    autojump_clock: MockClock,
    agent: str,
    customer: str,
    status: str,
    legs: tuple[str, str | None],
    rings: int,
) -> None:
    bench.exchange.people.add(Person(AGENT, answers=RingResponse(agent)))
    bench.exchange.people.add(Person(CUSTOMER, answers=RingResponse(customer)))
    await bench.connect_two()
    await trio.sleep(400)
    (call,) = bench.exchange.ground_truth.connects
    assert (call.status, (call.leg1, call.leg2)) == (status, legs)
    # Three re-dials of leg 1 are what happens to whoever does not send MaxRetries.
    assert len(bench.exchange.ground_truth.rings_of(call.sid)) == rings
    assert all(ring.ended for ring in bench.exchange.ground_truth.rings)


async def test_a_flow_rings_the_customer_only(bench: Any, autojump_clock: MockClock) -> None:
    answers = (RingResponse.NO_ANSWER, RingResponse.ANSWER)
    bench.exchange.people.add(Person(CUSTOMER, answers=answers, talks_s=500))
    await bench.connect(MaxRetries="1", TimeOut="20", TimeLimit="60")
    await trio.sleep(400)
    first, second = bench.exchange.ground_truth.rings_to(CUSTOMER)
    assert (first.ended, second.ended, second.attempt) == ("no-answer", "completed", 2)
    assert (first.ended_at - first.started_at).total_seconds() == 20
    assert (second.ended_at - second.answered_at).total_seconds() == 60
    assert bench.exchange.ground_truth.connects[0].status == "completed"


async def test_no_retries_if_told_so(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.people.add(Person(CUSTOMER, answers=RingResponse.NO_ANSWER))
    await bench.connect(MaxRetries="0")
    await trio.sleep(400)
    assert len(bench.exchange.ground_truth.rings_to(CUSTOMER)) == 1


async def test_a_flow_reports_four_fields_as_multipart(bench: Any, autojump_clock: MockClock) -> None:
    await bench.connect(
        StatusCallback="http://daemon.test/call-status/7?k=a%2Fb",
        **{"StatusCallbackEvents[0]": "answered", "StatusCallbackEvents[1]": "terminal"},
    )
    await trio.sleep(100)
    (webhook,) = bench.posted
    assert webhook.url == "http://daemon.test/call-status/7?k=a%2Fb"
    assert webhook.headers["content-type"].startswith("multipart/form-data")
    assert list(bench.posted_form()) == ["CallSid", "Status", "DateUpdated", "RecordingUrl"]
    assert bench.posted_form()["Status"] == "completed"


async def test_recording_url_is_sometimes_absent(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.people.add(Person(CUSTOMER, answers=RingResponse.BUSY))
    for _ in range(20):
        await bench.connect(StatusCallback="http://daemon.test/status")
    await trio.sleep(100)
    shapes = {"RecordingUrl" in bench.posted_form(i) for i in range(20)}
    assert shapes == {True, False}


async def test_two_numbers_report_legs(bench: Any, autojump_clock: MockClock) -> None:
    events = {"StatusCallbackEvents[0]": "answered", "StatusCallbackEvents[1]": "terminal"}
    await bench.connect_two(StatusCallback="http://daemon.test/status", CustomField="c-7", **events)
    await trio.sleep(100)
    forms = [bench.posted_form(i) for i in range(3)]
    assert [form["EventType"] for form in forms] == ["answered", "answered", "terminal"]
    assert [form["Legs[1][Status]"] for form in forms] == ["", "in-progress", "completed"]
    assert [form.get("CustomField") for form in forms] == [None, None, "c-7"]
    assert (forms[2]["To"], forms[2]["ConversationDuration"]) == ("09876543210", "45")
    assert forms[2]["EndTime"] == "2026-11-23 12:00:57"

    bench.posted.clear()
    events["StatusCallbackContentType"] = "application/json"
    await bench.connect_two(StatusCallback="http://daemon.test/status", **events)
    await trio.sleep(100)
    assert bench.posted[2].headers["content-type"] == "application/json"
    report = json.loads(bench.posted[2].body)
    assert report["Legs"][1] == {"OnCallDuration": 45, "Status": "completed", "AnsweredBy": "NA"}


async def test_reports_are_tried_three_times(bench: Any, autojump_clock: MockClock) -> None:
    bench.webhook_response = lambda _: PostResult(503)
    await bench.connect(StatusCallback="http://daemon.test/status")
    await trio.sleep(3600)
    tries = bench.exchange.ground_truth.deliveries
    assert [(one.attempt, one.status) for one in tries] == [(1, 503), (2, 503), (3, 503)]
    assert [(b.at - a.at).total_seconds() for a, b in pairwise(tries)] == [300, 900]
    assert len({webhook.body for webhook in bench.posted}) == 1


async def test_a_flow_may_end_in_a_passthru(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.flow_passthru_url = "http://daemon.test/missed-call"
    await bench.connect(CustomField="c-7")
    await trio.sleep(100)
    assert "Direction=outbound-dial" in bench.posted[0].url
    assert "CustomField=c-7" in bench.posted[0].url


async def test_who_hangs_up_ends_the_call_though_the_other_has_taken_it(
    bench: Any, autojump_clock: MockClock
) -> None:
    bench.exchange.people.add(Person(AGENT, answers=RingResponse.HANGUP))
    bench.exchange.people.add(Person(CUSTOMER, ring_s=0.4, talks_s=45))
    await bench.connect_two()
    await trio.sleep(100)
    (call,) = bench.exchange.ground_truth.connects
    (ring,) = bench.exchange.ground_truth.rings_to(CUSTOMER)
    assert (call.status, call.leg2, call.conversation_s) == ("completed", "completed", 1)
    assert (ring.ended_at - ring.answered_at).total_seconds() == pytest.approx(0.6)


@pytest.mark.parametrize(("does", "status"), [("busy", "busy"), ("unreachable", "failed")])
async def test_what_the_network_says_is_said_however_short_it_rings(
    bench: Any, autojump_clock: MockClock, does: str, status: str
) -> None:
    bench.exchange.people.add(Person(CUSTOMER, answers=RingResponse(does)))
    await bench.connect(TimeOut="2", MaxRetries="0")
    await trio.sleep(2.5)
    (call,) = bench.exchange.ground_truth.connects
    assert (call.status, call.ended_at is not None) == (status, True)


async def test_who_misses_a_call_rings_back_as_often_as_they_have_waits(
    bench: Any, autojump_clock: MockClock
) -> None:
    answers = (RingResponse.NO_ANSWER, RingResponse.BUSY, RingResponse.NO_ANSWER, RingResponse.ANSWER)
    bench.exchange.people.add(Person(CUSTOMER, answers=answers, rings_back=(5.0, 60.0)))
    for _ in answers:
        await bench.connect(MaxRetries="0", TimeOut="20")
        await trio.sleep(200)
    rings, inbound = bench.exchange.ground_truth.rings_to(CUSTOMER), bench.exchange.ground_truth.inbound
    assert [(each.number, each.exophone) for each in inbound] == [(CUSTOMER, EXOPHONE)] * 2
    assert [back.rung_at - ring.ended_at for ring, back in zip(rings, inbound, strict=False)] == [
        timedelta(seconds=5),
        timedelta(seconds=60),
    ]
