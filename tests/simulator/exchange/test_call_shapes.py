"""What is told of a call, in every shape that Exotel and its other products have for it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.model.call_shapes import CallShape
from simulator.exchange.model.people import Person, RingResponse
from simulator.exchange.webhooks.inbound_scripts import CALL_EVENTS
from simulator.exchange.webhooks.request import OutboundWebhook

CALLER = "+919876543210"
USUAL = {CallShape.PASSTHRU, CallShape.NATIVE, CallShape.BOTH}


def fields_of(webhook: OutboundWebhook) -> dict[str, Any]:
    """The fields of a query, a form, or a JSON object; a secret in the URL is none."""
    if webhook.headers.get("content-type") == "application/json":
        told: dict[str, Any] = json.loads(webhook.body)
        return told
    text = webhook.body.decode() or urlsplit(webhook.url).query.removeprefix("key=a%2Fb&")
    return dict(parse_qsl(text, keep_blank_values=True))


async def _told(bench: Any, shape: str, **options: Any) -> list[dict[str, Any]]:
    bench.exchange.ring_in(Person(CALLER, talks_s=30), shape=shape, **options)
    await trio.sleep(300)
    return [fields_of(webhook) for webhook in bench.posted]


def test_every_shape_has_a_course() -> None:
    assert set(CALL_EVENTS) == set(CallShape) - USUAL


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ("digits", {"CallType": "call-attempt", "digits": '"1"'}),
        (
            "client-hangup",
            {
                "CallType": "client-hangup",
                "DialCallStatus": "canceled",
                "DialCallDuration": "0",
                "Legs[0][OnCallDuration]": "0",
                "Legs[0][CauseCode]": "RING_TIMEOUT",
                "Legs[0][Cause]": "1003",
            },
        ),
        (
            "incomplete-no-answer",
            {
                "CallType": "incomplete",
                "DialCallStatus": "no-answer",
                "DialWhomNumber": "09899999999",
                "OutgoingPhoneNumber": "08047120001",
                "Legs[0][Cause]": "1003",
            },
        ),
        ("incomplete-busy", {"CallType": "incomplete", "DialCallStatus": "busy", "DialCallDuration": "5"}),
        ("incomplete-failed", {"CallType": "incomplete", "DialCallStatus": "failed"}),
        ("voicemail", {"CallType": "voicemail", "RecordingAvailableBy": "Mon, 23 Nov 2026 12:05:23"}),
        (
            "talked",
            {
                "CallType": "completed",
                "DialCallStatus": "completed",
                "DialCallDuration": "30",
                "Legs[0][OnCallDuration]": "30",
                "Legs[0][CauseCode]": "NORMAL_CLEARING",
                "StartTime": "2026-11-23 12:00:00",
                "CurrentTime": "2026-11-23 12:00:30",
                "EndTime": "1970-01-01 05:30:00",
            },
        ),
        (
            "insights-talked",
            {
                "CallType": "call-attempt",
                "Insights[DialCallStatus]": "completed",
                "Legs[0][Insights][Status]": "completed",
                "Legs[0][Insights][RingingDuration]": "8",
                "Legs[0][OnCallDuration]": "30",
            },
        ),
        (
            "insights-missed",
            {"Insights[DialCallStatus]": "no-answer", "Legs[0][OnCallDuration]": "0"},
        ),
        (
            "bot-talked",
            {
                "CallType": "call-attempt",
                "Stream[Status]": "completed",
                "Stream[Duration]": "30",
                "Stream[DisconnectedBy]": "bot",
            },
        ),
        ("bot-failed", {"CallType": "call-attempt", "Stream[Status]": "failed", "Stream[Duration]": "0"}),
        (
            "ended-busy",
            {"Status": "busy", "StartTime": "2026-11-23 12:00:00", "EndTime": "2026-11-23 12:00:20"},
        ),
        ("ended-no-answer", {"Status": "no-answer", "EndTime": "2026-11-23 12:00:20"}),
        (
            "popup",
            {
                "Status": "busy",
                "EventType": "Dial",
                "AgentEmail": "agent@example.in",
                "DialWhomNumber": "09899999999",
            },
        ),
        ("popup-free", {"Status": "free", "AgentEmail": "agent@example.in"}),
        ("voicebot-url", {"CallTo": "8047120001", "HangupLatencyStartTime": "1795415400.000"}),
        ("voicebot-form", {"ServerCode": "in1"}),
        ("stream-start", {"EventType": "stream-start", "AccountSid": "example1"}),
        ("integration-core", {"CallState": "terminal", "FromNumber": "09876543210"}),
    ],
)
async def test_a_single_request(
    bench: Any, autojump_clock: MockClock, shape: str, expected: dict[str, str]
) -> None:
    (fields,) = await _told(bench, shape)
    (ring,) = bench.exchange.ground_truth.inbound
    assert fields["CallSid"] == ring.call_sid
    assert {name: fields.get(name) for name in expected} == expected


async def test_json_of_other_products(bench: Any, autojump_clock: MockClock) -> None:
    ccm, dial_whom = [(await _told(bench, shape))[-1] for shape in ("ccm", "dial-whom")]
    first, second = bench.exchange.ground_truth.inbound
    assert ccm["call_details"]["call_sid"] == first.call_sid
    assert ccm["event_details"] == {"event_type": "terminal"}
    assert dial_whom == {"Call": {"Sid": second.call_sid, "From": "09876543210"}}


async def test_a_heartbeat(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.send_heartbeat("CRITICAL")
    await trio.sleep(1)
    fields = fields_of(bench.posted[0])
    assert (fields["status_type"], fields["incoming_affected"]) == ("CRITICAL", ["918047120001"])
    assert bench.exchange.ground_truth.acknowledged_calls() == []


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ("attempt-then-talked", [("call-attempt", None), ("completed", "completed")]),
        ("attempt-then-missed", [("call-attempt", None), ("incomplete", "no-answer")]),
        ("no-answer-then-talked", [("incomplete", "no-answer"), ("completed", "completed")]),
        ("talked-then-late-attempt", [("completed", "completed"), ("call-attempt", None)]),
        ("popup-then-talked", [("busy", None), ("free", None), ("completed", "completed")]),
        ("popup-then-missed", [("busy", None), ("free", None), ("incomplete", "no-answer")]),
        ("attempt-then-voicemail", [("call-attempt", None), ("voicemail", "no-answer")]),
        ("voicebot-talked", [(None, None), (None, None), ("call-attempt", None)]),
    ],
)
async def test_several_requests_of_one_call(
    bench: Any, autojump_clock: MockClock, shape: str, words: list[tuple[str | None, str | None]]
) -> None:
    told = await _told(bench, shape)
    (ring,) = bench.exchange.ground_truth.inbound
    assert {fields["CallSid"] for fields in told} == {ring.call_sid}
    assert [(each.get("CallType", each.get("Status")), each.get("DialCallStatus")) for each in told] == words
    has_talked, has_recorded = "talked" in shape, "voicemail" in shape
    assert ((ring.talked_from is not None), (ring.voicemail_at is not None)) == (has_talked, has_recorded)
    if has_talked:
        assert (ring.talked_until - ring.talked_from).total_seconds() == ring.talked_s == 30
        assert ring.talked_until <= ring.ended_at
    shown = (await bench.client.get(f"Calls/{ring.call_sid}.json?details=true")).json()["Call"]
    assert shown["Status"] == "completed"
    by_agent = shape != "voicebot-talked"
    assert shown["Details"]["Leg2Status"] == (
        None if not by_agent else "completed" if has_talked else "no-answer"
    )
    assert shown["Details"]["ConversationDuration"] == (30 if has_talked and by_agent else 0)


async def test_the_agent_s_telephone_rings_first(bench: Any, autojump_clock: MockClock) -> None:
    ring = bench.exchange.ring_in(Person(CALLER, talks_s=30), shape="no-answer-then-talked")
    await trio.sleep(100)
    deliveries = bench.exchange.ground_truth.deliveries_of(ring.call_sid)
    assert [(each.at - ring.rung_at).total_seconds() for each in deliveries] == [8, 47]
    assert (ring.talked_from - ring.rung_at).total_seconds() == 16
    assert fields_of(bench.posted[1])["DialCallDuration"] == "38"


async def test_a_caller_is_on_the_telephone_for_the_whole_call(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.ring_in(Person(CALLER, answers=RingResponse.ANSWER), shape="voicemail")
    await trio.sleep(20)
    await bench.connect()
    await trio.sleep(20)
    await bench.connect()
    await trio.sleep(100)
    assert [call.status for call in bench.exchange.ground_truth.connects] == ["busy", "completed"]


async def test_what_tells_of_no_call_s_end_is_marked(bench: Any, autojump_clock: MockClock) -> None:
    await _told(bench, "popup")
    await _told(bench, "popup-then-missed")
    first, second = bench.exchange.ground_truth.inbound
    assert bench.exchange.ground_truth.acknowledged_calls() == [second.call_sid]
    assert [each.tells_end for each in bench.exchange.ground_truth.deliveries_of(second.call_sid)] == [
        *(False, False),
        True,
    ]
    assert first.call_sid != second.call_sid


async def test_posted_again_it_tells_of_the_same_call(bench: Any, autojump_clock: MockClock) -> None:
    ring = bench.exchange.ring_in(Person(CALLER, talks_s=30), shape="attempt-then-talked")
    await trio.sleep(600)
    bench.exchange.ring_in(CALLER, shape="attempt-then-talked", call_sid=ring.call_sid)
    await trio.sleep(1)
    bodies = [webhook.url for webhook in bench.posted]
    assert sorted(bodies[2:]) == sorted(bodies[:2])
    assert bench.exchange.ground_truth.inbound == [ring]


async def test_without_dates(bench: Any, autojump_clock: MockClock) -> None:
    (fields,) = await _told(bench, "voicemail", with_date=False, spelling="e164")
    assert not {"Created", "StartTime", "CurrentTime", "RecordingAvailableBy"} & fields.keys()
    assert fields["DialWhomNumber"] == "+919899999999"


async def test_spaces_of_a_query_are_plus_signs(bench: Any, autojump_clock: MockClock) -> None:
    await _told(bench, "talked")
    assert "&Created=Mon%2C+23+Nov+2026+12%3A00%3A00&" in bench.posted[0].url


async def test_an_agent_who_takes_calls_of_a_flow_is_on_the_telephone(
    bench: Any, autojump_clock: MockClock
) -> None:
    bench.settings.inbound_agent = agent = "+919811111111"
    bench.exchange.ring_in(Person(CALLER, talks_s=30), shape="no-answer-then-talked")
    await trio.sleep(4)
    await bench.connect_two(To="+919876543211", MaxRetries="0")
    await trio.sleep(30)
    await bench.connect_two(To="+919876543211", MaxRetries="0")
    await trio.sleep(20)
    await bench.connect_two(To="+919876543211", MaxRetries="0")
    await trio.sleep(200)
    truth = bench.exchange.ground_truth
    assert [call.status for call in truth.connects] == ["busy", "busy", "completed"]
    assert [ring.number for ring in truth.engaged] == [agent, agent]
