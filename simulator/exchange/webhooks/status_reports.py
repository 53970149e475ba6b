"""The bodies of what Exotel posts about calls and texts. Pure: records in, requests out.

Two shapes of call report: four fields, always multipart unless JSON was asked for; and the long
one with legs, between two numbers and for subscribed events. Legs may be silent there, and a flow's
report may be long, as the account's settings say.
"""

from __future__ import annotations

from typing import Any

from simulator.exchange.model.api_requests import ConnectRequest, SmsRequest
from simulator.exchange.model.context import ExchangeState
from simulator.exchange.model.formats import (
    EPOCH_TEXT,
    NumberFormat,
    format_ist,
    format_ist_rfc2822,
    format_number,
    recording_url,
)
from simulator.exchange.model.records import Connect, Text
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.model.sms_codes import SMS_STATES
from simulator.exchange.webhooks.body_formats import form_post, json_post, multipart_post, request_with_query
from simulator.exchange.webhooks.request import OutboundWebhook


def call_report(
    call: Connect, request: ConnectRequest, event: str, state: ExchangeState
) -> OutboundWebhook | None:
    """The report of `answered` or `terminal` as things are now, or None where none is due."""
    url, settings = request.status_callback, state.settings
    # Whether a flow's events may be subscribed to is told both ways; with legs its end is told anyhow.
    is_long = bool(request.events) if call.to_number is not None else settings.flow_legs
    told = request.events or ("terminal",)
    if url is None or event not in (told if is_long else ("terminal",)):
        return None
    fields: dict[str, Any] = {
        "CallSid": call.sid,
        "Status": reported_status(call, settings),
        "DateUpdated": format_ist(state.now()),
    }
    if call.status == "completed":
        fields["RecordingUrl"] = recording_url(call.sid) if request.wants_recording else None
    elif event == "terminal" and state.rng.random() >= state.settings.recording_absent_rate:
        fields["RecordingUrl"] = None
    if is_long:
        fields |= _long_fields(call, request, event)
        if call.to_number is None or settings.report_legs:
            fields["Legs"] = _legs(call, event, settings)
    if request.as_json:
        return json_post(url, fields)
    return multipart_post(url, _flatten_legs(fields), boundary=f"------------------------{call.sid[:16]}")


def reported_status(call: Connect, settings: ExchangeSettings) -> str:
    """The status in Exotel's words, which need not be how the call went."""
    is_glossed = settings.flow_always_completed and call.to_number is None and call.ended_at is not None
    return "completed" if is_glossed else call.status


def answered_by(call: Connect, leg: int, settings: ExchangeSettings) -> str:
    if (call.leg1, call.leg2)[leg] not in ("completed", "in-progress"):
        return "NA"
    return settings.machine_word if call.by_machine[leg] else settings.human_word


def _long_fields(call: Connect, request: ConnectRequest, event: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "EventType": event,
        "DateCreated": format_ist(call.created_at),
        "StartTime": format_ist(call.created_at),
        "EndTime": format_ist(call.ended_at) if call.ended_at else EPOCH_TEXT,
        "To": format_number(call.to_number or call.caller_id, NumberFormat.ZERO),
        "From": format_number(call.from_number, NumberFormat.ZERO),
        "PhoneNumberSid": format_number(call.caller_id, NumberFormat.ZERO),
        "ConversationDuration": call.conversation_s,
        "Direction": "outbound-api",
    }
    if event == "terminal":
        fields["CustomField"] = request.custom_field
    return fields


def _legs(call: Connect, event: str, settings: ExchangeSettings) -> list[dict[str, Any]]:
    """The one leg of a flow, or both; one that was not tried is `null`, or empty while it may yet be."""
    statuses = [call.leg1 or "null"]
    if call.to_number is not None:
        statuses.append(call.leg2 or ("" if event == "answered" else "null"))
    return [
        {"OnCallDuration": call.leg_s[leg], "Status": status, "AnsweredBy": answered_by(call, leg, settings)}
        for leg, status in enumerate(statuses)
    ]


def _flatten_legs(fields: dict[str, Any]) -> dict[str, str]:
    """The same for a form: legs under bracketed names, nothing as an empty text."""
    flat: dict[str, str] = {}
    for name, value in fields.items():
        if name == "Legs":
            for i, leg in enumerate(value):
                flat |= {f"Legs[{i}][{key}]": str(one) for key, one in leg.items()}
        else:
            flat[name] = "" if value is None else str(value)
    return flat


def sms_report(text: Text, request: SmsRequest) -> OutboundWebhook | None:
    """The report of an SMS's end; `To` begins with 0 however it was sent."""
    if request.status_callback is None:
        return None
    status, detailed = SMS_STATES[text.code]
    fields = {
        "SmsSid": text.sid,
        "To": format_number(text.number, NumberFormat.ZERO),
        "Status": status,
        "SmsUnits": str(text.units),
        "DetailedStatus": detailed,
        "DetailedStatusCode": str(text.code),
        "DateSent": format_ist(text.delivered_at) if text.delivered_at else EPOCH_TEXT,
    }
    if request.custom_field:
        fields["CustomField"] = request.custom_field
    return (json_post if request.as_json else form_post)(request.status_callback, fields)


def flow_passthru(url: str, call: Connect, settings: ExchangeSettings) -> OutboundWebhook:
    """A Passthru applet at the end of an outbound flow: the call was taken, by the customer or a machine."""
    at = call.ended_at or call.created_at
    fields = {
        "CallSid": call.sid,
        "CallFrom": format_number(call.from_number, NumberFormat.ZERO),
        "CallTo": format_number(call.caller_id, NumberFormat.BARE),
        "Direction": "outbound-dial",
        "ForwardedFrom": "null",
        "Created": format_ist_rfc2822(call.created_at),
        "DialCallDuration": str(call.conversation_s),
        "StartTime": format_ist(call.created_at),
        "EndTime": EPOCH_TEXT,
        "DialCallStatus": "completed",
        "CallType": "completed",
        "DialWhomNumber": "",
        "ProcessStatus": "null",
        "flow_id": (call.flow_url or "").rstrip("/").rpartition("/")[2],
        "tenant_id": "67291",
        "From": format_number(call.from_number, NumberFormat.ZERO),
        "To": format_number(call.caller_id, NumberFormat.ZERO),
        "CurrentTime": format_ist(at),
        "CustomField": call.fields.get("CustomField", ""),
    }
    if (word := answered_by(call, 0, settings)) != "NA":
        fields["AnsweredBy"] = word
    return request_with_query(url, fields)
