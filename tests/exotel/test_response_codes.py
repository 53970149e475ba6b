"""A result is Refused only if the request surely had no effect; every other failure is Unknown."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.exotel.response_body import parse_body
from missedd.exotel.response_codes import Api, interpret_response, parse_retry_after_s

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SID = "c5797dcbaaeed7678c4062a4a3ed2f8a"


def error(status: int | str, message: str, code: int | str | None = None) -> bytes:
    inner: dict[str, object] = {"Status": status, "Message": message}
    if code is not None:
        inner["Code"] = code
    return json.dumps({"RestException": inner}).encode()


def xml_error(status: int, message: str, code: str = "") -> bytes:
    inner = f"<Status>{status}</Status>" + (f"<Code>{code}</Code>" if code else "")
    text = f"<RestException>{inner}<Message>{message}</Message></RestException>"
    return f'<?xml version="1.0"?>\n<TwilioResponse>{text}</TwilioResponse>'.encode()


def meaning(api: Api, status: int, body: bytes, retry_after: str | None = None) -> Answer:
    return interpret_response(api, status, body, now=NOW, retry_after=retry_after)


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (
            Api.VOICE,
            b'{"Call":{"Sid":"c5797dcbaaeed7678c4062a4a3ed2f8a","Status":"in-progress","EndTime":null}}',
        ),
        (
            Api.SMS,
            b'{"SMSMessage":{"Sid":"c5797dcbaaeed7678c4062a4a3ed2f8a","Uri":"\\/v1\\/x","Price":null}}',
        ),
        (
            Api.VOICE,
            b"<TwilioResponse><Call><Sid>c5797dcbaaeed7678c4062a4a3ed2f8a</Sid></Call></TwilioResponse>",
        ),
    ],
)
@pytest.mark.parametrize("status", [200, 202])
def test_accepted(api: Api, body: bytes, status: int) -> None:
    assert meaning(api, status, body) == Accepted(SID, str(status))


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"OK"),
        (200, b"{"),
        (200, b"[1]"),
        (200, b"\xff\xfe"),
        (200, b'{"Call":{"Sid":null}}'),
        (200, b'{"Call":{"Sid":""}}'),
        (200, b'{"Call":[]}'),
        (200, error(403, "TRAI NDNC")),
        (200, xml_error(400, "Invalid Parameters")),
        (200, b'{"Call":{"Sid":"a1"},"RestException":{"Status":500}}'),
        (200, b'{"response":{"error_data":{"code":1030,"message":"throttled"}}}'),
        (204, b""),
        (500, error(500, "Internal Server Error", 35000)),
        (502, b"<html><body>Bad gateway</body></html>"),
        (504, b""),
        (599, b""),
        (100, b""),
    ],
)
def test_unknown(api: Api, status: int, body: bytes) -> None:
    answer = meaning(api, status, body)
    assert isinstance(answer, Unknown)
    assert answer.reason is Reason.REPLY_LOST


@pytest.mark.parametrize("api", Api)
@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (400, error(400, "The 'From' parameter is required."), Reason.PROVIDER_REFUSED),
        (400, error("400", "Bad or missing parameters"), Reason.PROVIDER_REFUSED),
        (400, error(400, "key must be alphanumeric", 34001), Reason.PROVIDER_AUTH),
        (
            401,
            error(401, "Authentication failed. Verify your API key and token.", 34010),
            Reason.PROVIDER_AUTH,
        ),
        (401, b"Unauthorized", Reason.PROVIDER_AUTH),
        (402, b"", Reason.ACCOUNT_PROBLEM),
        (403, error(403, "Phone number is registered under TRAI NDNC"), Reason.DO_NOT_DISTURB),
        (403, xml_error(403, "TRAI NDNC"), Reason.DO_NOT_DISTURB),
        (403, error(403, "Account is not KYC compliant"), Reason.ACCOUNT_PROBLEM),
        (403, error("403", "Insufficient balance to send the SMS", 40001), Reason.ACCOUNT_PROBLEM),
        (403, xml_error(403, "Account is not active"), Reason.ACCOUNT_PROBLEM),
        (403, error(403, "Account validity has expired"), Reason.ACCOUNT_PROBLEM),
        (403, error(403, "", "340030"), Reason.ACCOUNT_PROBLEM),
        (403, error(403, "Country not enabled for this account", 40003), Reason.PROVIDER_REFUSED),
        (403, error(403, "Forbidden", 34009), Reason.PROVIDER_AUTH),
        (403, b"<html>Forbidden</html>", Reason.PROVIDER_AUTH),
        (404, b"", Reason.PROVIDER_REFUSED),
        (405, error(405, "unknown endpoint", 40502), Reason.PROVIDER_REFUSED),
        (409, b"", Reason.PROVIDER_REFUSED),
        (410, b"", Reason.PROVIDER_REFUSED),
        (418, b"", Reason.PROVIDER_REFUSED),
        (301, b"", Reason.PROVIDER_REFUSED),
        (302, b"", Reason.PROVIDER_REFUSED),
    ],
)
def test_refused_for_good(api: Api, status: int, body: bytes, reason: Reason) -> None:
    answer = meaning(api, status, body, "30")
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.retryable, answer.retry_after_s) == (reason, False, None)
    assert answer.code.startswith(str(status))


@pytest.mark.parametrize(
    ("api", "status", "body", "expected"),
    [
        (Api.VOICE, 429, error(429, "Too Many Requests"), Reason.RATE_LIMITED),
        (Api.VOICE, 429, error(429, "Rate limit exceeded", "RATE_LIMIT_EXCEEDED"), Reason.RATE_LIMITED),
        (Api.VOICE, 429, b"", Reason.RATE_LIMITED),
        (Api.VOICE, 408, b"", Reason.CONNECTION_FAILED),
        (Api.SMS, 429, error(429, "Too Many Requests", 40402), Reason.RATE_LIMITED),
        (Api.SMS, 503, error(503, "Throttled", 40405), Reason.RATE_LIMITED),
        (Api.SMS, 503, xml_error(503, "Throttled", "40405"), Reason.RATE_LIMITED),
        (Api.SMS, 503, b"Service Unavailable", Reason.RATE_LIMITED),
    ],
)
def test_refused_for_now(api: Api, status: int, body: bytes, expected: Reason) -> None:
    answer = meaning(api, status, body, "7")
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.retryable, answer.retry_after_s) == (expected, True, 7.0)


def test_one_code_means_different_things_to_the_two_apis() -> None:
    trial = meaning(Api.SMS, 429, error(429, "Trial quota", 40404), "7")
    assert trial == Refused(False, "429:40404", Reason.ACCOUNT_PROBLEM, "Trial quota")
    for body in (error(503, "Throttled", 40405), b"Service Unavailable"):
        assert isinstance(meaning(Api.VOICE, 503, body), Unknown)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("30", 30.0),
        (" 0 ", 0.0),
        ("1.5", 1.5),
        ("Mon, 23 Nov 2026 12:00:45 GMT", 45.0),
        ("Mon, 23 Nov 2026 17:30:45 +0530", 45.0),
        ("Mon, 23 Nov 2026 12:00:45", 45.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2099 11:00:00 GMT", 86_400.0),
        ("999999999", 86_400.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("1" * 5000, None),
        ("Mon, 99 Nov 2026 11:00:00 GMT", None),
    ],
)
def test_retry_after(header: str | None, expected: float | None) -> None:
    assert parse_retry_after_s(header, NOW) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (error(400, "Invalid Recipient [+919876543210]"), "Invalid Recipient […3210]"),
        (error(400, "098765 43210 is on 080-4712-0001"), "…3210 is on …0001"),
        (xml_error(400, "a &amp; b"), "a & b"),
        (b"<html><h1>Bad\n gateway</h1></html>", "Bad gateway"),
        (b"Unauthorized", "Unauthorized"),
        (b'{"message":"no"}', "no"),
        (b'{"RestException":"plain"}', "plain"),
        (b"x" * 1000, "x" * 199 + "…"),
        (b'{"RestException": {"Message": "cut short \\ud83d"}}', "cut short ?"),
    ],
)
def test_messages_are_short_and_name_nobody(body: bytes, message: str) -> None:
    assert parse_body(body).message == message


@given(
    st.sampled_from(Api),
    st.integers(100, 599),
    st.binary(max_size=200) | st.text().map(str.encode),
    st.text(),
)
def test_never_raises_and_never_calls_a_5xx_refused(api: Api, status: int, body: bytes, header: str) -> None:
    answer = meaning(api, status, body, header)
    if status >= 500:
        assert isinstance(answer, Unknown)
    elif status >= 300:
        assert isinstance(answer, Refused)
