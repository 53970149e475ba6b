"""Missed calls on their way in, and what can happen to them there."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.inbound_calls import NoMissedCallUrl
from simulator.exchange.model.caller_pool import CallerPool
from simulator.exchange.model.faults import Fault
from simulator.exchange.webhooks.request import HttpPoster, OutboundWebhook, PostFailed, PostResult

CALLER = "+919876543210"
PLAIN = {"content-type": "text/plain"}


async def test_passthru(bench: Any, autojump_clock: MockClock) -> None:
    ring = bench.exchange.ring_in(CALLER)
    await trio.sleep(1)
    (webhook,) = bench.posted
    assert (webhook.method, webhook.body) == ("GET", b"")
    assert urlsplit(webhook.url).query.startswith("key=a%2Fb&CallSid=")
    fields = dict(parse_qsl(urlsplit(webhook.url).query, keep_blank_values=True))
    assert fields["CallSid"] == ring.call_sid
    assert (fields["CallFrom"], fields["From"]) == ("09876543210", "09876543210")
    assert (fields["CallTo"], fields["To"]) == ("8047120001", "08047120001")
    assert (fields["Direction"], fields["CallStatus"]) == ("incoming", "ringing")
    assert fields["CallType"] == "call-attempt"
    assert fields["Created"] == "Mon, 23 Nov 2026 12:00:00"
    assert fields["StartTime"] == "2026-11-23 12:00:00"
    assert fields["EndTime"] == "1970-01-01 05:30:00"
    assert fields["DialWhomNumber"] == ""
    (delivery,) = bench.exchange.ground_truth.deliveries_of(ring.call_sid)
    assert (delivery.status, delivery.verdict) == (200, "accepted")


async def test_native(bench: Any, autojump_clock: MockClock) -> None:
    ring = bench.exchange.ring_in(CALLER, shape="native")
    bench.exchange.ring_in(CALLER, shape="native", spelling="bare", with_date=False, call_sid=ring.call_sid)
    await trio.sleep(1)
    bodies = sorted(webhook.body for webhook in bench.posted)
    sid = ring.call_sid.encode()
    assert bodies == [
        b"CallSid=" + sid + b"&From=+919876543210&To=+918047120001&Status=missed-call"
        b"&DateCreated=2026-11-23+12%3A00%3A00",
        b"CallSid=" + sid + b"&From=9876543210&To=8047120001&Status=missed-call",
    ]


async def test_both_shapes_share_a_sid(bench: Any, autojump_clock: MockClock) -> None:
    ring = bench.exchange.ring_in(CALLER, shape="both")
    await trio.sleep(1)
    assert [webhook.method for webhook in bench.posted] == ["GET", "POST"]
    assert bench.posted_form()["CallSid"] == ring.call_sid
    assert bench.exchange.ground_truth.acknowledged_calls() == [ring.call_sid]


async def test_nothing_is_told_of_an_abandoned_call(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.ring_in(CALLER, shape="abandoned")
    await trio.sleep(1000)
    assert bench.posted == []
    bench.settings.missed_call_url = None
    with pytest.raises(NoMissedCallUrl):
        bench.exchange.ring_in(CALLER)


async def test_retried_with_the_same_sid(bench: Any, autojump_clock: MockClock) -> None:
    def fail_once(_: OutboundWebhook) -> PostResult:
        if len(bench.posted) == 1:
            raise PostFailed("refused")
        return PostResult(200)

    bench.webhook_response = fail_once
    ring = bench.exchange.ring_in(CALLER)
    await trio.sleep(2000)
    first, second = bench.exchange.ground_truth.deliveries_of(ring.call_sid)
    assert (first.status, first.failure, second.status) == (None, "refused", 200)
    assert bench.posted[0] == bench.posted[1]


async def test_slow_answers_time_out(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.settings.webhook_retry_waits_s = ()

    async def sleep(_: OutboundWebhook) -> PostResult:
        await trio.sleep(60)
        return PostResult(200)

    bench.exchange._inbound._webhooks._poster = sleep
    ring = bench.exchange.ring_in(CALLER)
    await trio.sleep(100)
    (delivery,) = bench.exchange.ground_truth.deliveries
    assert delivery.failure == "no answer in 15 s"
    assert ring.heard_ringing_s == 15


async def test_faults_of_the_way(bench: Any, autojump_clock: MockClock) -> None:
    faults, truth = bench.exchange.faults, bench.exchange.ground_truth

    async def told(fault: Fault) -> list[tuple[float, int | None, bool]]:
        faults.activate(fault)
        ring = bench.exchange.ring_in(CALLER)
        await trio.sleep(4000)
        faults.clear()
        return [
            ((one.at - ring.rung_at).total_seconds(), one.status, one.copy)
            for one in truth.deliveries_of(ring.call_sid)
        ]

    assert await told(Fault("lose", "webhook")) == [(0, None, False)]
    assert sorted(await told(Fault("duplicate", "webhook"))) == [(0, 200, False), (0, 200, True)]
    assert await told(Fault("delay", "webhook", delay_s=900)) == [(900, 200, False)]
    assert await told(Fault("hang-up", "any", times=1)) == [(0, None, False), (300, 200, False)]
    ((late_s, _, _),) = await told(Fault("reorder", "webhook", delay_s=50))
    assert 0 < late_s < 50
    assert await told(Fault("lose", "report")) == [(0, 200, False)]


async def test_the_sms_applet_wants_plain_text_exactly(bench: Any, autojump_clock: MockClock) -> None:
    bench.settings.sms_text_url = "http://daemon.test/sms-text"
    content_type = "text/plain; charset=utf-8"
    bench.webhook_response = lambda _: PostResult(200, {"content-type": content_type}, b"Thank you")
    bench.exchange.ring_in(CALLER)
    await trio.sleep(10)
    assert [webhook.method for webhook in bench.posted] == ["GET", "HEAD"]
    (dropped,) = bench.exchange.ground_truth.dropped_texts
    why = "HEAD was answered as text/plain; charset=utf-8; it has to be exactly text/plain, without a charset"
    assert (dropped.number, dropped.why) == (CALLER, why)
    assert bench.printed_lines == [f"no SMS for call {dropped.call_sid}: {why}"]
    content_type = "text/plain"
    bench.exchange.ring_in(CALLER)
    await trio.sleep(10)
    (text,) = bench.exchange.ground_truth.texts_to(CALLER)
    assert (text.body, text.via) == ("Thank you", "applet")


@pytest.mark.parametrize(
    ("head", "get", "why"),
    [
        (PostResult(404), PostResult(200), "HEAD was answered with 404"),
        (PostResult(200), PostResult(200), "HEAD was answered without a Content-Type"),
        (PostResult(204, PLAIN), PostResult(204, PLAIN), "GET was answered with 204"),
        (PostResult(200, PLAIN), PostResult(200, {"content-type": "text/html"}, b"a"), "GET was answered as"),
        (PostResult(200, PLAIN), PostResult(200, PLAIN), "the text is empty"),
        (
            PostResult(200, PLAIN | {"content-length": "0"}),
            PostResult(200, PLAIN, "नमस्ते".encode()),
            "HEAD told of 0 bytes, GET brought 18",
        ),
    ],
)
async def test_a_dropped_text_says_why(
    bench: Any, autojump_clock: MockClock, head: PostResult, get: PostResult, why: str
) -> None:
    bench.settings.sms_text_url = "http://daemon.test/sms-text"
    bench.webhook_response = lambda webhook: head if webhook.method == "HEAD" else get
    bench.exchange.ring_in(CALLER)
    await trio.sleep(10)
    assert bench.exchange.ground_truth.texts == []
    (dropped,) = bench.exchange.ground_truth.dropped_texts
    assert dropped.why.startswith(why)


async def test_posting_over_http_changes_nothing_on_the_way() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if len(seen) == 3:
            raise httpx.ConnectError("refused")
        return httpx.Response(302, headers={"Missedd-Verdict": "accepted", "location": "http://d.test/b"})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        post = HttpPoster(client)
        posted = await post(OutboundWebhook("POST", "http://d.test/m?key=a%2Fb+c", {}, b"From=+9198"))
        await post(OutboundWebhook("GET", "http://d.test/m?CallFrom=%2B9198&digits=%221%22"))
        with pytest.raises(PostFailed, match="ConnectError: refused"):
            await post(OutboundWebhook("GET", "http://d.test/m"))
    assert (posted.status, posted.headers["missedd-verdict"]) == (302, "accepted")
    assert (seen[0].url.query, seen[0].content) == (b"key=a%2Fb+c", b"From=+9198")
    assert seen[1].url.query == b"CallFrom=%2B9198&digits=%221%22"


def test_a_crowd_is_the_same_for_the_same_seed() -> None:
    crowd = CallerPool(3).draw_callers(300)
    assert crowd == CallerPool(3).draw_callers(300)
    assert crowd != CallerPool(4).draw_callers(300)
    assert {person.number[:4] for person in crowd} == {"+916", "+917", "+918", "+919"}
    assert len({person.number for person in crowd}) == 300
