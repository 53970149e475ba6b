"""What became of a call or an SMS, from Exotel's status reports and from its look-ups.

    # flow mode, multipart: nothing but       CallSid, Status, DateUpdated (RecordingUrl if recorded)
    # two numbers, agent first, customer did not answer
    EventType=terminal Status=no-answer Legs[0][Status]=completed Legs[1][Status]=no-answer
    # the agent hung up while the customer's phone rang
    EventType=terminal Status=failed Legs[0][Status]=completed Legs[1][Status]=canceled
    # first "answered" of two: the agent took it, the customer's phone rings now
    EventType=answered Status=in-progress Legs[0][Status]=in-progress Legs[1][Status]=
    # Call Details        Status=completed EndTime=2026-09-28 23:58:45 Details[Leg2Status]=completed
    # SMS                 SmsSid=… To=098… Status=sent DetailedStatusCode=20005 SmsUnits=1

Reports come late, twice and out of order; this file only says what one of them means. A word that
is unknown makes a report that is kept and decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from missedd.core.model import Outcome, StatusReport
from missedd.exotel.call_legs import call_word
from missedd.exotel.callback_outcome import ending
from missedd.exotel.sms_status_codes import code_of
from missedd.exotel.webhook_fields import flatten, read_fields, value, word
from missedd.exotel.webhook_request import Refusal, WebhookRequest

SID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Exotel's have 32 of [0-9a-z]; the bound keeps a stranger's text out of keys and paths."""


def parse_call_report(request: WebhookRequest) -> StatusReport | Refusal:
    """A StatusCallback of a call, in whichever encoding.

    Which leg the customer is only the action knows: the outcome here is that of a flow, and
    `ending(report.fields, first)` gives the one of two connected numbers.
    """
    fields = read_fields(request)
    if isinstance(fields, Refusal):
        return fields
    sid = value(fields, "CallSid", "Sid")
    if SID.fullmatch(sid) is None:
        return missing_sid("CallSid")
    return call_report(sid, fields)


def parse_sms_report(request: WebhookRequest) -> StatusReport | Refusal:
    """A StatusCallback of an SMS, in whichever encoding."""
    fields = read_fields(request)
    if isinstance(fields, Refusal):
        return fields
    sid = value(fields, "SmsSid", "SmsMessageSid", "Sid")
    if SID.fullmatch(sid) is None:
        return missing_sid("SmsSid")
    return _sms_report(sid, fields)


def report_of_call_record(record: Mapping[str, Any]) -> StatusReport:
    """Exotel's record of a call (Call Details, or an entry of the list); the Sid may be "".

    A record without an `EndTime` is not final, whatever its `Status` says: status and legs are
    filled in minutes after the call.
    """
    fields = flatten(_inner(record, "Call"))
    return call_report(value(fields, "Sid", "CallSid"), fields)


def report_of_sms_record(record: Mapping[str, Any]) -> StatusReport:
    """Exotel's record of an SMS; the Sid may be ""."""
    fields = flatten(_inner(record, "SMSMessage"))
    return _sms_report(value(fields, "Sid", "SmsSid"), fields)


def call_report(sid: str, fields: Mapping[str, str]) -> StatusReport:
    """The report that these fields make of a call, with a flow's outcome."""
    outcome = ending(fields, None).outcome
    status = call_word(fields, "Status")
    if not status:
        # A Passthru: its `CallStatus` is the stage that the flow was in, so the outcome names it.
        status = "completed" if outcome is Outcome.ANSWERED else call_word(fields, "CallStatus")
    return StatusReport(sid, status, None, outcome is not None, outcome, fields)


def missing_sid(name: str) -> Refusal:
    return Refusal(400, "Malformed request", f"{name} is missing, or is not 1 to 64 of A-Z a-z 0-9 _ . -")


def _sms_report(sid: str, fields: Mapping[str, str]) -> StatusReport:
    # The one status that Exotel writes with an underscore or a dash; ours has the underscore.
    status = word(fields, "Status").replace("-", "_")
    code = value(fields, "DetailedStatusCode")
    meaning = code_of(status, code)
    return StatusReport(sid, status, code or None, meaning.is_terminal, meaning.outcome, fields)


def _inner(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = record.get(name, record)
    return inner if isinstance(inner, Mapping) else {}
