"""Requests of other applets and products that reach the missed-call URL by a wrong setting.

    Voicebot and Stream applets          the call goes on; no `CallType`, no `StartTime`
    Integration Core, CCM, dial whom     JSON with words of their own
    Heartbeat                            how the ExoPhones do; it belongs to no call

And a missed call that is told as a status, which is one all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from simulator.base.choices import Choice
from simulator.exchange.model.formats import NumberFormat, format_ist, format_ist_rfc2822, format_number
from simulator.exchange.webhooks.body_formats import form_post, json_post, request_with_query
from simulator.exchange.webhooks.passthru import AGENT_EMAIL, WebhookContext, call_attempt
from simulator.exchange.webhooks.request import OutboundWebhook


class HeartbeatStatus(Choice):
    """What a heartbeat says of the ExoPhones."""

    OK = "OK"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"


def voicebot_url(context: WebhookContext) -> OutboundWebhook:
    """The applet asks which address to stream to, as a GET."""
    return request_with_query(context.url, _voicebot_fields(context))


def voicebot_form(context: WebhookContext) -> OutboundWebhook:
    """The same of 2026: a form, which may carry the URL of the Passthru before it as JSON text."""
    passed = json.dumps({"url": call_attempt(context).url})
    return form_post(context.url, _voicebot_fields(context) | {"ServerCode": "in1", "passthru": passed})


def stream_start(context: WebhookContext) -> OutboundWebhook:
    fields = {
        "StreamSid": context.ring.call_sid[::-1],
        "StreamUrl": "wss://bot.example.in/stream",
        "AccountSid": "example1",
        "EventType": "stream-start",
        "CallSid": context.ring.call_sid,
        "From": context.caller,
        "To": context.exophone,
    }
    return form_post(context.url, fields)


def integration_core(context: WebhookContext) -> OutboundWebhook:
    fields = {
        "AppId": "shop-crm",
        "AppUserID": "agent-1",
        "CallSid": context.ring.call_sid,
        "CallState": "terminal",
        "CallStatus": "from_leg_cancelled",
        "Direction": "incoming",
        "FromNumber": context.caller,
        "ToNumber": format_number(context.agent, context.spelling),
        "VirtualNumber": context.exophone,
        "DialWhomNumber": format_number(context.agent, context.spelling),
        "ExotelAccountSid": "example1",
        "StartTime": context.ring.rung_at.isoformat(),
        "TotalDuration": "10",
    }
    return json_post(context.url, fields)


def ccm(context: WebhookContext) -> OutboundWebhook:
    call = {
        "call_sid": context.ring.call_sid,
        "direction": "inbound",
        "virtual_number": format_number(context.ring.exophone, NumberFormat.E164),
        "call_state": "terminal",
        "call_status": "missed",
        "assigned_agent_details": {"id": AGENT_EMAIL, "name": "Agent", "contact_uri": context.agent},
        "customer_details": {"contact_uri": context.ring.number, "name": ""},
        "total_talk_time": 0,
        "created_time": context.ring.rung_at.isoformat(),
    }
    return json_post(context.url, {"event_details": {"event_type": "terminal"}, "call_details": call})


def dial_whom(context: WebhookContext) -> OutboundWebhook:
    """A Connect applet asks for the numbers to dial."""
    return json_post(context.url, {"Call": {"Sid": context.ring.call_sid, "From": context.caller}})


def heartbeat(url: str, health: HeartbeatStatus, exophones: Iterable[str], at: datetime) -> OutboundWebhook:
    """The Sid of an ExoPhone is its number without the plus."""
    numbers = {number.removeprefix("+"): {"phone_number": number} for number in exophones}
    affected = [] if health is HeartbeatStatus.OK else list(numbers)
    body = {
        "timestamp": at.isoformat(),
        "status_type": health.value,
        "incoming_affected": affected,
        "outgoing_affected": [],
        "data": numbers,
    }
    return json_post(url, body)


def ended_busy(context: WebhookContext) -> OutboundWebhook:
    """A missed call as a status with a start and an end. An agent's popup has no end."""
    return form_post(context.url, _ended_call_fields(context, "busy"))


def ended_no_answer(context: WebhookContext) -> OutboundWebhook:
    return json_post(context.url, _ended_call_fields(context, "no-answer"))


def _ended_call_fields(context: WebhookContext, status: str) -> dict[str, str]:
    fields = {
        "CallSid": context.ring.call_sid,
        "From": context.caller,
        "To": context.exophone,
        "Direction": "incoming",
        "Status": status,
    }
    if context.with_date:
        ended_at = context.ring.rung_at + timedelta(seconds=20)
        fields |= {"StartTime": format_ist(context.ring.rung_at), "EndTime": format_ist(ended_at)}
    return fields


def _voicebot_fields(context: WebhookContext) -> dict[str, str]:
    return {
        "CallSid": context.ring.call_sid,
        "CallFrom": context.caller,
        "CallTo": context.exophone_without_prefix,
        "Direction": "incoming",
        "Created": format_ist_rfc2822(context.ring.rung_at),
        "HangupLatencyStartTime": f"{context.at.timestamp():.3f}",
        "HangupLatencyStartTimeExocc": f"{context.at.timestamp():.3f}",
        "From": context.caller,
        "To": context.exophone,
        "CurrentTime": format_ist(context.at),
    }
