"""What a request about an incoming call says: a missed call, or why it is none.

    # Passthru, a pure missed call: the flow hangs up without answering. GET
    CallSid=…&CallFrom=09876543210&CallTo=08047120001&Direction=incoming&CallStatus=ringing
      &CallType=call-attempt&DialWhomNumber=&DialCallDuration=0&Created=Wed, 23 Feb 2022 12:31:59
      &StartTime=2022-02-23 12:31:58&EndTime=1970-01-01 05:30:00&From=09876543210&To=08047120001
    # Passthru, the caller hung up while an agent's phone rang
    CallType=client-hangup DialCallStatus=canceled DialCallDuration=0
    # Passthru, no agent answered                       CallType=incomplete DialCallStatus=no-answer
    # Passthru after a conversation                     CallType=completed DialCallStatus=completed
    # an agent's popup while their phone rings          Status=busy EventType=Dial AgentEmail=…
    # Passthru in the flow of an outgoing call          Direction=outbound-dial CallType=incomplete
    # the native webhook, POST, a raw + in the body     CallSid=abc123&From=+919876543210
                                                        &To=+918047120001&Status=missed-call
    # the dynamic SMS applet, HEAD and then GET         CallSid=…&From=09876543210&To=08047120001&digits=

Pure: no framework, no clock, no state. It never raises. What is unknown is kept and taken for a
missed call: to lose a caller who is owed something is worse than to serve one who is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from missedd.core.model import SMS_APPLET, InboundCall, StatusReport
from missedd.core.phone import normalise
from missedd.core.reasons import Reason
from missedd.exotel.dates import read_instant
from missedd.exotel.fields import read_fields, value, word
from missedd.exotel.reports import SID, call_report, missing_sid
from missedd.exotel.wire import Refusal, WebhookRequest

NATIVE = "native"
PASSTHRU = "passthru"

_CALLER = ("CallFrom", "Callfrom", "From")
_EXOPHONE = ("To", "CallTo")
_DIALLED = (*_EXOPHONE, "OutgoingPhoneNumber")
_CALLED_AT = ("StartTime", "Created", "DateCreated")
_PASSTHRU_ONLY = ("CallType", "CallStatus", "Direction", "CallFrom", "Callfrom")
_AGENT_ONLY = ("AgentEmail", "DialWhomNumber")

# Their words to ours; None is a missed call. A word that stands in no table decides nothing.
STATUSES: Mapping[str, Reason | None] = {
    "missed-call": None,
    "missed": None,
    "no-answer": None,
    "failed": None,
    "canceled": None,
    "completed": Reason.CONVERSATION,
    "answered": Reason.CONVERSATION,
    "voicemail": Reason.VOICEMAIL,
    "in-progress": Reason.STILL_IN_PROGRESS,
    "ringing": Reason.STILL_IN_PROGRESS,
    "queued": Reason.STILL_IN_PROGRESS,
}
"""`Status`, which only the native webhook and the popups have."""

CALL_TYPES: Mapping[str, Reason | None] = {
    "call-attempt": None,
    "client-hangup": None,
    "incomplete": None,
    "missed-call": None,
    "completed": Reason.CONVERSATION,
    "voicemail": Reason.VOICEMAIL,
}
"""`CallType`, the word that a Passthru is best judged by."""

DIAL_STATUSES: Mapping[str, Reason | None] = {
    "no-answer": None,
    "busy": None,
    "failed": None,
    "canceled": None,
    "cancelled": None,
    "completed": Reason.CONVERSATION,
}
"""`DialCallStatus`, there once the flow has tried an agent."""

CALL_STATUSES: Mapping[str, Reason | None] = {"in-progress": Reason.STILL_IN_PROGRESS}
"""`CallStatus` by itself. `ringing` is the very missed call that is never answered, and `completed`
is said of every incoming call that has ended, talked or not."""

POPUP_STATUSES = frozenset({"busy", "free"})
"""An agent's phone rings, or is free again; these say nothing of the caller."""


def parse_missed_call(request: WebhookRequest) -> InboundCall | Refusal:
    """The call that a request of either shape tells of, or why it is refused (400, 413, 415)."""
    fields = read_fields(request)
    if isinstance(fields, Refusal):
        return fields
    sid = value(fields, "CallSid")
    if SID.fullmatch(sid) is None:
        return missing_sid("CallSid")
    if fields.keys().isdisjoint(_EXOPHONE):
        return Refusal(400, "Malformed request", "one of To and CallTo must name the ExoPhone")
    status = word(fields, "Status")
    shape = _shape(fields, status)
    not_missed = _why_not_missed(fields, shape, status)
    return InboundCall(
        call_sid=sid,
        caller=_caller(fields),
        dialled=_dialled(fields),
        called_at=_called_at(fields),
        shape=shape,
        not_missed=not_missed,
        fields=fields,
        report=_report(sid, fields) if not_missed is Reason.OUTBOUND_LEG else None,
    )


def parse_text_request(request: WebhookRequest) -> InboundCall | Refusal:
    """The call for which the dynamic SMS applet wants a text: `CallSid`, `From`, `To` and `digits`.

    The applet runs while the caller still hears it ring, so a request that says no more is taken for
    a missed call.
    """
    call = parse_missed_call(request)
    return call if isinstance(call, Refusal) else replace(call, shape=SMS_APPLET)


def _shape(fields: Mapping[str, str], status: str) -> str:
    if status == "missed-call":
        return NATIVE
    return NATIVE if fields.keys().isdisjoint(_PASSTHRU_ONLY) else PASSTHRU


def _caller(fields: Mapping[str, str]) -> str | None:
    for name in _CALLER:
        if number := normalise(fields.get(name)):
            return number
    return None


def _dialled(fields: Mapping[str, str]) -> tuple[str, ...]:
    numbers: dict[str, None] = {}
    for name in _EXOPHONE if _is_outbound(fields) else _DIALLED:
        if number := normalise(fields.get(name)):
            numbers[number] = None
    return tuple(numbers)


def _called_at(fields: Mapping[str, str]) -> datetime | None:
    for name in _CALLED_AT:
        if instant := read_instant(fields.get(name)):
            return instant
    return None


def _is_outbound(fields: Mapping[str, str]) -> bool:
    return word(fields, "Direction").startswith("outbound")


def _why_not_missed(fields: Mapping[str, str], shape: str, status: str) -> Reason | None:
    """The first that applies, from whose call it is down to how it went."""
    if _is_outbound(fields):
        return Reason.OUTBOUND_LEG
    if status == "missed-call":
        return None
    # A popup comes before the call's end, with words of its own, so it is told apart first.
    if value(fields, "EventType", "AgentEmail"):
        return Reason.AGENT_EVENT
    if status in POPUP_STATUSES and (shape == PASSTHRU or any(name in fields for name in _AGENT_ONLY)):
        return Reason.AGENT_EVENT
    call_type, dial_status = word(fields, "CallType"), word(fields, "DialCallStatus")
    if CALL_TYPES.get(call_type) is Reason.VOICEMAIL:
        return Reason.VOICEMAIL
    if _has_talked(fields):
        return Reason.CONVERSATION
    for text, table in ((call_type, CALL_TYPES), (dial_status, DIAL_STATUSES)):
        if text in table:
            return table[text]
    if status in STATUSES:
        return STATUSES[status] if not _has_surely_not_talked(fields) else None
    return CALL_STATUSES.get(word(fields, "CallStatus"))


def _has_talked(fields: Mapping[str, str]) -> bool:
    """Any of the facts that prove a conversation, whatever the other words say."""
    return (
        CALL_TYPES.get(word(fields, "CallType")) is Reason.CONVERSATION
        or DIAL_STATUSES.get(word(fields, "DialCallStatus")) is Reason.CONVERSATION
        or value(fields, "ConversationDuration").strip("0.:") != ""
    )


def _has_surely_not_talked(fields: Mapping[str, str]) -> bool:
    # Exotel says `completed` of calls that nobody took; then the seconds of talk decide.
    talked = value(fields, "ConversationDuration")
    return word(fields, "Status") == "completed" and talked != "" and talked.strip("0.:") == ""


def _report(sid: str, fields: Mapping[str, str]) -> StatusReport | None:
    report = call_report(sid, fields)
    return report if report.is_terminal else None
