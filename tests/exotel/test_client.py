"""Requests to Exotel: the form that is sent, and the result of each answer."""

from __future__ import annotations

import base64

import httpx
import pytest

from missedd.core.policy import MessageClass
from missedd.core.reasons import Reason
from missedd.exotel.client import OutgoingCall, OutgoingSms
from missedd.exotel.request_result import Accepted, Refused, Unknown
from tests.exotel.recorder import ACCOUNT, AGENT, CUSTOMER, EXOPHONE, KEY, SID, TOKEN, Recorder, client

CALLBACK = OutgoingCall(CUSTOMER, EXOPHONE, flow="12345")
SMS = OutgoingSms("EXAMPL", CUSTOMER, "Thank you for calling.")


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
