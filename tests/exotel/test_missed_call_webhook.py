"""Captured payloads, and their documented variants, are read as what they are."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.model import InboundCall, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.missed_call_webhook import parse_missed_call
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest

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


@pytest.mark.parametrize(
    ("fields", "not_missed"),
    [
        (OUTBOUND_2016, Reason.OUTBOUND_LEG),
        (AGENT_RINGS, Reason.AGENT_EVENT),
        (CONVERSATION_2022, Reason.CONVERSATION),
        (HUNG_UP_2022, None),
        (NOBODY_2022, None),
        (CONVERSATION_2026, Reason.CONVERSATION),
        (REJECTED_2026, None),
        (PURE_MISSED, None),
        (NATIVE, None),
    ],
)
def test_captured_payloads(fields: dict[str, str], not_missed: Reason | None) -> None:
    call = call_of(get(fields))
    assert call.call_sid == fields["CallSid"]
    assert call.not_missed is not_missed
    assert call.fields == fields
    assert call.caller is not None
    assert call.dialled


def test_a_pure_missed_call() -> None:
    call = call_of(get(PURE_MISSED))
    assert (call.caller, call.dialled, call.shape) == (CALLER, (EXOPHONE,), "passthru")
    assert call.called_at == datetime(2022, 2, 23, 7, 1, 58, tzinfo=UTC)
    assert call.report is None


@pytest.mark.parametrize(
    "request_",
    [
        form(b"CallSid=abc123&From=+919876543210&To=+918047120001&Status=missed-call"),
        form(b"CallSid=abc123&From=%2B919876543210&To=%2B918047120001&Status=Missed_Call"),
        form(b"CallSid=abc123&From=%2B919876543210&To=%2B918047120001"),
        WebhookRequest("POST", b"CallSid=abc123&From=9876543210", {}, b"To=08047120001&Status=missed-call"),
        WebhookRequest(
            "POST",
            b"",
            {"content-type": "application/json"},
            b'{"CallSid":"abc123","From":"+919876543210","To":"+918047120001","Status":"missed-call"}',
        ),
        WebhookRequest(
            "POST",
            b"",
            {"content-type": 'multipart/form-data; boundary="b"'},
            b'--b\r\nContent-Disposition: form-data; name="CallSid"\r\n\r\nabc123\r\n'
            b'--b\r\nContent-Disposition: form-data; name="From"\r\n\r\n+919876543210\r\n'
            b'--b\r\nContent-Disposition: form-data; name="To"\r\n\r\n08047120001\r\n--b--\r\n',
        ),
    ],
)
def test_the_native_webhook_in_every_encoding(request_: WebhookRequest) -> None:
    call = call_of(request_)
    assert (call.call_sid, call.caller, call.dialled) == ("abc123", CALLER, (EXOPHONE,))
    assert (call.shape, call.not_missed, call.called_at) == ("native", None, None)


def test_the_exophone_is_looked_for_in_every_field_that_may_name_it() -> None:
    fields = PURE_MISSED | {"To": "08047120001", "CallTo": "8047120002", "OutgoingPhoneNumber": "08047120003"}
    assert call_of(get(fields)).dialled == ("+918047120001", "+918047120002", "+918047120003")
    assert call_of(get(fields | {"To": "null"})).dialled == ("+918047120002", "+918047120003")
    outbound = fields | {"Direction": "outbound-api"}
    assert call_of(get(outbound)).dialled == ("+918047120001", "+918047120002")
    assert call_of(get({"CallSid": "a", "From": CALLER, "To": ""})).dialled == ()


@pytest.mark.parametrize(
    ("call_from", "from_", "caller"),
    [
        ("09876543210", "0123", CALLER),
        ("null", "09876543210", CALLER),
        ("", "9876543210", CALLER),
        ("anonymous", "sip:anonymous@anonymous.invalid", None),
    ],
)
def test_the_caller_is_the_first_number_that_is_one(call_from: str, from_: str, caller: str | None) -> None:
    assert call_of(get(PURE_MISSED | {"CallFrom": call_from, "From": from_})).caller == caller


@pytest.mark.parametrize(
    ("changes", "not_missed"),
    [
        ({"CallStatus": "in-progress"}, None),
        ({"CallStatus": "completed"}, None),
        ({"CallType": "voicemail", "DialCallStatus": "no-answer"}, Reason.VOICEMAIL),
        ({"CallType": "Completed"}, Reason.CONVERSATION),
        ({"CallType": "client-hangup", "DialCallStatus": "canceled", "CallStatus": "completed"}, None),
        ({"CallType": "client-hangup", "ConversationDuration": "12"}, Reason.CONVERSATION),
        ({"ConversationDuration": "0"}, None),
        ({"ConversationDuration": "NA"}, None),
        ({"Legs[0][OnCallDuration]": "11"}, Reason.CONVERSATION),
        ({"Legs[3][OnCallDuration]": "00:00:11"}, Reason.CONVERSATION),
        ({"Legs[0][OnCallDuration]": "0", "Legs[1][OnCallDuration]": ""}, None),
        ({"CallType": "incomplete", "DialCallStatus": "no-answer", "DialCallDuration": "40",
          "Legs[0][OnCallDuration]": "0", "Legs[1][OnCallDuration]": "31"}, Reason.CONVERSATION),
        ({"CallType": "incomplete", "DialCallStatus": "busy", "DialCallDuration": "5",
          "Legs[0][OnCallDuration]": "11"}, None),
        ({"Legs[0][Status]": "Completed"}, Reason.CONVERSATION),
        ({"Legs[0][Status]": "no-answer"}, None),
        ({"Insights[DialCallStatus]": "completed"}, Reason.CONVERSATION),
        ({"Insights[DialCallStatus]": "no-answer", "Legs[0][Insights][RingingDuration]": "20"}, None),
        ({"Legs[1][Insights][Status]": "completed"}, Reason.CONVERSATION),
        ({"Legs[0][Insights][Status]": "busy", "Legs[0][Insights][DetailedStatus]": "BUSY_CALLEE"}, None),
        ({"Stream[Status]": "completed", "Stream[Duration]": "41", "Stream[DisconnectedBy]": "user"},
         Reason.CONVERSATION),
        ({"Stream[Status]": "Completed", "Stream[Duration]": "1"}, Reason.CONVERSATION),
        ({"Stream[Status]": "completed", "Stream[Duration]": "0"}, None),
        ({"Stream[Status]": "completed"}, None),
        ({"Stream[Status]": "failed", "Stream[Duration]": "3", "Stream[Error]": "3009"}, None),
        ({"CallType": "voicemail", "Stream[Status]": "failed"}, Reason.VOICEMAIL),
        ({"CallType": "incomplete", "DialCallStatus": "completed"}, Reason.CONVERSATION),
        ({"CallType": "", "CallStatus": "in-progress"}, Reason.STILL_IN_PROGRESS),
        ({"CallType": "", "CallStatus": "in-progress", "DialCallStatus": "no-answer"}, None),
        ({"CallType": "", "CallStatus": "ringing"}, None),
        ({"CallType": "something-new", "CallStatus": "no-answer"}, None),
        ({"CallType": "something-new", "DialCallStatus": "something-new"}, None),
        ({"Direction": "outbound-api"}, Reason.OUTBOUND_LEG),
        ({"Direction": "inbound"}, None),
        ({"Status": "busy"}, Reason.AGENT_EVENT),
        ({"Status": "free"}, Reason.AGENT_EVENT),
        ({"EventType": "answered"}, Reason.AGENT_EVENT),
        ({"EventType": "terminal", "Status": "completed"}, Reason.AGENT_EVENT),
        ({"Status": "missed-call", "EventType": "terminal"}, None),
        ({"AgentEmail": "a@example.in", "CallType": "completed"}, Reason.CONVERSATION),
        ({"AgentEmail": "a@example.in"}, Reason.AGENT_EVENT),
    ],
)  # fmt: skip
def test_passthru_words(changes: dict[str, str], not_missed: Reason | None) -> None:
    assert call_of(get(PURE_MISSED | changes)).not_missed is not_missed


@pytest.mark.parametrize(
    ("changes", "not_missed"),
    [
        ({"Status": "MISSED-CALL"}, None),
        ({"Status": "no-answer"}, None),
        ({"Status": "busy"}, None),
        ({"Status": "busy", "AgentEmail": "a@example.in"}, Reason.AGENT_EVENT),
        ({"Status": "free", "DialWhomNumber": ""}, Reason.AGENT_EVENT),
        ({"Status": "completed"}, Reason.CONVERSATION),
        ({"Status": "completed", "ConversationDuration": "0"}, None),
        ({"Status": "in-progress"}, Reason.STILL_IN_PROGRESS),
        ({"Status": "a-new-word"}, None),
        ({"Status": "completed", "Legs[0][Status]": "completed", "Legs[1][Status]": "no-answer"}, None),
        ({"Status": "no-answer", "Legs[0][Status]": "completed", "Legs[0][OnCallDuration]": "9"}, None),
        ({"Status": "no-answer", "Legs[1][OnCallDuration]": "9"}, Reason.CONVERSATION),
    ],
)
def test_native_words(changes: dict[str, str], not_missed: Reason | None) -> None:
    call = call_of(get(NATIVE | changes))
    assert (call.shape, call.not_missed) == ("native", not_missed)


ENDED = {
    "CallSid": "c5797dcbaaeed7678c4062a4a3ed2f8a", "CallFrom": "09876543210", "CallTo": "08047120001",
    "Direction": "incoming", "StartTime": "2026-09-29 02:00:31", "EndTime": "2026-09-29 02:00:52",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "not_missed"),
    [
        ({"Status": "busy"}, None),
        ({"Status": "Busy", "DialWhomNumber": "", "AgentEmail": "null"}, None),
        ({"Status": "no-answer"}, None),
        ({"Status": "canceled"}, None),
        ({"Status": "busy", "ConversationDuration": "12"}, Reason.CONVERSATION),
        # An agent's phone rings: it names the agent, or its event, or has no end.
        ({"Status": "busy", "EventType": "Dial"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "AgentEmail": "a@example.in"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "DialWhomNumber": "09999999999"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "EndTime": ""}, Reason.AGENT_EVENT),
        ({"Status": "busy", "EndTime": "1970-01-01 05:30:00"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "StartTime": "0000-00-00 00:00:00"}, Reason.AGENT_EVENT),
        ({"Status": "free"}, Reason.AGENT_EVENT),
    ],
)
def test_a_call_that_has_ended_is_no_popup(changes: dict[str, str], not_missed: Reason | None) -> None:
    assert call_of(get(ENDED | changes)).not_missed is not_missed


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, None),  # `incomplete` while it rings
        ({"CallType": "call-attempt", "CallStatus": "in-progress"}, None),
        ({"CallType": "completed", "DialCallStatus": "completed"}, Outcome.ANSWERED),
        ({"CallType": "incomplete", "DialCallStatus": "no-answer"}, Outcome.ANSWERED),
        ({"CallType": "client-hangup", "DialCallStatus": "canceled"}, Outcome.ANSWERED),
        ({"CallStatus": "no-answer"}, Outcome.NO_ANSWER),
        ({"CallStatus": "busy"}, Outcome.BUSY),
        ({"CallStatus": "Cancelled"}, Outcome.FAILED),
        ({"CallStatus": "completed"}, Outcome.ANSWERED),
    ],
)
def test_an_outgoing_call_s_passthru_may_report_its_end(
    changes: dict[str, str], outcome: Outcome | None
) -> None:
    call = call_of(get(OUTBOUND_2016 | changes))
    assert call.not_missed is Reason.OUTBOUND_LEG
    assert (call.report.outcome if call.report else None) is outcome
    if call.report:
        assert call.report.is_terminal
        assert call.report.provider_sid == call.call_sid


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, datetime(2022, 2, 23, 7, 1, 58, tzinfo=UTC)),
        ({"StartTime": "1970-01-01 05:30:00"}, datetime(2022, 2, 23, 7, 1, 59, tzinfo=UTC)),
        ({"StartTime": "null", "Created": "?", "DateCreated": "2022-02-23T07:02:00Z"},
         datetime(2022, 2, 23, 7, 2, tzinfo=UTC)),
        ({"StartTime": "", "Created": ""}, None),
    ],
)  # fmt: skip
def test_called_at(changes: dict[str, str], expected: datetime | None) -> None:
    assert call_of(get(PURE_MISSED | changes)).called_at == expected


def test_a_plus_lost_before_the_zone_is_put_back() -> None:
    call = call_of(form(b"CallSid=a&From=1&To=2&Status=missed-call&DateCreated=2026-01-01T10:00:00+05:30"))
    assert call.called_at == datetime(2026, 1, 1, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("request_", "status", "named"),
    [
        (get({"From": CALLER, "To": EXOPHONE}), 400, "CallSid"),
        (get(NATIVE | {"CallSid": ""}), 400, "CallSid"),
        (get(NATIVE | {"CallSid": "a" * 65}), 400, "CallSid"),
        (get(NATIVE | {"CallSid": "a/b"}), 400, "CallSid"),
        (get(NATIVE | {"CallSid": "अ"}), 400, "CallSid"),
        (get({"CallSid": "a", "From": CALLER}), 400, "CallTo"),
        (WebhookRequest("GET"), 400, "CallSid"),
        (WebhookRequest("POST", b"", {"content-type": "application/json"}, b"{"), 400, "JSON"),
        (WebhookRequest("POST", b"", {"content-type": "text/csv"}, b"a,b"), 415, "multipart"),
        (get(NATIVE | {"x": "v" * 5000}), 413, "4096"),
    ],
)
def test_refusals_name_what_is_wrong(request_: WebhookRequest, status: int, named: str) -> None:
    refusal = parse_missed_call(request_)
    assert isinstance(refusal, RequestRejection)
    assert refusal.status == status
    assert named in refusal.detail
    assert "9876543210" not in refusal.detail


KEYS = st.sampled_from(
    sorted({*PURE_MISSED, *AGENT_RINGS, *CONVERSATION_2022, "Status", "ConversationDuration"})
)
TEXTS = st.sampled_from(sorted({*PURE_MISSED.values(), *AGENT_RINGS.values(), "null", "free"})) | st.text(
    max_size=30
)


@given(st.dictionaries(KEYS, TEXTS, max_size=12))
def test_any_words_are_understood_somehow(fields: dict[str, str]) -> None:
    request = WebhookRequest("GET", urlencode(fields, errors="replace").encode())
    assert isinstance(parse_missed_call(request), InboundCall | RequestRejection)


CONTENT_TYPES = st.sampled_from(
    ["", "application/json", "multipart/form-data; boundary=b", "application/x-www-form-urlencoded"]
) | st.text(max_size=40)


@given(
    st.sampled_from(["GET", "POST", "HEAD", "PUT"]) | st.text(max_size=5),
    st.binary(max_size=200),
    CONTENT_TYPES,
    st.binary(max_size=300) | st.binary(max_size=100).map(lambda raw: b"--b\r\n" + raw + b"\r\n--b--\r\n"),
)
def test_no_request_raises(method: str, query: bytes, content_type: str, body: bytes) -> None:
    request = WebhookRequest(method, query, {"content-type": content_type}, body)
    assert isinstance(parse_missed_call(request), InboundCall | RequestRejection)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_address_may_say_which_number_was_rung(method: str) -> None:
    said = urlencode({name: value for name, value in NATIVE.items() if name != "To"}, quote_via=quote)
    if method == "GET":
        request = WebhookRequest("GET", f"To=08047120001&{said}".encode())
    else:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        request = WebhookRequest("POST", b"To=08047120001", headers, said.encode())
    found = parse_missed_call(request)
    assert isinstance(found, InboundCall)
    assert found.dialled == (EXOPHONE,)
