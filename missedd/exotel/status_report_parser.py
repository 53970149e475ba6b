"""The status of a call or an SMS, from Exotel's status reports and from lookups.

    # flow mode, multipart: nothing but       CallSid, Status, DateUpdated (RecordingUrl if recorded)
    # two numbers, agent first, customer did not answer
    EventType=terminal Status=no-answer Legs[0][Status]=completed Legs[1][Status]=no-answer
    # the agent hung up while the customer's phone rang
    EventType=terminal Status=failed Legs[0][Status]=completed Legs[1][Status]=canceled
    # first "answered" of two: the agent took it, the customer's phone rings now
    EventType=answered Status=in-progress Legs[0][Status]=in-progress Legs[1][Status]=
    # Call Details        Status=completed EndTime=2026-09-28 23:58:45 Details[Leg2Status]=completed
    # SMS                 SmsSid=… To=098… Status=sent DetailedStatusCode=20005 SmsUnits=1

Reports may come late, twice or out of order. This file only says what one report means. A report with an
unknown word is stored and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from missedd.core.model import Outcome, StatusReport
from missedd.exotel.call_legs import first_status
from missedd.exotel.callback_outcome import callback_outcome
from missedd.exotel.sms_status_codes import resolve_code
from missedd.exotel.webhook_fields import first_value, first_word, flatten, read_fields
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest

SID_PATTERN = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Exotel's have 32 of [0-9a-z]. The pattern keeps foreign text out of keys and paths."""


def parse_call_report(request: WebhookRequest) -> StatusReport | RequestRejection:
    """Parse a StatusCallback of a call, in any encoding.

    Only the action knows which leg is the customer's. So the outcome here is that of a flow, and
    `callback_outcome(report.fields, first)` gives that of two connected numbers.
    """
    fields = read_fields(request)
    if isinstance(fields, RequestRejection):
        return fields
    sid = first_value(fields, "CallSid", "Sid")
    if SID_PATTERN.fullmatch(sid) is None:
        return missing_sid_rejection("CallSid")
    return build_call_report(sid, fields)


def parse_sms_report(request: WebhookRequest) -> StatusReport | RequestRejection:
    """Parse a StatusCallback of an SMS, in any encoding."""
    fields = read_fields(request)
    if isinstance(fields, RequestRejection):
        return fields
    sid = first_value(fields, "SmsSid", "SmsMessageSid", "Sid")
    if SID_PATTERN.fullmatch(sid) is None:
        return missing_sid_rejection("SmsSid")
    return _build_sms_report(sid, fields)


def parse_call_record(record: Mapping[str, Any]) -> StatusReport:
    """Parse Exotel's record of a call (Call Details, or an entry of the list). The Sid may be "".

    A record without an `EndTime` is not final, whatever its `Status` says, as Exotel fills in status and
    legs some minutes after the call.
    """
    fields = flatten(_unwrap(record, "Call"))
    return build_call_report(first_value(fields, "Sid", "CallSid"), fields)


def parse_sms_record(record: Mapping[str, Any]) -> StatusReport:
    """Parse Exotel's record of an SMS. The Sid may be ""."""
    fields = flatten(_unwrap(record, "SMSMessage"))
    return _build_sms_report(first_value(fields, "Sid", "SmsSid"), fields)


def build_call_report(sid: str, fields: Mapping[str, str]) -> StatusReport:
    """Build a call's report from these fields, with a flow's outcome."""
    outcome = callback_outcome(fields, None).outcome
    status = first_status(fields, "Status")
    if not status:
        # A Passthru: its `CallStatus` is the stage of the flow, so the outcome decides the status.
        status = "completed" if outcome is Outcome.ANSWERED else first_status(fields, "CallStatus")
    return StatusReport(sid, status, None, outcome is not None, outcome, fields)


def missing_sid_rejection(name: str) -> RequestRejection:
    return RequestRejection(
        400, "Malformed request", f"{name} is missing, or is not 1 to 64 of A-Z a-z 0-9 _ . -"
    )


def _build_sms_report(sid: str, fields: Mapping[str, str]) -> StatusReport:
    # Exotel writes `failed_dnd` with an underscore or a dash; ours has the underscore.
    status = first_word(fields, "Status").replace("-", "_")
    code = first_value(fields, "DetailedStatusCode")
    meaning = resolve_code(status, code)
    return StatusReport(sid, status, code or None, meaning.is_terminal, meaning.outcome, fields)


def _unwrap(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = record.get(name, record)
    return inner if isinstance(inner, Mapping) else {}
