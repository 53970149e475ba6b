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

from simulator.base.choices import Word
from simulator.exchange.model.formats import Spelling, ist_text, ist_words, spell
from simulator.exchange.webhooks.body_formats import form_post, json_post, with_query
from simulator.exchange.webhooks.passthru import AGENT_EMAIL, Told, attempt
from simulator.exchange.webhooks.request import OutboundWebhook


class Health(Word):
    """What a heartbeat says of the ExoPhones."""

    OK = "OK"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"


def voicebot_url(told: Told) -> OutboundWebhook:
    """The applet asks which address to stream to, as a GET."""
    return with_query(told.url, _voicebot(told))


def voicebot_form(told: Told) -> OutboundWebhook:
    """The same of 2026: a form, which may carry the URL of the Passthru before it as JSON text."""
    passed = json.dumps({"url": attempt(told).url})
    return form_post(told.url, _voicebot(told) | {"ServerCode": "in1", "passthru": passed})


def stream_start(told: Told) -> OutboundWebhook:
    fields = {
        "StreamSid": told.ring.call_sid[::-1],
        "StreamUrl": "wss://bot.example.in/stream",
        "AccountSid": "example1",
        "EventType": "stream-start",
        "CallSid": told.ring.call_sid,
        "From": told.caller,
        "To": told.exophone,
    }
    return form_post(told.url, fields)


def integration_core(told: Told) -> OutboundWebhook:
    fields = {
        "AppId": "shop-crm",
        "AppUserID": "agent-1",
        "CallSid": told.ring.call_sid,
        "CallState": "terminal",
        "CallStatus": "from_leg_cancelled",
        "Direction": "incoming",
        "FromNumber": told.caller,
        "ToNumber": spell(told.agent, told.spelling),
        "VirtualNumber": told.exophone,
        "DialWhomNumber": spell(told.agent, told.spelling),
        "ExotelAccountSid": "example1",
        "StartTime": told.ring.rung_at.isoformat(),
        "TotalDuration": "10",
    }
    return json_post(told.url, fields)


def ccm(told: Told) -> OutboundWebhook:
    call = {
        "call_sid": told.ring.call_sid,
        "direction": "inbound",
        "virtual_number": spell(told.ring.exophone, Spelling.E164),
        "call_state": "terminal",
        "call_status": "missed",
        "assigned_agent_details": {"id": AGENT_EMAIL, "name": "Agent", "contact_uri": told.agent},
        "customer_details": {"contact_uri": told.ring.number, "name": ""},
        "total_talk_time": 0,
        "created_time": told.ring.rung_at.isoformat(),
    }
    return json_post(told.url, {"event_details": {"event_type": "terminal"}, "call_details": call})


def dial_whom(told: Told) -> OutboundWebhook:
    """A Connect applet asks for the numbers to dial."""
    return json_post(told.url, {"Call": {"Sid": told.ring.call_sid, "From": told.caller}})


def heartbeat(url: str, health: Health, exophones: Iterable[str], at: datetime) -> OutboundWebhook:
    """The Sid of an ExoPhone is its number without the plus."""
    numbers = {number.removeprefix("+"): {"phone_number": number} for number in exophones}
    affected = [] if health is Health.OK else list(numbers)
    body = {
        "timestamp": at.isoformat(),
        "status_type": health.value,
        "incoming_affected": affected,
        "outgoing_affected": [],
        "data": numbers,
    }
    return json_post(url, body)


def ended_busy(told: Told) -> OutboundWebhook:
    """A missed call as a status with a start and an end. An agent's popup has no end."""
    return form_post(told.url, _ended(told, "busy"))


def ended_no_answer(told: Told) -> OutboundWebhook:
    return json_post(told.url, _ended(told, "no-answer"))


def _ended(told: Told, status: str) -> dict[str, str]:
    fields = {
        "CallSid": told.ring.call_sid,
        "From": told.caller,
        "To": told.exophone,
        "Direction": "incoming",
        "Status": status,
    }
    if told.with_date:
        ended_at = told.ring.rung_at + timedelta(seconds=20)
        fields |= {"StartTime": ist_text(told.ring.rung_at), "EndTime": ist_text(ended_at)}
    return fields


def _voicebot(told: Told) -> dict[str, str]:
    return {
        "CallSid": told.ring.call_sid,
        "CallFrom": told.caller,
        "CallTo": told.exophone_bare,
        "Direction": "incoming",
        "Created": ist_words(told.ring.rung_at),
        "HangupLatencyStartTime": f"{told.at.timestamp():.3f}",
        "HangupLatencyStartTimeExocc": f"{told.at.timestamp():.3f}",
        "From": told.caller,
        "To": told.exophone,
        "CurrentTime": ist_text(told.at),
    }
