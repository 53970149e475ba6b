"""The Passthru applet's GET, in every form that the course of a call gives it. Pure: facts in, request out.

Which fields there are depends on what ran before the applet: a Connect applet adds the agent's leg,
a Voicebot applet its stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.exchange.model.formats import (
    EPOCH_TEXT,
    NumberFormat,
    format_ist,
    format_ist_rfc2822,
    format_number,
    recording_url,
)
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks.body_formats import request_with_query
from simulator.exchange.webhooks.request import OutboundWebhook

AGENT_EMAIL = "agent@example.in"
FLOW_ID, TENANT_ID = "228040", "67291"
DATE_FIELDS = ("Created", "StartTime", "CurrentTime", "RecordingAvailableBy")
FIELDS_NOT_IN_POPUPS = ("DialCallDuration", "StartTime", "EndTime", "ForwardedFrom", "ProcessStatus")
RECORDING_AVAILABLE_AFTER = timedelta(minutes=5)

_HANGUP_CAUSES: Mapping[str, tuple[str, str]] = {
    "completed": ("NORMAL_CLEARING", "16"),
    "no-answer": ("RING_TIMEOUT", "1003"),
    "canceled": ("RING_TIMEOUT", "1003"),
    "busy": ("USER_BUSY", "17"),
    "failed": ("NO_ROUTE_DESTINATION", "3"),
}
"""`CauseCode` and `Cause` of a leg. The first three were captured, the others are the network's usual."""


@dataclass(frozen=True, slots=True)
class AgentLeg:
    """How a Connect applet's try of an agent went. Seconds."""

    end_status: str
    ring_s: int
    talk_s: int = 0


@dataclass(frozen=True, slots=True)
class WebhookContext:
    """What one request tells: of which call, how it stood at the instant `at`, and in which spelling.

    `agent` is whose telephone a Connect applet rings.
    """

    ring: InboundRing
    url: str
    agent: str
    spelling: NumberFormat
    with_date: bool
    at: datetime
    agent_leg: AgentLeg | None = None

    @property
    def caller(self) -> str:
        return format_number(self.ring.number, self.spelling)

    @property
    def exophone(self) -> str:
        return format_number(self.ring.exophone, self.spelling)

    @property
    def exophone_without_prefix(self) -> str:
        """Captured requests have `CallTo` without the 0 that `To` begins with."""
        return format_number(
            self.ring.exophone, NumberFormat.BARE if self.spelling is NumberFormat.ZERO else self.spelling
        )


def call_attempt(context: WebhookContext) -> OutboundWebhook:
    """No Connect applet has run: a pure missed call, or one that still goes on."""
    return _passthru_get(context, {"CallStatus": "ringing", "CallType": "call-attempt"})


def digits(context: WebhookContext) -> OutboundWebhook:
    """Behind a menu; the digits come in quotes."""
    return _passthru_get(context, {"CallStatus": "in-progress", "CallType": "call-attempt", "digits": '"1"'})


def conversation(context: WebhookContext) -> OutboundWebhook:
    """Behind a Connect applet whose agent talked to the caller."""
    return _passthru_get(
        context,
        {"CallStatus": "completed", "CallType": "completed"}
        | _agent_leg_fields(context)
        | _recording_fields(context),
    )


def unanswered(context: WebhookContext) -> OutboundWebhook:
    """Behind a Connect applet that nobody took."""
    return _passthru_get(context, {"CallType": "incomplete"} | _agent_leg_fields(context))


def client_hangup(context: WebhookContext) -> OutboundWebhook:
    return _passthru_get(context, {"CallType": "client-hangup"} | _agent_leg_fields(context))


def voicemail(context: WebhookContext) -> OutboundWebhook:
    return _passthru_get(
        context, {"CallType": "voicemail"} | _agent_leg_fields(context) | _recording_fields(context)
    )


def insights(context: WebhookContext) -> OutboundWebhook:
    """`CallType` knows nothing of the agent, as only the insights have followed the call so far."""
    dial = _agent_leg(context)
    fields = {
        "CallStatus": "in-progress",
        "CallType": "call-attempt",
        "Insights[DialCallStatus]": dial.end_status,
        "Legs[0][Insights][Status]": dial.end_status,
        "Legs[0][Insights][DetailedStatus]": _HANGUP_CAUSES[dial.end_status][0],
        "Legs[0][Insights][RingingDuration]": str(dial.ring_s),
        "Legs[0][OnCallDuration]": str(dial.talk_s),
        "Legs[0][DisconnectedBy]": "user",
    }
    return _passthru_get(context, fields)


def bot_stream(context: WebhookContext) -> OutboundWebhook:
    """Behind a Voicebot applet: what the bot's stream came to is all there is to tell by."""
    talked_s = context.ring.talked_s
    fields = {
        "CallStatus": "in-progress",
        "CallType": "call-attempt",
        "Stream[StreamSID]": context.ring.call_sid[::-1],
        "Stream[Status]": "completed" if talked_s else "failed",
        "Stream[Duration]": str(talked_s),
        "Stream[StreamUrl]": "wss://bot.example.in/stream",
        "Stream[DisconnectedBy]": "bot" if talked_s else "user",
    }
    if talked_s:
        fields["Stream[RecordingUrl]"] = recording_url(context.ring.call_sid)
    else:
        fields["Stream[Error]"] = "3009 failed to establish a connection to the URL"
    return _passthru_get(context, fields)


def agent_popup(context: WebhookContext) -> OutboundWebhook:
    """For the agent's screen while their telephone rings."""
    return _popup(context, {"Status": "busy", "EventType": "Dial"})


def agent_free_popup(context: WebhookContext) -> OutboundWebhook:
    """The same agent is free again."""
    return _popup(context, {"Status": "free", "EventType": "terminal"})


def _popup(context: WebhookContext, words: Mapping[str, str]) -> OutboundWebhook:
    fields = {
        name: value for name, value in _common_fields(context).items() if name not in FIELDS_NOT_IN_POPUPS
    }
    agent = {"DialWhomNumber": format_number(context.agent, context.spelling), "AgentEmail": AGENT_EMAIL}
    return request_with_query(
        context.url, _without_dates_unless_wanted({**fields, **agent, **words}, context)
    )


def _passthru_get(context: WebhookContext, fields: Mapping[str, str]) -> OutboundWebhook:
    return request_with_query(
        context.url, _without_dates_unless_wanted({**_common_fields(context), **fields}, context)
    )


def _without_dates_unless_wanted(fields: dict[str, str], context: WebhookContext) -> dict[str, str]:
    return fields if context.with_date else {name: fields[name] for name in fields if name not in DATE_FIELDS}


def _common_fields(context: WebhookContext) -> dict[str, str]:
    at = context.ring.rung_at
    return {
        "CallSid": context.ring.call_sid,
        "CallFrom": context.caller,
        "CallTo": context.exophone_without_prefix,
        "Direction": "incoming",
        "ForwardedFrom": "null",
        "Created": format_ist_rfc2822(at),
        "DialCallDuration": "0",
        "StartTime": format_ist(at),
        "EndTime": EPOCH_TEXT,
        "DialWhomNumber": "",
        "ProcessStatus": "null",
        "flow_id": FLOW_ID,
        "tenant_id": TENANT_ID,
        "From": context.caller,
        "To": context.exophone,
        "CurrentTime": format_ist(context.at),
    }


def _agent_leg(context: WebhookContext) -> AgentLeg:
    return context.agent_leg or AgentLeg("completed", 0, context.ring.talked_s)


def _agent_leg_fields(context: WebhookContext) -> dict[str, str]:
    """What a Connect applet adds. Of a leg that nobody took the duration is 0, however long it rang."""
    dial, number = _agent_leg(context), format_number(context.agent, context.spelling)
    cause_code, cause = _HANGUP_CAUSES[dial.end_status]
    is_known = dial.end_status in ("completed", "busy")
    return {
        "DialCallStatus": dial.end_status,
        "DialCallDuration": str(dial.ring_s + dial.talk_s if is_known else 0),
        "DialWhomNumber": number,
        "OutgoingPhoneNumber": context.exophone,
        "Legs[0][Number]": number,
        "Legs[0][Type]": "single",
        "Legs[0][OnCallDuration]": str(dial.talk_s),
        "Legs[0][CallerId]": context.exophone,
        "Legs[0][CauseCode]": cause_code,
        "Legs[0][Cause]": cause,
    }


def _recording_fields(context: WebhookContext) -> dict[str, str]:
    return {
        "RecordingUrl": recording_url(context.ring.call_sid),
        "RecordingAvailableBy": format_ist_rfc2822(context.at + RECORDING_AVAILABLE_AFTER),
    }
