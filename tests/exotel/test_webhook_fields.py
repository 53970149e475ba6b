"""Every encoding of Exotel's gives the same fields; an unreadable request is rejected with an explanation."""

from __future__ import annotations

import json

import pytest

from missedd.exotel import webhook_fields as limits
from missedd.exotel.webhook_fields import first_value, first_word, flatten, read_fields
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest

FORM = "application/x-www-form-urlencoded"
BOUNDARY = "------------------------d74496d66958873e"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def multipart(*parts: tuple[str, str]) -> bytes:
    lines = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
        for name, text in parts
    ]
    return ("".join(lines) + f"--{BOUNDARY}--\r\n").encode()


def post(content_type: str | None, body: bytes, query: bytes = b"") -> WebhookRequest:
    headers = {} if content_type is None else {"content-type": content_type}
    return WebhookRequest("POST", query, headers, body)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (WebhookRequest("GET"), {}),
        (
            WebhookRequest("GET", b"CallSid=a1&From=09876543210&Created=Wed%2C+23+Feb+2022+12%3A31%3A59&x="),
            {"CallSid": "a1", "From": "09876543210", "Created": "Wed, 23 Feb 2022 12:31:59", "x": ""},
        ),
        (post(FORM, b"From=+919876543210&To=1"), {"From": " 919876543210", "To": "1"}),
        (post(FORM + "; charset=UTF-8", b"From=%2B919876543210"), {"From": "+919876543210"}),
        (post(None, b"CallSid=a1&CallSid=b2\r\n"), {"CallSid": "a1"}),
        (post(FORM, b"CallSid=body", b"CallSid=query&To=1"), {"CallSid": "body", "To": "1"}),
        (post(FORM, b"digits=%221%22&bad=%zz&latin=%E9&=nameless&flag"),
         {"digits": '"1"', "bad": "%zz", "latin": "\ufffd", "flag": ""}),
        (WebhookRequest("GET", b"Legs%5B0%5D%5BType%5D=x&a=\xff"), {"Legs[0][Type]": "x", "a": "\ufffd"}),
        (post(MULTIPART, multipart(("CallSid", "a1"), ("Legs[1][Status]", "busy"), ("RecordingUrl", ""))),
         {"CallSid": "a1", "Legs[1][Status]": "busy", "RecordingUrl": ""}),
        (post(MULTIPART, multipart(("To", "+919876543210"), ("To", "2"), ("name", "आशा"))),
         {"To": "+919876543210", "name": "आशा"}),
        (post("application/json", b""), {}),
        (post("application/json; charset=utf-8",
              b'{"CallSid":"a1","Legs":[{"Status":"busy","OnCallDuration":41},{"Status":null}],"ok":true}'),
         {"CallSid": "a1", "Legs[0][Status]": "busy", "Legs[0][OnCallDuration]": "41", "ok": "true"}),
        (post("application/json", b'\xef\xbb\xbf{"a":1.50,"a":2,"big":' + b"9" * 4000 + b"}"),
         {"a": "1.50", "big": "9" * 4000}),
        (post("application/json", b'{"half":"\\ud800","Uri":"\\/v1\\/x"}'), {"half": "?", "Uri": "/v1/x"}),
        (post("application/vnd.exotel+json", b'{"a":{"b":{"c":[]}}}'), {}),
    ],
)  # fmt: skip
def test_reads(request_: WebhookRequest, expected: dict[str, str]) -> None:
    assert read_fields(request_) == expected


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post("text/xml", b"<a/>"), 415),
        (post("text/plain", b"CallSid=a1"), 415),
        (post("application/json", b"{"), 400),
        (post("application/json", b'["CallSid"]'), 400),
        (post("application/json", b"[" * 60_000), 400),
        (post("application/json", b'{"a":' * 9 + b"1" + b"}" * 9), 400),
        (post("multipart/form-data", b"x"), 400),
        (post("multipart/form-data; boundary=\u0939", b"x"), 400),
        (post(f"multipart/form-data; boundary={'b' * 300}", b"x"), 400),
        (post(MULTIPART, b"nonsense"), 400),
        (post(MULTIPART, multipart(("CallSid", "a1"))[:-20]), 400),
        (post(FORM, b"&".join(b"k%d=v" % n for n in range(limits.MAX_FIELDS + 1))), 413),
        (post(FORM, b"k" * (limits.MAX_KEY_BYTES + 1)), 413),
        (post(FORM, b"k=" + b"v" * (limits.MAX_VALUE_BYTES + 1)), 413),
        (post(FORM, b"k=" + b"%E0%A4%86" * (limits.MAX_VALUE_BYTES // 3 + 1)), 413),
        (post(FORM, b"k" * (limits.MAX_BODY_BYTES + 1)), 413),
        (WebhookRequest("GET", b"k" * (limits.MAX_BODY_BYTES + 1)), 413),
        (post("application/json", json.dumps({"a": list(range(200))}).encode()), 413),
    ],
)
def test_refuses(request_: WebhookRequest, status: int) -> None:
    refusal = read_fields(request_)
    assert isinstance(refusal, RequestRejection)
    assert refusal.status == status
    assert refusal.detail


def test_as_many_fields_as_allowed_are_read() -> None:
    body = b"&".join(b"k%d=v" % n for n in range(limits.MAX_FIELDS))
    assert len(read_fields(post(FORM, body + b"&k0=again"))) == limits.MAX_FIELDS  # type: ignore[arg-type]


def test_literal_nulls_say_nothing() -> None:
    fields = {"ForwardedFrom": "null", "CallFrom": " ", "From": " 0987 ", "Status": "Missed_Call"}
    assert first_value(fields, "ForwardedFrom", "CallFrom", "From") == "0987"
    assert first_value(fields, "Absent") == ""
    assert first_word(fields, "Status") == "missed-call"


def test_a_record_is_never_refused() -> None:
    deep: object = "leaf"
    for _ in range(20):
        deep = {"in": deep}
    record = {
        "Sid": "a1",
        "EndTime": None,
        "Details": {"Leg2Status": None, "ConversationDuration": 8},
        "deep": deep,
    }
    assert flatten(record) == {
        "Sid": "a1",
        "EndTime": "",
        "Details[Leg2Status]": "",
        "Details[ConversationDuration]": "8",
    }
