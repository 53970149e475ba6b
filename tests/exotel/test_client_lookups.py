"""Lookups at Exotel: call details, SMS details, and the list of calls page by page."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from missedd.core.model import Outcome, StatusReport
from missedd.core.reasons import Reason
from missedd.exotel.client import Unavailable
from tests.exotel.recorder import CUSTOMER, EXOPHONE, SID, Recorder, client

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
    """Counts the slots of the rate limit that were taken."""

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
