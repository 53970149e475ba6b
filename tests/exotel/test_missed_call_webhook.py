"""Webhooks of incoming calls: captured payloads and their documented variants, parsed."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.model import InboundCall
from missedd.core.reasons import Reason
from missedd.exotel.missed_call_webhook import parse_missed_call
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest
from tests.exotel.payloads import (
    AGENT_RINGS,
    CALLER,
    CONVERSATION_2022,
    CONVERSATION_2026,
    EXOPHONE,
    HUNG_UP_2022,
    NATIVE,
    NOBODY_2022,
    OUTBOUND_2016,
    PURE_MISSED,
    REJECTED_2026,
    call_of,
    form,
    get,
)


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
