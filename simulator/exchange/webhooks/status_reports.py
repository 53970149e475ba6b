"""The bodies of what Exotel posts about calls and texts. Pure: records in, requests out.

Two shapes of call report: four fields, always multipart unless JSON was asked for; and the long
one with legs, between two numbers and for subscribed events. Legs may be silent there, and a flow's
report may be long, as the account's settings say.
"""

from __future__ import annotations

from typing import Any

from simulator.exchange.model.api_requests import ConnectOrder, SmsOrder
from simulator.exchange.model.context import World
from simulator.exchange.model.formats import EPOCH_TEXT, Spelling, ist_text, ist_words, recording_url, spell
from simulator.exchange.model.records import Connect, Text
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.model.sms_codes import STATES
from simulator.exchange.webhooks.body_formats import form_post, json_post, multipart_post, with_query
from simulator.exchange.webhooks.request import OutboundWebhook


def call_report(call: Connect, order: ConnectOrder, event: str, world: World) -> OutboundWebhook | None:
    """The report of `answered` or `terminal` as things are now, or None where none is due."""
    url, settings = order.status_callback, world.settings
    # Whether a flow's events may be subscribed to is told both ways; with legs its end is told anyhow.
    is_long = bool(order.events) if call.to_number is not None else settings.flow_legs
    told = order.events or ("terminal",)
    if url is None or event not in (told if is_long else ("terminal",)):
        return None
    fields: dict[str, Any] = {
        "CallSid": call.sid,
        "Status": told_status(call, settings),
        "DateUpdated": ist_text(world.now()),
    }
    if call.status == "completed":
        fields["RecordingUrl"] = recording_url(call.sid) if order.records else None
    elif event == "terminal" and world.luck.random() >= world.settings.recording_absent_rate:
        fields["RecordingUrl"] = None
    if is_long:
        fields |= _long_fields(call, order, event)
        if call.to_number is None or settings.report_legs:
            fields["Legs"] = _legs(call, event, settings)
    if order.as_json:
        return json_post(url, fields)
    return multipart_post(url, _flat(fields), boundary=f"------------------------{call.sid[:16]}")


def told_status(call: Connect, settings: ExchangeSettings) -> str:
    """The status in Exotel's words, which need not be how the call went."""
    is_glossed = settings.flow_always_completed and call.to_number is None and call.ended_at is not None
    return "completed" if is_glossed else call.status


def answered_by(call: Connect, leg: int, settings: ExchangeSettings) -> str:
    if (call.leg1, call.leg2)[leg] not in ("completed", "in-progress"):
        return "NA"
    return settings.machine_word if call.by_machine[leg] else settings.human_word


def _long_fields(call: Connect, order: ConnectOrder, event: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "EventType": event,
        "DateCreated": ist_text(call.created_at),
        "StartTime": ist_text(call.created_at),
        "EndTime": ist_text(call.ended_at) if call.ended_at else EPOCH_TEXT,
        "To": spell(call.to_number or call.caller_id, Spelling.ZERO),
        "From": spell(call.from_number, Spelling.ZERO),
        "PhoneNumberSid": spell(call.caller_id, Spelling.ZERO),
        "ConversationDuration": call.conversation_s,
        "Direction": "outbound-api",
    }
    if event == "terminal":
        fields["CustomField"] = order.custom_field
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


def _flat(fields: dict[str, Any]) -> dict[str, str]:
    """The same for a form: legs under bracketed names, nothing as an empty text."""
    flat: dict[str, str] = {}
    for name, value in fields.items():
        if name == "Legs":
            for i, leg in enumerate(value):
                flat |= {f"Legs[{i}][{key}]": str(one) for key, one in leg.items()}
        else:
            flat[name] = "" if value is None else str(value)
    return flat


def sms_report(text: Text, order: SmsOrder) -> OutboundWebhook | None:
    """The report of an SMS's end; `To` begins with 0 however it was sent."""
    if order.status_callback is None:
        return None
    status, detailed = STATES[text.code]
    fields = {
        "SmsSid": text.sid,
        "To": spell(text.number, Spelling.ZERO),
        "Status": status,
        "SmsUnits": str(text.units),
        "DetailedStatus": detailed,
        "DetailedStatusCode": str(text.code),
        "DateSent": ist_text(text.delivered_at) if text.delivered_at else EPOCH_TEXT,
    }
    if order.custom_field:
        fields["CustomField"] = order.custom_field
    return (json_post if order.as_json else form_post)(order.status_callback, fields)


def flow_passthru(url: str, call: Connect, settings: ExchangeSettings) -> OutboundWebhook:
    """A Passthru applet at the end of an outbound flow: the call was taken, by the customer or a machine."""
    at = call.ended_at or call.created_at
    fields = {
        "CallSid": call.sid,
        "CallFrom": spell(call.from_number, Spelling.ZERO),
        "CallTo": spell(call.caller_id, Spelling.BARE),
        "Direction": "outbound-dial",
        "ForwardedFrom": "null",
        "Created": ist_words(call.created_at),
        "DialCallDuration": str(call.conversation_s),
        "StartTime": ist_text(call.created_at),
        "EndTime": EPOCH_TEXT,
        "DialCallStatus": "completed",
        "CallType": "completed",
        "DialWhomNumber": "",
        "ProcessStatus": "null",
        "flow_id": (call.flow_url or "").rstrip("/").rpartition("/")[2],
        "tenant_id": "67291",
        "From": spell(call.from_number, Spelling.ZERO),
        "To": spell(call.caller_id, Spelling.ZERO),
        "CurrentTime": ist_text(at),
        "CustomField": call.fields.get("CustomField", ""),
    }
    if (word := answered_by(call, 0, settings)) != "NA":
        fields["AnsweredBy"] = word
    return with_query(url, fields)
