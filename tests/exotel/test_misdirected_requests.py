"""Requests sent to the missed-call address by mistake: each is recognised, and none is a missed call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from missedd.core.model import InboundCall
from missedd.core.reasons import Reason
from missedd.exotel import misdirected_requests as known
from missedd.exotel.misdirected_requests import OtherProduct, identify_product
from missedd.exotel.missed_call_webhook import parse_missed_call
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest
from tests.exotel.payloads import AGENT_RINGS, PURE_MISSED, form, get

CALL = {"CallSid": "abc123", "CallFrom": "09876543210", "CallTo": "08047120001"}
VOICEBOT_2024 = CALL | {
    "From": "09876543210", "To": "08047120099", "Direction": "incoming", "CallStatus": "in-progress",
    "HangupLatencyStartTime": "1720000000", "HangupLatencyStartTimeExocc": "1720000000",
}  # fmt: skip
PASSTHRU_BEFORE = json.dumps({"url": "https://me.example/x?CallSid=abc123"})
VOICEBOT_2026 = VOICEBOT_2024 | {"ServerCode": "4", "passthru": PASSTHRU_BEFORE}
STREAM_START = CALL | {
    "StreamSid": "s1",
    "StreamUrl": "wss://x",
    "EventType": "stream-start",
    "AccountSid": "a",
}


def posted(document: dict[str, Any]) -> WebhookRequest:
    return WebhookRequest("POST", b"", {"content-type": "application/json"}, json.dumps(document).encode())


INTEGRATION_CORE = {
    "AppId": "a", "AppUserID": "u", "CallSid": "abc123", "CallState": "terminal", "CallStatus": "completed",
    "FromNumber": "+919876543210", "ToNumber": "+919999999999", "VirtualNumber": "+918047120001",
    "DialWhomNumber": "", "ExotelAccountSid": "x", "Direction": "incoming",
}  # fmt: skip
CCM = {
    "event_details": {"event_type": "terminal"},
    "call_details": {
        "call_sid": "abc123", "direction": "inbound", "virtual_number": "+918047120001",
        "call_state": "terminal", "call_status": "completed", "total_talk_time": 12,
        "assigned_agent_details": {"name": "A"}, "customer_details": {"contact_uri": "+919876543210"},
    },
}  # fmt: skip
DIAL_WHOM = {"Call": {"Sid": "abc123", "From": "09876543210"}}


def heartbeat(exophones: int = 1) -> dict[str, Any]:
    sids = [f"exo{i}" for i in range(exophones)]
    return {
        "timestamp": "2026-09-29T02:00:31Z",
        "status_type": "CRITICAL",
        "incoming_affected": sids,
        "outgoing_affected": [],
        "data": {sid: {"phone_number": "+918047120001"} for sid in sids},
    }


@pytest.mark.parametrize(
    ("request_", "product"),
    [
        (get(VOICEBOT_2024), known.VOICEBOT),
        (form("&".join(f"{k}={v}" for k, v in VOICEBOT_2026.items()).encode()), known.VOICEBOT),
        (form("&".join(f"{k}={v}" for k, v in STREAM_START.items()).encode()), known.AGENT_STREAM),
        (posted(INTEGRATION_CORE), known.INTEGRATION_CORE),
    ],
)
def test_one_that_names_its_call_is_kept(request_: WebhookRequest, product: OtherProduct) -> None:
    call = parse_missed_call(request_)
    assert isinstance(call, InboundCall)
    assert (call.call_sid, call.not_missed) == ("abc123", Reason.OTHER_PRODUCT)
    assert identify_product(call.fields) is product


def test_the_exophone_of_a_trial_account_is_where_the_caller_rang() -> None:
    call = parse_missed_call(get(VOICEBOT_2024))
    assert isinstance(call, InboundCall)
    assert call.dialled == ("+918047120099", "+918047120001")


@pytest.mark.parametrize(
    ("document", "product"),
    [
        (CCM, known.CCM),
        ({"call_details": {"direction": "inbound", "call_status": "no-answer"}}, known.CCM),
        (DIAL_WHOM, known.DIAL_WHOM),
        ({"Call": {"From": "09876543210"}}, known.DIAL_WHOM),
        (heartbeat(), known.HEARTBEAT),
        (heartbeat() | {"status_type": "OK", "data": {}}, known.HEARTBEAT),
        # An alert about a hundred ExoPhones has more fields than any call.
        (heartbeat(100), known.HEARTBEAT),
        (
            {"campaign_sid": "c", "call_sid": "abc123", "number": "+919876543210", "status": "busy"},
            known.CAMPAIGNS,
        ),
        ({"SmsSid": "s1", "Status": "sent", "To": "09876543210"}, known.SMS),
    ],
)
def test_one_that_names_no_call_is_known_too(document: dict[str, Any], product: OtherProduct) -> None:
    assert parse_missed_call(posted(document)) is product


@pytest.mark.parametrize(
    "fields",
    [
        PURE_MISSED,
        PURE_MISSED | {"HangupLatencyStartTime": "1720000000"},
        PURE_MISSED | {"Stream[StreamSID]": "s1", "Stream[Status]": "failed", "Stream[Duration]": "0"},
        # Lead Assist's three fields look exactly like a missed call.
        {"CallSid": "abc123", "From": "09876543210", "To": "08047120001"},
    ],
)
def test_a_passthru_stays_one_whatever_an_applet_before_it_adds(fields: dict[str, str]) -> None:
    call = parse_missed_call(get(fields))
    assert isinstance(call, InboundCall)
    assert call.not_missed is None


def test_a_popup_is_of_this_product() -> None:
    call = parse_missed_call(get(AGENT_RINGS))
    assert isinstance(call, InboundCall)
    assert call.not_missed is Reason.AGENT_EVENT


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"status_type"', b'{"a": 1}'])
def test_what_cannot_be_read_is_of_no_product(body: bytes) -> None:
    request = WebhookRequest("POST", b"", {"content-type": "application/json"}, body)
    assert isinstance(parse_missed_call(request), RequestRejection)


def test_each_names_the_setting_to_correct() -> None:
    products = [each for each in vars(known).values() if isinstance(each, OtherProduct)]
    assert len({each.name for each in products}) == len(products) == 8
    assert all(len(each.setting) > 20 for each in products)
