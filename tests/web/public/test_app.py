"""The routing of the public site as a table, and what each outcome looks like to Exotel."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from missedd.core.model import InboundCall, StatusReport, Verdict
from missedd.core.reasons import Reason
from missedd.daemon.apps import PublicRequestLog
from missedd.exotel.misdirected_requests import HEARTBEAT as HEARTBEAT_ALERTS
from missedd.exotel.misdirected_requests import VOICEBOT, OtherProduct
from missedd.exotel.webhook_request import WebhookRequest
from missedd.log.logger import create_logger
from missedd.web.private.metrics import Metrics
from missedd.web.public.app import PublicSite
from missedd.web.public.responses import NoRoom, NotStored
from tests.core.campaigns import NOON

TOKEN = "s3cret-token"
FORM = {"content-type": "application/x-www-form-urlencoded"}
CALL = b"CallSid=abc123&From=%2B919876543210&To=%2B918047120001&Status=missed-call"
REPORT = b"CallSid=out1&Status=completed"
SMS_REPORT = b"SmsSid=sms1&To=09876543210&Status=sent"


@dataclass
class Log:
    lines: list[tuple[Any, ...]] = field(default_factory=list)

    def refused(self, status: int, place: str, why: str) -> None:
        self.lines.append(("refused", status, place, why))

    def misdirected(self, product: OtherProduct) -> None:
        self.lines.append(("misplaced", product.name))

    def unavailable(self, place: str, error: Exception) -> None:
        self.lines.append(("unavailable", place, error))

    def failed(self, place: str, error: Exception) -> None:
        self.lines.append(("failed", place, error))


class Inside:
    """What stands behind the site: says what it was given, answers what it is told to."""

    def __init__(self) -> None:
        self.verdict: Verdict = Verdict.ACCEPTED
        self.error: Exception | None = None
        self.calls: list[InboundCall] = []
        self.reports: list[tuple[str, int, StatusReport]] = []
        self.log = Log()
        self.text = "Thank you."
        self.previewed: list[InboundCall] = []
        self.is_ready = True
        self.site = PublicSite(TOKEN, self.admit, self.report, self, self.log, lambda: self.is_ready)

    async def admit(self, call: InboundCall) -> Verdict:
        self.calls.append(call)
        if self.error is not None:
            raise self.error
        return self.verdict

    async def hand_over_sms(self, call: InboundCall) -> str:
        await self.admit(call)
        return self.text

    async def preview_sms(self, call: InboundCall) -> str:
        self.previewed.append(call)
        return self.text

    async def report(self, kind: str, action_id: int, report: StatusReport) -> None:
        self.reports.append((kind, action_id, report))
        if self.error is not None:
            raise self.error


@pytest.fixture
def inside() -> Inside:
    return Inside()


ROUTES = [
    ("GET", "/exotel/{token}/missed-call", 200),
    ("POST", "/exotel/{token}/missed-call", 200),
    ("HEAD", "/exotel/{token}/missed-call", 200),
    ("PUT", "/exotel/{token}/missed-call", 405),
    ("OPTIONS", "/exotel/{token}/missed-call", 405),
    ("POST", "/exotel/s3cret%2Dtoken/missed-call", 200),
    ("POST", "/exotel/{token}/sms-text", 405),
    ("PUT", "/exotel/{token}/sms-text", 405),
    ("GET", "/exotel/{token}/sms-text/", 404),
    ("GET", "/exotel/wrong/sms-text", 404),
    ("POST", "/exotel/{token}/call-status/7", 200),
    ("GET", "/exotel/{token}/call-status/7", 405),
    ("HEAD", "/exotel/{token}/call-status/7", 405),
    ("GET", "/exotel/{token}/sms-status/7", 405),
    ("POST", "/exotel/{token}/call-status/0", 404),
    ("POST", "/exotel/{token}/call-status/-7", 404),
    ("POST", "/exotel/{token}/call-status/7.0", 404),
    ("POST", "/exotel/{token}/call-status/\u0667", 404),
    ("POST", "/exotel/{token}/call-status/9999999999999999999", 404),
    ("POST", "/exotel/{token}/call-status/", 404),
    ("POST", "/exotel/{token}/call-status", 404),
    ("POST", "/exotel/{token}/call-status/7/8", 404),
    ("POST", "/exotel/{token}/missed-call/", 404),
    ("POST", "/exotel/{token}/", 404),
    ("POST", "/exotel/{token}", 404),
    ("POST", "/exotel/wrong/missed-call", 404),
    ("PUT", "/exotel/wrong/missed-call", 404),
    ("POST", "/exotel//missed-call", 404),
    ("POST", "/exotel/%ff%00/missed-call", 404),
    ("POST", "/exotel/s\u00e9cret/missed-call", 404),
    ("POST", "exotel/{token}/missed-call", 404),
    ("POST", "*", 404),
    ("POST", "/", 404),
    ("GET", "/healthz", 404),
    ("GET", "/readyz", 200),
    ("HEAD", "/readyz", 200),
    ("POST", "/readyz", 404),
    ("GET", "/readyz/", 404),
    ("GET", "/exotel/readyz", 404),
    ("GET", "/exotel/{token}/readyz", 404),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_load_balancer_is_told_when_no_call_would_be_kept(inside: Inside, method: str) -> None:
    inside.is_ready = False
    reply = await inside.site.answer("/readyz", WebhookRequest(method, b"", {}, b""))
    assert (reply.status, reply.headers, reply.body) == (503, (), b"")
    assert inside.log.lines == []


@pytest.mark.parametrize(("method", "path", "status"), ROUTES)
async def test_each_path_and_method(inside: Inside, method: str, path: str, status: int) -> None:
    body = CALL if "missed-call" in path else REPORT
    request = WebhookRequest(method, body, FORM, body)
    reply = await inside.site.answer(path.format(token=TOKEN), request)
    assert reply.status == status
    assert reply.body == b""
    assert ("Allow" in dict(reply.headers)) == (status == 405)
    assert (inside.log.lines == []) == (status == 200)
    if status != 200:
        assert not inside.calls
        assert not inside.reports
        assert TOKEN not in repr(inside.log.lines)


@pytest.mark.parametrize("verdict", Verdict)
async def test_a_verdict_is_told_in_a_header_and_the_body_stays_empty(
    inside: Inside, verdict: Verdict
) -> None:
    inside.verdict = verdict
    reply = await inside.site.answer(f"/exotel/{TOKEN}/missed-call", WebhookRequest("POST", b"", FORM, CALL))
    assert (reply.status, reply.body) == (200, b"")
    assert dict(reply.headers) == {"Missedd-Verdict": verdict.value}
    assert inside.calls[0].call_sid == "abc123"


JSON = {"content-type": "application/json"}
HEARTBEAT = b'{"status_type":"CRITICAL","incoming_affected":["exo1"],"data":{"exo1":{"phone_number":"+91"}}}'
INTEGRATION_CORE = b'{"AppUserID":"u1","CallSid":"abc123","CallState":"active","VirtualNumber":"08047120001"}'


async def test_what_another_product_sends_is_taken_and_told(inside: Inside) -> None:
    inside.verdict = Verdict.NOT_MISSED
    for body, calls in ((HEARTBEAT, 0), (INTEGRATION_CORE, 1)):
        request = WebhookRequest("POST", b"", JSON, body)
        reply = await inside.site.answer(f"/exotel/{TOKEN}/missed-call", request)
        assert (reply.status, dict(reply.headers)) == (200, {"Missedd-Verdict": "not-missed"})
        assert len(inside.calls) == calls
    assert inside.calls[0].not_missed is Reason.OTHER_PRODUCT
    assert inside.log.lines == [("misplaced", "heartbeat"), ("misplaced", "integration-core")]


async def test_no_text_is_for_another_product(inside: Inside) -> None:
    request = WebhookRequest("GET", b"status_type=OK&CallSid=")
    reply = await inside.site.answer(f"/exotel/{TOKEN}/sms-text", request)
    assert (reply.status, reply.body, inside.calls) == (200, b"", [])


async def test_another_product_is_told_of_once_an_hour(autojump_clock: MockClock) -> None:
    lines = StringIO()
    metrics = Metrics()
    edge = PublicRequestLog(create_logger(lines, style="json", now=lambda: NOON), metrics)
    for _ in range(7):
        edge.misdirected(HEARTBEAT_ALERTS)
        edge.misdirected(VOICEBOT)
        await trio.sleep(1000)
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(each["event"], each["level"], each["product"], each["requests"]) for each in told] == [
        ("webhook.misplaced", "warning", "heartbeat", 1),
        ("webhook.misplaced", "warning", "voicebot", 1),
        ("webhook.misplaced", "warning", "heartbeat", 4),
        ("webhook.misplaced", "warning", "voicebot", 4),
    ]
    assert "Voicebot or Stream applet in App Bazaar" in told[1]["advice"]


def test_refusals_are_counted_and_told_now_and_then() -> None:
    lines, metrics = StringIO(), Metrics()
    edge = PublicRequestLog(create_logger(lines, style="json", now=lambda: NOON), metrics)
    for _ in range(1_234):
        edge.refused(503, "?", "too many connections")
    for n in range(11):
        edge.refused(400, f"call-status/{n}", "CallSid is missing")
        edge.failed(f"call-status/{n}", ValueError(f"of {n}"))
    told = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(each["event"], each["status"], each.get("times", 1)) for each in told] == [
        *(("webhook.refused", 503, times) for times in (1, 10, 100, 1_000)),
        ("webhook.refused", 400, 1),
        ("request.failed", 503, 1),
        ("webhook.refused", 400, 10),
        ("request.failed", 503, 10),
    ]
    assert (metrics.refused.value(503), metrics.refused.value(400)) == (1_245, 11)


async def test_a_probe_admits_nothing(inside: Inside) -> None:
    reply = await inside.site.answer(f"/exotel/{TOKEN}/missed-call", WebhookRequest("HEAD", CALL))
    assert (reply.status, reply.headers, inside.calls) == (200, (), [])


APPLET = b"CallSid=abc123&From=09876543210&To=08047120001&digits=%221%22"


@pytest.mark.parametrize("text", ["Thank you.", "", "धन्यवाद"])
async def test_the_applet_is_given_a_text_and_nothing_else(inside: Inside, text: str) -> None:
    inside.text = text
    path = f"/exotel/{TOKEN}/sms-text"
    head = await inside.site.answer(path, WebhookRequest("HEAD", APPLET))
    assert (inside.calls, len(inside.previewed)) == ([], 1)
    reply = await inside.site.answer(path, WebhookRequest("GET", APPLET))
    assert (reply.status, reply.body) == (200, text.encode())
    assert reply.headers == (("Content-Type", "text/plain"),)
    assert head.to_bytes(is_last=False, without_body=True) == reply.head + b"\r\n"
    (call,) = inside.calls
    assert (call.call_sid, call.caller, call.shape) == ("abc123", "+919876543210", "sms-applet")
    assert (call.dialled, call.not_missed) == (("+918047120001",), None)


async def test_a_probe_of_the_applets_address_finds_it(inside: Inside) -> None:
    reply = await inside.site.answer(f"/exotel/{TOKEN}/sms-text", WebhookRequest("HEAD"))
    assert (reply.status, reply.headers, reply.body) == (200, (("Content-Type", "text/plain"),), b"")
    assert (inside.calls, inside.previewed) == ([], [])


async def test_without_a_call_there_is_no_text(inside: Inside) -> None:
    reply = await inside.site.answer(f"/exotel/{TOKEN}/sms-text", WebhookRequest("GET", b"From=0987"))
    assert reply.status == 400
    assert ("Content-Type", "application/problem+json") in reply.headers


async def test_a_text_that_is_not_on_record_is_not_given(inside: Inside) -> None:
    inside.error = NotStored()
    reply = await inside.site.answer(f"/exotel/{TOKEN}/sms-text", WebhookRequest("GET", APPLET))
    assert (reply.status, reply.body) == (503, b"")
    assert inside.log.lines == [("unavailable", "sms-text", inside.error)]


@pytest.mark.parametrize(
    ("path", "body"),
    [("missed-call", b"From=0987"), ("call-status/7", b"nothing=1"), ("sms-status/7", b"nothing=1")],
)
async def test_what_is_not_understood_is_a_problem_in_words(inside: Inside, path: str, body: bytes) -> None:
    reply = await inside.site.answer(f"/exotel/{TOKEN}/{path}", WebhookRequest("POST", b"", FORM, body))
    assert reply.status == 400
    assert ("Content-Type", "application/problem+json") in reply.headers
    assert set(json.loads(reply.body)) == {"title", "detail", "status"}
    assert json.loads(reply.body)["status"] == 400
    assert inside.log.lines[0][:3] == ("refused", 400, path)


async def test_reports_reach_their_action(inside: Inside) -> None:
    for path, body in (("call-status/7", REPORT), ("sms-status/8", SMS_REPORT)):
        request = WebhookRequest("POST", b"", FORM, body)
        reply = await inside.site.answer(f"/exotel/{TOKEN}/{path}", request)
        assert (reply.status, reply.headers, reply.body) == (200, (), b"")
    assert [each[:2] for each in inside.reports] == [("call", 7), ("sms", 8)]
    assert [each[2].provider_sid for each in inside.reports] == ["out1", "sms1"]


@pytest.mark.parametrize("path", ["missed-call", "call-status/7"])
@pytest.mark.parametrize(
    ("error", "line"),
    [(NotStored(), "unavailable"), (NoRoom(), "unavailable"), (ZeroDivisionError(), "failed")],
)
async def test_what_could_not_be_kept_is_asked_for_again(
    inside: Inside, path: str, error: Exception, line: str
) -> None:
    inside.error = error
    body = CALL if path == "missed-call" else REPORT
    reply = await inside.site.answer(f"/exotel/{TOKEN}/{path}", WebhookRequest("POST", b"", FORM, body))
    assert (reply.status, reply.body) == (503, b"")
    assert dict(reply.headers) == {"Retry-After": "5"}
    assert inside.log.lines == [(line, path, error)]


async def test_the_errors_that_ask_for_another_try_can_be_named(inside: Inside) -> None:
    site = PublicSite(TOKEN, inside.admit, inside.report, inside, inside.log, lambda: True, (LookupError,))
    inside.error = KeyError("x")
    reply = await site.answer(f"/exotel/{TOKEN}/missed-call", WebhookRequest("POST", b"", FORM, CALL))
    assert reply.status == 503
    assert inside.log.lines[0][0] == "unavailable"
