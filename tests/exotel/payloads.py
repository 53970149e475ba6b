"""Bodies of webhooks as Exotel sends them; some were captured."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from missedd.core.model import InboundCall
from missedd.exotel.missed_call_webhook import parse_missed_call
from missedd.exotel.webhook_request import WebhookRequest

CALLER = "+919876543210"
EXOPHONE = "+918047120001"

OUTBOUND_2016 = {
    "CallSid": "d50e19c31e3911190a7e601f1056d69a", "CallFrom": "07712345678", "CallTo": "8031234567",
    "CallStatus": "ringing", "Direction": "outbound-dial", "ForwardedFrom": "",
    "Created": "Tue, 16 Feb 2016 15:56:26", "DialCallDuration": "0", "StartTime": "2016-02-16 15:56:26",
    "EndTime": "0000-00-00 00:00:00", "CallType": "incomplete", "DialWhomNumber": "", "flow_id": "68135",
    "tenant_id": "39", "From": "07712345678", "To": "08031234567", "CurrentTime": "2016-02-16 15:56:49",
}  # fmt: skip

AGENT_RINGS = {
    "CallSid": "23c162077629863c1a2d7f29263a162m", "CallFrom": "09999991234", "CallTo": "09999995678",
    "Direction": "incoming", "Created": "Wed, 23 Feb 2022 12:31:59", "CurrentTime": "2022-02-23 12:32:02",
    "DialWhomNumber": "09999999999", "Status": "busy", "EventType": "Dial", "AgentEmail": "a@example.in",
}  # fmt: skip
CONVERSATION_2022 = {
    "CallSid": "23c162077629863c1a2d7f29263a162m", "CallFrom": "09999991234", "CallTo": "08047120001",
    "Direction": "incoming", "ForwardedFrom": "null", "Created": "Wed, 23 Feb 2022 12:31:59",
    "DialCallDuration": "17", "RecordingUrl": "https://s3-ap-southeast-1.amazonaws.com/x.mp3",
    "StartTime": "2022-02-23 12:31:58", "EndTime": "1970-01-01 05:30:00", "DialCallStatus": "completed",
    "CallType": "completed", "ProcessStatus": "null", "flow_id": "228040", "tenant_id": "67291",
    "RecordingAvailableBy": "Wed, 23 Feb 2022 12:37:25", "CurrentTime": "2022-02-23 12:32:25",
    "OutgoingPhoneNumber": "08047120002", "From": "09999991234", "To": "08047120001",
    "Legs[0][Number]": "09999999999", "Legs[0][Type]": "single", "Legs[0][OnCallDuration]": "10",
    "Legs[0][CauseCode]": "NORMAL_CLEARING", "Legs[0][Cause]": "16",
}  # fmt: skip
HUNG_UP_2022 = CONVERSATION_2022 | {
    "CallSid": "d96421addce69e24bdc7ce5880d1162l", "Created": "Mon, 21 Feb 2022 15:58:12",
    "StartTime": "2022-02-21 15:58:12", "DialCallDuration": "0", "DialCallStatus": "canceled",
    "CallType": "client-hangup", "Legs[0][OnCallDuration]": "0", "Legs[0][CauseCode]": "RING_TIMEOUT",
    "Legs[0][Cause]": "1003",
}  # fmt: skip
NOBODY_2022 = HUNG_UP_2022 | {
    "CallSid": "fdb67a2b4b2d057b610a52ef43f81622", "DialCallStatus": "no-answer", "CallType": "incomplete",
}  # fmt: skip
CONVERSATION_2026 = CONVERSATION_2022 | {
    "CallSid": "0123456789abcdef0123456789ab1a9t", "DialCallDuration": "13", "Legs[0][OnCallDuration]": "11",
    "StartTime": "2026-09-29 02:00:31", "Created": "Tue, 29 Sep 2026 02:00:31",
}  # fmt: skip
REJECTED_2026 = CONVERSATION_2026 | {
    "CallType": "incomplete", "DialCallStatus": "busy", "DialCallDuration": "5",
}  # fmt: skip
PURE_MISSED = {
    "CallSid": "c5797dcbaaeed7678c4062a4a3ed2f8a", "CallFrom": "09876543210", "CallTo": "8047120001",
    "Direction": "incoming", "CallStatus": "ringing", "CallType": "call-attempt", "DialWhomNumber": "",
    "DialCallDuration": "0", "Created": "Wed, 23 Feb 2022 12:31:59", "StartTime": "2022-02-23 12:31:58",
    "EndTime": "1970-01-01 05:30:00", "CurrentTime": "2022-02-23 12:32:00", "From": "09876543210",
    "To": "08047120001", "digits": '""', "flow_id": "228040", "tenant_id": "67291",
}  # fmt: skip
NATIVE = {"CallSid": "abc123", "From": CALLER, "To": EXOPHONE, "Status": "missed-call"}


def get(fields: dict[str, str]) -> WebhookRequest:
    return WebhookRequest("GET", urlencode(fields, quote_via=quote).encode())


def form(body: bytes) -> WebhookRequest:
    return WebhookRequest("POST", b"", {"content-type": "application/x-www-form-urlencoded"}, body)


def call_of(request: WebhookRequest) -> InboundCall:
    call = parse_missed_call(request)
    assert isinstance(call, InboundCall)
    return call
