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
from missedd.exotel.dates import read_instant
from missedd.exotel.fields import flatten, read_fields, value, word
from missedd.exotel.sms_codes import code_of
from missedd.exotel.wire import Refusal, WebhookRequest

SID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Exotel's have 32 of [0-9a-z]; the bound keeps a stranger's text out of keys and paths."""

CALL_OUTCOMES: Mapping[str, Outcome | None] = {
    "completed": Outcome.ANSWERED,
    "no-answer": Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "failed": Outcome.FAILED,
    # Given up while it rang: nobody talked, and it was not the customer's doing.
    "canceled": Outcome.FAILED,
    "in-progress": None,
    "ringing": None,
    "queued": None,
}
"""A call's, or a leg's, status in Exotel's words; None is not final. What is absent is unknown."""

_CALL_SPELLINGS = {"cancelled": "canceled", "noanswer": "no-answer", "inprogress": "in-progress"}


def parse_call_report(request: WebhookRequest) -> StatusReport | Refusal:
    """A StatusCallback of a call, in whichever encoding.

    Which leg the customer is only the action knows: the outcome here is that of a flow, and
    `call_outcome(report.fields, customer_leg)` gives the one of two connected numbers.
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
    outcome = call_outcome(fields, None)
    status = _call_word(fields, "Status")
    if not status:
        # A Passthru: its `CallStatus` is the stage that the flow was in, so the outcome names it.
        status = "completed" if outcome is Outcome.ANSWERED else _call_word(fields, "CallStatus")
    return StatusReport(sid, status, None, outcome is not None, outcome, fields)


def call_outcome(fields: Mapping[str, str], customer_leg: int | None) -> Outcome | None:
    """How the call ended for the customer; None while it has not, or if the fields don't tell.

    `customer_leg` is None where a flow was called: then only the customer is on the line, and
    `completed` is an answer. Where two numbers are connected it is 0 if the customer was rung
    first and 1 if the agent was; then the legs decide, and the status only where they are silent.
    """
    status = _call_word(fields, "Status")
    if not status:
        return _outcome_in_flow(fields)
    # `answered` and an agent's popup (`Dial`) tell of a call that is still going on.
    if word(fields, "EventType") in ("answered", "dial") or _is_unfinished_record(fields):
        return None
    by_status = CALL_OUTCOMES.get(status)
    if by_status is None or customer_leg is None:
        return by_status
    if customer_leg == 1 and CALL_OUTCOMES.get(_leg_status(fields, 0)) not in (None, Outcome.ANSWERED):
        # The agent was not there, so the customer's phone never rang.
        return Outcome.FAILED
    return CALL_OUTCOMES.get(_leg_status(fields, customer_leg)) or by_status


def missing_sid(name: str) -> Refusal:
    return Refusal(400, "Malformed request", f"{name} is missing, or is not 1 to 64 of A-Z a-z 0-9 _ . -")


def _outcome_in_flow(fields: Mapping[str, str]) -> Outcome | None:
    """What a Passthru inside the callback's flow tells: there is no `Status`, but words of its own.

    Once the flow has connected, recorded or finished with the customer, they had answered; that
    an agent did not (`DialCallStatus`) is another matter. `incomplete` alone tells nothing: it is
    also sent while the customer's phone rings.
    """
    if _call_word(fields, "DialCallStatus") in ("completed", "no-answer", "busy", "failed", "canceled"):
        return Outcome.ANSWERED
    if word(fields, "CallType") in ("completed", "client-hangup", "voicemail"):
        return Outcome.ANSWERED
    return CALL_OUTCOMES.get(_call_word(fields, "CallStatus"))


def _sms_report(sid: str, fields: Mapping[str, str]) -> StatusReport:
    # The one status that Exotel writes with an underscore or a dash; ours has the underscore.
    status = word(fields, "Status").replace("-", "_")
    code = value(fields, "DetailedStatusCode")
    meaning = code_of(status, code)
    return StatusReport(sid, status, code or None, meaning.is_terminal, meaning.outcome, fields)


def _call_word(fields: Mapping[str, str], *names: str) -> str:
    found = word(fields, *names)
    return _CALL_SPELLINGS.get(found, found)


def _leg_status(fields: Mapping[str, str], leg: int) -> str:
    """The status of leg 0 or 1, "" where it was not tried or the fields don't say."""
    return _call_word(
        fields, f"Legs[{leg}][Status]", f"Legs[{leg}][Leg][Status]", f"Details[Leg{leg + 1}Status]"
    )


def _is_unfinished_record(fields: Mapping[str, str]) -> bool:
    return "CallSid" not in fields and "Sid" in fields and read_instant(fields.get("EndTime")) is None


def _inner(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = record.get(name, record)
    return inner if isinstance(inner, Mapping) else {}
