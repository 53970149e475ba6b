"""The status of a call or an SMS, from every source and in every encoding."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.model import Outcome, StatusReport
from missedd.core.people.suppression import RefusedSmsClass
from missedd.exotel.callback_outcome import CALL_OUTCOMES, callback_outcome
from missedd.exotel.sms_status_codes import MISCONFIGURED_CODES, SMS_CODES, describe_code, resolve_code
from missedd.exotel.status_report_parser import (
    parse_call_record,
    parse_call_report,
    parse_sms_record,
    parse_sms_report,
)
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest

SID = "c5797dcbaaeed7678c4062a4a3ed2f8a"


def form(fields: dict[str, str]) -> WebhookRequest:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return WebhookRequest("POST", b"", headers, urlencode(fields).encode())


def as_json(document: object) -> WebhookRequest:
    return WebhookRequest("POST", b"", {"content-type": "application/json"}, json.dumps(document).encode())


def as_multipart(fields: dict[str, str]) -> WebhookRequest:
    parts = "".join(
        f'--x1\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
    )
    headers = {"content-type": "multipart/form-data; boundary=x1"}
    return WebhookRequest("POST", b"", headers, (parts + "--x1--\r\n").encode())


def call_report_of(request: WebhookRequest) -> StatusReport:
    report = parse_call_report(request)
    assert isinstance(report, StatusReport)
    return report


def sms_report_of(request: WebhookRequest) -> StatusReport:
    report = parse_sms_report(request)
    assert isinstance(report, StatusReport)
    return report


@pytest.mark.parametrize(
    ("word", "status", "outcome"),
    [
        ("completed", "completed", Outcome.ANSWERED),
        ("Completed", "completed", Outcome.ANSWERED),
        ("no-answer", "no-answer", Outcome.NO_ANSWER),
        ("no_answer", "no-answer", Outcome.NO_ANSWER),
        ("busy", "busy", Outcome.BUSY),
        ("failed", "failed", Outcome.FAILED),
        ("canceled", "canceled", Outcome.FAILED),
        ("cancelled", "canceled", Outcome.FAILED),
        ("in-progress", "in-progress", None),
        ("ringing", "ringing", None),
        ("queued", "queued", None),
        ("free", "free", None),
        ("a-new-word", "a-new-word", None),
        ("", "", None),
    ],
)
def test_the_four_fields_of_a_flow(word: str, status: str, outcome: Outcome | None) -> None:
    fields = {"CallSid": SID, "Status": word, "DateUpdated": "2026-09-28 23:58:45"}
    for request in (form(fields), as_multipart(fields), as_json({**fields, "RecordingUrl": None})):
        report = call_report_of(request)
        assert report == StatusReport(SID, status, None, outcome is not None, outcome, fields)


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        ("sent", "20005", Outcome.DELIVERED),
        ("sent", "20006", Outcome.DELIVERED),
        ("sent", "", Outcome.DELIVERED),
        ("queued", "21010", None),
        ("sending", "21015", None),
        ("submitted", "21020", None),
        ("submitted", "", None),
        ("failed_dnd", "23005", Outcome.FAILED),
        ("failed-dnd", "", Outcome.FAILED),
        ("failed", "23185", Outcome.FAILED),
        ("failed", "24010", Outcome.FAILED),
        ("failed", "23999", Outcome.FAILED),
        ("sent", "21020", Outcome.DELIVERED),
        ("submitted", "20005", Outcome.DELIVERED),
        ("a-new-word", "99999", None),
        ("", "", None),
    ],
)
def test_sms_reports(status: str, code: str, outcome: Outcome | None) -> None:
    fields = {
        "SmsSid": SID,
        "To": "09876543210",
        "Status": status,
        "DetailedStatusCode": code,
        "SmsUnits": "1",
    }
    for request in (form(fields), as_multipart(fields), as_json(fields)):
        report = sms_report_of(request)
        assert (report.provider_sid, report.code) == (SID, code or None)
        assert (report.is_terminal, report.outcome) == (outcome is not None, outcome)
    assert sms_report_of(as_json({**fields, "DetailedStatusCode": int(code or 0)})).outcome is outcome


def test_both_spellings_of_dnd_are_one() -> None:
    for spelling in ("failed_dnd", "failed-dnd", "FAILED-DND"):
        report = sms_report_of(form({"SmsSid": SID, "Status": spelling}))
        assert report.status == "failed_dnd"
        assert resolve_code(report.status, report.code).refused_class is RefusedSmsClass.PROMOTIONAL


@pytest.mark.parametrize(
    ("code", "refused", "retryable"),
    [
        ("23005", RefusedSmsClass.PROMOTIONAL, False),
        ("23020", RefusedSmsClass.SENDER, False),
        ("23010", RefusedSmsClass.TAKES_NO_SMS, False),
        ("23040", RefusedSmsClass.TAKES_NO_SMS, False),
        ("23035", None, True),
        ("23060", None, False),
        ("23182", None, False),
        ("23777", None, False),
        ("24777", None, True),
        ("24990", None, True),
    ],
)
def test_what_a_failure_asks_for(code: str, refused: RefusedSmsClass | None, retryable: bool) -> None:
    meaning = resolve_code("failed", code)
    assert (meaning.refused_class, meaning.retryable, meaning.is_terminal) == (refused, retryable, True)


def test_tables_are_consistent() -> None:
    for code, meaning in SMS_CODES.items():
        assert resolve_code("", code) == meaning
        assert meaning.is_terminal == (meaning.outcome is not None)
        assert not (meaning.retryable and meaning.refused_class)
        assert meaning.outcome in (Outcome.DELIVERED, Outcome.FAILED, None)
        assert (meaning.outcome is Outcome.DELIVERED) == code.startswith("200")
        assert (meaning.outcome is None) == code.startswith("210")
    assert all(outcome is not Outcome.DELIVERED for outcome in CALL_OUTCOMES.values())


def test_what_only_a_person_can_mend_is_told_apart() -> None:
    assert {"23072", "23082", "23185"} < set(MISCONFIGURED_CODES)
    assert not {"23005", "23040", "23060", "24010", "20005", "21020"} & set(MISCONFIGURED_CODES)
    assert resolve_code("failed", "23185").needs_operator
    assert not resolve_code("failed", "23999").needs_operator


def test_every_code_of_a_failure_has_its_words() -> None:
    for code, meaning in SMS_CODES.items():
        assert bool(describe_code(code)) == (meaning.outcome is Outcome.FAILED)
    assert describe_code("23185") == "the text does not match its DLT template"
    assert describe_code("23999") == describe_code("") == ""


def test_sms_details_after_delivery() -> None:
    record = {
        "Sid": SID, "Status": "sent", "DetailedStatusCode": 20005, "DetailedStatus": "DELIVERED_TO_HANDSET",
        "DateCreated": "2017-11-12 00:24:31", "DateSent": "2017-11-12 00:24:35", "Price": "0.180000",
        "From": "01131234567/SCRPBX", "To": "08812345678", "SmsUnits": None,
    }  # fmt: skip
    report = parse_sms_record({"SMSMessage": record})
    assert (report.provider_sid, report.code, report.outcome) == (SID, "20005", Outcome.DELIVERED)
    queued = parse_sms_record(record | {"Status": "queued", "DetailedStatusCode": 21010})
    assert (queued.is_terminal, queued.outcome) == (False, None)


@pytest.mark.parametrize("record", [{}, {"Call": None}, {"Call": []}, {"SMSMessage": "x"}])
def test_records_that_are_none(record: dict[str, object]) -> None:
    assert not parse_call_record(record).is_terminal
    assert not parse_sms_record(record).is_terminal


def test_a_report_without_a_sid_is_refused() -> None:
    for refusal, name in (
        (parse_call_report(form({"Status": "completed"})), "CallSid"),
        (parse_sms_report(form({"SmsSid": "../x", "Status": "sent"})), "SmsSid"),
        (parse_call_report(as_json(["x"])), "JSON"),
    ):
        assert isinstance(refusal, RequestRejection)
        assert refusal.status == 400
        assert name in refusal.detail


WORDS = st.sampled_from([*CALL_OUTCOMES, "answered", "terminal", "Dial", "null", "sent", "23005"])
KEYS = st.sampled_from([
    "CallSid", "Sid", "SmsSid", "Status", "EventType", "Legs[0][Status]", "Legs[1][Status]", "EndTime",
    "CallType", "CallStatus", "DialCallStatus", "DetailedStatusCode", "AnsweredBy", "Details[Leg1Status]",
])  # fmt: skip


@given(st.dictionaries(KEYS, WORDS), st.sampled_from([None, "agent", "customer"]))
def test_every_mixture_of_words_has_a_meaning(fields: dict[str, str], first: str | None) -> None:
    assert callback_outcome(fields, first).outcome in {
        None,
        Outcome.ANSWERED,
        Outcome.NO_ANSWER,
        Outcome.BUSY,
        Outcome.FAILED,
    }
    report = parse_sms_report(form(fields))
    assert isinstance(report, RequestRejection) or report.is_terminal == (report.outcome is not None)


@given(
    st.text(max_size=5),
    st.binary(max_size=100),
    st.sampled_from(["application/json", "multipart/form-data; boundary=x", "", "a/b"])
    | st.text(max_size=30),
    st.binary(max_size=300),
)
def test_no_request_raises(method: str, query: bytes, content_type: str, body: bytes) -> None:
    request = WebhookRequest(method, query, {"content-type": content_type}, body)
    assert isinstance(parse_call_report(request), StatusReport | RequestRejection)
    assert isinstance(parse_sms_report(request), StatusReport | RequestRejection)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from(["Call", "SMSMessage", "Status", "Details", "EndTime"]), JSON))
def test_no_record_raises(record: dict[str, object]) -> None:
    assert isinstance(parse_call_record(record), StatusReport)
    assert isinstance(parse_sms_record(record), StatusReport)
