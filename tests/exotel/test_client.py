"""What goes out is what Exotel's reference asks for; what comes back is an answer, never an exception."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import httpx
import pytest

from missedd.core.model import Outcome, StatusReport
from missedd.core.policy import MessageClass
from missedd.core.reasons import Reason
from missedd.exotel.client import (
    ExotelAccount,
    ExotelClient,
    OutgoingCall,
    OutgoingSms,
    Unavailable,
    new_exotel_client,
)
from missedd.exotel.request_result import Accepted, Refused, Unknown

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CUSTOMER, AGENT, EXOPHONE = "+919876543210", "+919800000001", "+918047120001"
SID = "c5797dcbaaeed7678c4062a4a3ed2f8a"
KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
ACCOUNT = ExotelAccount("example1", "https://api.in.exotel.example/", KEY, TOKEN)

CALLBACK = OutgoingCall(CUSTOMER, EXOPHONE, flow="12345")
SMS = OutgoingSms("EXAMPL", CUSTOMER, "Thank you for calling.")

type Answering = Callable[[httpx.Request], httpx.Response]


class FixedClock:
    def now(self) -> datetime:
        return NOW


def client(answering: Answering, account: ExotelAccount = ACCOUNT) -> ExotelClient:
    return ExotelClient(new_exotel_client(httpx.MockTransport(answering)), account, FixedClock())


class Recorder:
    """Answers each request with the next of `answers`, and keeps the requests."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.requests[-1].content.decode(), strict_parsing=True))


def made(name: str = "Call") -> httpx.Response:
    return httpx.Response(200, json={name: {"Sid": SID, "Status": "in-progress", "EndTime": None}})


async def test_a_callback_to_a_flow() -> None:
    exotel = Recorder(made())
    order = OutgoingCall(
        CUSTOMER,
        EXOPHONE,
        flow="12345",
        ring_timeout_s=30.0,
        status_callback="https://calls.example.in/exotel/tok/call-status/7",
        custom_field="action-7",
    )
    assert await client(exotel).place_call(order) == Accepted(SID, "200")
    request = exotel.requests[0]
    assert (request.method, str(request.url)) == (
        "POST",
        "https://api.in.exotel.example/v1/Accounts/example1/Calls/connect.json",
    )
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    scheme, _, credentials = request.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(credentials).decode()) == ("Basic", f"{KEY}:{TOKEN}")
    assert exotel.form == {
        "From": CUSTOMER,
        "CallerId": EXOPHONE,
        "Url": "http://my.exotel.com/example1/exoml/start_voice/12345",
        "CallType": "trans",
        "TimeOut": "30",
        "MaxRetries": "0",
        "StatusCallback": "https://calls.example.in/exotel/tok/call-status/7",
        "CustomField": "action-7",
    }


async def test_a_callback_that_connects_two_numbers() -> None:
    exotel = Recorder(made())
    order = OutgoingCall(
        AGENT,
        EXOPHONE,
        to_number=CUSTOMER,
        ring_timeout_s=90,
        time_limit_s=20_000,
        status_callback="https://u",
    )
    await client(exotel).place_call(order)
    assert exotel.form == {
        "From": AGENT,
        "To": CUSTOMER,
        "CallerId": EXOPHONE,
        "CallType": "trans",
        "TimeOut": "60",
        "TimeLimit": "14400",
        "MaxRetries": "0",
        "StatusCallback": "https://u",
        "StatusCallbackEvents[0]": "terminal",
        "StatusCallbackContentType": "application/json",
    }


async def test_a_flow_may_be_a_whole_url() -> None:
    exotel = Recorder(made())
    url = "http://my.exotel.in/exoml/start/9"
    await client(exotel).place_call(OutgoingCall(CUSTOMER, EXOPHONE, flow=url))
    assert exotel.form["Url"] == url


@pytest.mark.parametrize(
    ("sms_type", "expected"),
    [
        (MessageClass.PROMOTIONAL, "promotional"),
        (MessageClass.SERVICE, "transactional"),
        (MessageClass.TRANSACTIONAL, "transactional"),
    ],
)
async def test_an_sms(sms_type: MessageClass, expected: str) -> None:
    exotel = Recorder(made("SMSMessage"))
    order = OutgoingSms(
        "EXAMPL", CUSTOMER, "50% off & more – आज", "1101", "1107", sms_type, "https://u/sms-status/7", "7"
    )
    assert await client(exotel).send_sms(order) == Accepted(SID, "200")
    assert exotel.requests[0].url.path == "/v1/Accounts/example1/Sms/send.json"
    assert exotel.form == {
        "From": "EXAMPL",
        "To": CUSTOMER,
        "Body": "50% off & more – आज",
        "EncodingType": "unicode",
        "SmsType": expected,
        "DltEntityId": "1101",
        "DltTemplateId": "1107",
        "StatusCallback": "https://u/sms-status/7",
        "CustomField": "7",
    }


async def test_an_sms_without_dlt_leaves_the_fields_out() -> None:
    exotel = Recorder(made("SMSMessage"))
    await client(exotel).send_sms(SMS)
    assert exotel.form == {
        "From": "EXAMPL",
        "To": CUSTOMER,
        "Body": "Thank you for calling.",
        "EncodingType": "plain",
        "SmsType": "transactional",
    }


@pytest.mark.parametrize(
    ("to_number", "flow", "custom_field"), [(CUSTOMER, "1", None), (None, None, None), (None, "1", "x" * 129)]
)
def test_orders_that_make_no_sense(to_number: str | None, flow: str | None, custom_field: str | None) -> None:
    with pytest.raises(ValueError, match=r"needs either|at most"):
        OutgoingCall(AGENT, EXOPHONE, to_number=to_number, flow=flow, custom_field=custom_field)


async def test_statuses_are_classified_by_their_api() -> None:
    def throttled(request: httpx.Request) -> httpx.Response:
        body = {"RestException": {"Status": 503, "Code": 40405, "Message": "Throttled"}}
        return httpx.Response(503, json=body, headers={"Retry-After": "7"})

    assert isinstance(await client(throttled).place_call(CALLBACK), Unknown)
    assert await client(throttled).send_sms(SMS) == Refused(
        True, "503:40405", Reason.RATE_LIMITED, "Throttled", 7.0
    )


async def test_a_redirect_is_not_followed() -> None:
    exotel = Recorder(httpx.Response(302, headers={"Location": "https://elsewhere.example/"}))
    answer = await client(exotel).place_call(CALLBACK)
    assert isinstance(answer, Refused)
    assert not answer.retryable
    assert len(exotel.requests) == 1


def test_nothing_secret_in_any_repr() -> None:
    url = "https://calls.example.in/exotel/webhook-token/call-status/7"
    shown = repr((ACCOUNT, OutgoingCall(AGENT, EXOPHONE, CUSTOMER, status_callback=url), SMS))
    for secret in (KEY, TOKEN, CUSTOMER[-10:], AGENT[-10:], EXOPHONE[-10:], "webhook-token"):
        assert secret not in shown


RECORD = {
    "Sid": SID, "DateCreated": "2026-11-23 17:30:01", "From": "09876543210", "To": "08047120001",
    "PhoneNumberSid": "08047120001", "Status": "completed", "EndTime": "2026-11-23 17:31:00",
    "Direction": "outbound-api",
}  # fmt: skip


async def test_call_details() -> None:
    exotel = Recorder(httpx.Response(200, json={"Call": RECORD}))
    report = await client(exotel).call_details(SID)
    assert isinstance(report, StatusReport)
    assert (report.provider_sid, report.outcome) == (SID, Outcome.ANSWERED)
    url = exotel.requests[0].url
    assert (url.path, url.query) == (f"/v1/Accounts/example1/Calls/{SID}.json", b"details=true")


async def test_a_sid_cannot_leave_its_path() -> None:
    exotel = Recorder(httpx.Response(404))
    await client(exotel).call_details("../../x?y")
    assert exotel.requests[0].url.raw_path.startswith(b"/v1/Accounts/example1/Calls/..%2F..%2Fx%3Fy.json?")


async def test_sms_details() -> None:
    record = {"Sid": SID, "Status": "failed-dnd", "DetailedStatusCode": 23005}
    exotel = Recorder(httpx.Response(200, json={"SMSMessage": record}))
    report = await client(exotel).sms_details(SID)
    assert isinstance(report, StatusReport)
    assert (report.status, report.code, report.outcome) == ("failed_dnd", "23005", Outcome.FAILED)
    assert exotel.requests[0].url.path == f"/v1/Accounts/example1/SMS/Messages/{SID}.json"


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(200, text="No matching results"), Reason.NOT_FOUND),
        (httpx.Response(200, json={"RestException": {"Message": "No matching results"}}), Reason.NOT_FOUND),
        (httpx.Response(404, json={"RestException": {"Status": 404, "Code": 1}}), Reason.NOT_FOUND),
        (httpx.Response(200, text=""), Reason.REPLY_LOST),
        (httpx.Response(200, json={"SMSMessage": {}, "Call": {}}), Reason.REPLY_LOST),
        (httpx.Response(200, json={"RestException": {"Status": 403}}), Reason.REPLY_LOST),
        (httpx.Response(429, headers={"Retry-After": "9"}), Reason.RATE_LIMITED),
        (httpx.Response(401), Reason.PROVIDER_AUTH),
        (httpx.Response(500), Reason.REPLY_LOST),
    ],
)
async def test_look_ups_that_tell_nothing(response: httpx.Response, reason: Reason) -> None:
    for look_up in (client(lambda _: response).call_details, client(lambda _: response).sms_details):
        found = await look_up(SID)
        assert isinstance(found, Unavailable)
        assert found.reason is reason
        assert found.retry_after_s == (9.0 if reason is Reason.RATE_LIMITED else None)


SINCE, UNTIL = (
    datetime(2026, 11, 23, 11, 59, 30, 500_000, tzinfo=UTC),
    datetime(2026, 11, 23, 12, 5, tzinfo=UTC),
)


class Turns:
    """Counts the turns of the budget that were taken."""

    def __init__(self) -> None:
        self.taken = 0

    async def __call__(self) -> None:
        self.taken += 1


def page(*records: dict[str, str], following: str | None = None) -> httpx.Response:
    return httpx.Response(200, json={"Metadata": {"NextPageUri": following}, "Calls": list(records)})


async def test_finding_calls_follows_the_pages_on_our_own_host() -> None:
    stranger = RECORD | {"Sid": "other", "From": "09800000099"}
    exotel = Recorder(
        page(RECORD, stranger, following="http://evil.example/steal?After=c1&PageSize=100"),
        page(RECORD | {"Sid": "second", "From": "+919876543210", "EndTime": ""}),
    )
    turns = Turns()
    found = await client(exotel).find_calls(numbers=(CUSTOMER,), since=SINCE, until=UNTIL, acquire_turn=turns)
    assert turns.taken == 2, "every page is a request of its own"
    assert not isinstance(found, Unavailable)
    assert [each.sid for each in found] == [SID, "second"]
    assert [each.from_number for each in found] == [CUSTOMER, CUSTOMER]
    assert found[0].created_at == datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC)
    assert (found[0].to_number, found[0].exophone, found[0].direction) == (EXOPHONE, EXOPHONE, "outbound-api")
    assert [each.report.outcome for each in found] == [Outcome.ANSWERED, None]
    first, second = (request.url for request in exotel.requests)
    assert dict(first.params) == {
        "DateCreated": "gte:2026-11-23 17:29:30;lte:2026-11-23 17:35:01",
        "From": CUSTOMER,
        "PageSize": "100",
    }
    assert b";" not in first.query
    assert (second.host, second.path) == ("api.in.exotel.example", "/v1/Accounts/example1/Calls.json")
    assert dict(second.params) == {"After": "c1", "PageSize": "100"}


async def test_more_numbers_than_a_filter_takes_are_asked_for_in_turn() -> None:
    numbers = tuple(f"+91980000000{n}" for n in range(7))
    exotel = Recorder(page(), page())
    assert (
        await client(exotel).find_calls(numbers=numbers, since=SINCE, until=UNTIL, acquire_turn=Turns()) == ()
    )
    assert [request.url.params["From"].count(",") for request in exotel.requests] == [4, 1]


@pytest.mark.parametrize(
    ("responses", "reason"),
    [
        ([page(RECORD, following="/v1/Accounts/example1/Calls.json?After=x")] * 9, Reason.REPLY_LOST),
        ([page(RECORD, following="/Calls.json?After=x"), httpx.Response(500)], Reason.REPLY_LOST),
        ([httpx.Response(404)], Reason.PROVIDER_REFUSED),
        ([httpx.Response(429)], Reason.RATE_LIMITED),
        ([httpx.Response(200, json={"Calls": "none"})], Reason.REPLY_LOST),
        ([httpx.Response(200, content=json.dumps([RECORD]))], Reason.REPLY_LOST),
    ],
)
async def test_half_a_list_is_no_list(responses: list[httpx.Response], reason: Reason) -> None:
    found = await client(Recorder(*responses)).find_calls(
        numbers=(CUSTOMER,), since=SINCE, until=UNTIL, acquire_turn=Turns()
    )
    assert isinstance(found, Unavailable)
    assert found.reason is reason


MISSED = RECORD | {"Direction": "inbound", "Sid": "in-1"}


async def test_incoming_calls_come_a_page_at_a_time_oldest_first() -> None:
    exotel = Recorder(
        page(MISSED, {"From": "no Sid"}, following="http://evil.example/steal?After=in-1&PageSize=100"),
        page(MISSED | {"Sid": "in-2"}),
    )
    exotel_client = client(exotel)
    first = await exotel_client.incoming_calls(SINCE, UNTIL)
    assert not isinstance(first, Unavailable)
    assert [each.call.call_sid for each in first.calls] == ["in-1"]
    second = await exotel_client.incoming_calls(SINCE, UNTIL, first.next_query)
    assert not isinstance(second, Unavailable)
    assert ([each.call.call_sid for each in second.calls], second.next_query) == (["in-2"], None)
    asked, then = (request.url for request in exotel.requests)
    assert dict(asked.params) == {
        "DateCreated": "gte:2026-11-23 17:29:30;lte:2026-11-23 17:35:01",
        "Direction": "inbound",
        "SortBy": "DateCreated:asc",
        "PageSize": "100",
        "details": "true",
    }
    assert (then.host, dict(then.params)) == (
        "api.in.exotel.example",
        {"After": "in-1", "PageSize": "100", "details": "true"},
    )


async def test_one_incoming_call_with_its_details() -> None:
    exotel = Recorder(httpx.Response(200, json={"Call": MISSED | {"Details": {"ConversationDuration": 9}}}))
    found = await client(exotel).incoming_call("in-1")
    assert not isinstance(found, Unavailable)
    assert (found.call.not_missed, found.has_details) == (Reason.CONVERSATION, True)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(404), Reason.NOT_FOUND),
        (httpx.Response(200, json={"Call": {}}), Reason.REPLY_LOST),
        (httpx.Response(503), Reason.REPLY_LOST),
    ],
)
async def test_an_incoming_call_of_which_nothing_is_told(response: httpx.Response, reason: Reason) -> None:
    found = await client(lambda _: response).incoming_call("in-1")
    assert isinstance(found, Unavailable)
    assert found.reason is reason
