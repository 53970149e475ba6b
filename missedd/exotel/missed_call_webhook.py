"""Parses a request about an incoming call: a missed call, or the reason why it is none.

    # Passthru, a pure missed call: the flow hangs up without answering. GET
    CallSid=…&CallFrom=09876543210&CallTo=08047120001&Direction=incoming&CallStatus=ringing
      &CallType=call-attempt&DialWhomNumber=&DialCallDuration=0&Created=Wed, 23 Feb 2022 12:31:59
      &StartTime=2022-02-23 12:31:58&EndTime=1970-01-01 05:30:00&From=09876543210&To=08047120001
    # Passthru, the caller hung up while an agent's phone rang
    CallType=client-hangup DialCallStatus=canceled DialCallDuration=0
    # Passthru, no agent answered                       CallType=incomplete DialCallStatus=no-answer
    # Passthru after a conversation                     CallType=completed DialCallStatus=completed
    # Passthru behind a Voicebot or Stream applet       CallType=call-attempt Stream[Status]=completed
    # an agent's popup while their phone rings          Status=busy EventType=Dial AgentEmail=…
    # Passthru in the flow of an outgoing call          Direction=outbound-dial CallType=incomplete
    # the native webhook, POST, a raw + in the body     CallSid=abc123&From=+919876543210
                                                        &To=+918047120001&Status=missed-call
    # the dynamic SMS applet, HEAD and then GET         CallSid=…&From=09876543210&To=08047120001&digits=

Pure functions: no framework, no clock, no state, no exceptions. An unknown request is stored and treated as
a missed call: to lose a missed call is worse than to serve a caller who did not need it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from missedd.core.model import SHAPE_SMS_APPLET, InboundCall, StatusReport
from missedd.core.phone import normalise
from missedd.core.reasons import Reason
from missedd.exotel.dates import parse_instant
from missedd.exotel.misdirected_requests import OtherProduct, identify_product
from missedd.exotel.not_missed_reason import is_outbound, not_missed_reason
from missedd.exotel.status_report_parser import SID_PATTERN, build_call_report, missing_sid_rejection
from missedd.exotel.webhook_fields import first_value, first_word, read_fields, read_partial_fields
from missedd.exotel.webhook_request import RequestRejection, WebhookRequest

NATIVE = "native"
PASSTHRU = "passthru"

_CALLER = ("CallFrom", "Callfrom", "From")
_EXOPHONE = ("To", "CallTo")
_DIALLED = (*_EXOPHONE, "OutgoingPhoneNumber")
_CALLED_AT = ("StartTime", "Created", "DateCreated")
_PASSTHRU_ONLY = ("CallType", "CallStatus", "Direction", "CallFrom", "Callfrom")


def parse_missed_call(request: WebhookRequest) -> InboundCall | OtherProduct | RequestRejection:
    """Parse a native webhook or a Passthru; a `RequestRejection` has the status 400, 413 or 415.

    A request that another product sent by mistake is a call too (reason `other-product`) if it has a
    CallSid. Without a CallSid there is nothing to store, and the result is the product.
    """
    fields = read_fields(request)
    if isinstance(fields, RequestRejection):
        return identify_product(read_partial_fields(request)) or fields
    sid = first_value(fields, "CallSid")
    if SID_PATTERN.fullmatch(sid) is None:
        return identify_product(fields) or missing_sid_rejection("CallSid")
    if fields.keys().isdisjoint(_EXOPHONE) and identify_product(fields) is None:
        return RequestRejection(400, "Malformed request", "one of To and CallTo must name the ExoPhone")
    status = first_word(fields, "Status")
    shape = _shape(fields, status)
    not_missed = not_missed_reason(fields, status, is_passthru=shape == PASSTHRU)
    # In the order of the fields: by name it takes half a microsecond longer.
    call = InboundCall(sid, _caller(fields), _dialled(fields), _called_at(fields), shape, not_missed, fields)
    return replace(call, report=_report(sid, fields)) if not_missed is Reason.OUTBOUND_LEG else call


def parse_sms_applet_request(request: WebhookRequest) -> InboundCall | OtherProduct | RequestRejection:
    """Parse the dynamic SMS applet's request: `CallSid`, `From`, `To` and `digits`.

    The applet runs while the caller still hears the phone ring. So a request with these fields only is
    treated as a missed call.
    """
    call = parse_missed_call(request)
    return replace(call, shape=SHAPE_SMS_APPLET) if isinstance(call, InboundCall) else call


def _shape(fields: Mapping[str, str], status: str) -> str:
    if status == "missed-call":
        return NATIVE
    return NATIVE if fields.keys().isdisjoint(_PASSTHRU_ONLY) else PASSTHRU


def _caller(fields: Mapping[str, str]) -> str | None:
    for name in _CALLER:
        if name in fields and (number := normalise(fields[name])):
            return number
    return None


def _dialled(fields: Mapping[str, str]) -> tuple[str, ...]:
    names = _EXOPHONE if is_outbound(fields) else _DIALLED
    numbers: dict[str, None] = {}
    for name in names:
        if name in fields and (number := normalise(fields[name])):
            numbers[number] = None
    return tuple(numbers)


def _called_at(fields: Mapping[str, str]) -> datetime | None:
    for name in _CALLED_AT:
        if name in fields and (instant := parse_instant(fields[name])):
            return instant
    return None


def _report(sid: str, fields: Mapping[str, str]) -> StatusReport | None:
    report = build_call_report(sid, fields)
    return report if report.is_terminal else None
