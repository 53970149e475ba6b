"""The API's objects as Exotel shows them: a call, an SMS, a number. Pure views of the truth.

The same moment looks different in the two formats: what JSON calls null is an empty element in
XML, and an SMS not yet sent has the epoch as its `DateSent` there.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from simulator.exchange.model.formats import (
    EPOCH_TEXT,
    NumberFormat,
    format_ist,
    format_number,
    recording_url,
)
from simulator.exchange.model.records import Connect, InboundRing, Text
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.model.sms_codes import SMS_STATES
from simulator.exchange.webhooks.status_reports import answered_by, reported_status

PRICE_PER_MINUTE = 0.75
PRICE_PER_SMS = 0.18


def call_object(call: Connect, settings: ExchangeSettings, now: datetime, *, details: bool) -> dict[str, Any]:
    """A call made through the API. Until its details are final it looks as if it went on."""
    settled_at = call.ended_at and call.ended_at + timedelta(seconds=settings.details_delay_s)
    is_final = settled_at is not None and now >= settled_at
    duration_s = round((call.ended_at - call.created_at).total_seconds()) if call.ended_at else 0
    minutes = -(-call.leg_s[0] // 60)
    account = settings.account_sid
    shown: dict[str, Any] = {
        "Sid": call.sid,
        "ParentCallSid": None,
        "DateCreated": format_ist(call.created_at),
        "DateUpdated": format_ist(settled_at if is_final and settled_at else call.created_at),
        "AccountSid": account,
        "To": format_number(call.to_number or call.caller_id, NumberFormat.ZERO),
        "From": format_number(call.from_number, NumberFormat.ZERO),
        "PhoneNumberSid": format_number(call.caller_id, NumberFormat.ZERO),
        "Status": reported_status(call, settings) if is_final else "in-progress",
        "StartTime": format_ist(call.created_at),
        "EndTime": format_ist(call.ended_at) if is_final and call.ended_at else None,
        "Duration": str(duration_s) if is_final else None,
        "Price": f"{minutes * PRICE_PER_MINUTE:.3f}" if is_final else None,
        "Direction": "outbound-api",
        "AnsweredBy": _answered_by(call, settings) if is_final else None,
        "ForwardedFrom": None,
        "CallerName": None,
        "Uri": f"/v1/Accounts/{account}/Calls/{call.sid}.json",
        "RecordingUrl": recording_url(call.sid) if is_final and call.status == "completed" else None,
        "SubResourceUris": {"Legs": f"/v1/Accounts/{account}/Calls/{call.sid}.json/Legs"},
    }
    if details:
        shown["Details"] = _details(call, is_final=is_final, names_legs=settings.details_legs)
    return shown


def signed_url(recording: str | None, now: datetime, minutes: int) -> str | None:
    """A recording's URL that holds for so many minutes, or None where there is no recording."""
    if recording is None:
        return None
    expires = int((now + timedelta(minutes=minutes)).timestamp())
    return f"{recording}?Expires={expires}"


def _answered_by(call: Connect, settings: ExchangeSettings) -> str | None:
    """Of whoever was reached last: the whole call has one word. Nothing where nobody looked for machines."""
    reached = 1 if call.leg2 == "completed" else 0
    word = answered_by(call, reached, settings)
    return None if word == "NA" else word


def _details(call: Connect, *, is_final: bool, names_legs: bool) -> dict[str, Any]:
    if not names_legs:
        return {"ConversationDuration": call.conversation_s if is_final else 0}
    legs = [{"Leg": {"Id": 1, "OnCallDuration": call.leg_s[0] if is_final else 0}}]
    if call.to_number is not None:
        legs.append({"Leg": {"Id": 2, "OnCallDuration": call.leg_s[1] if is_final else 0}})
    return {
        "ConversationDuration": call.conversation_s if is_final else 0,
        "Leg1Status": call.leg1 if is_final else "in-progress",
        "Leg2Status": call.leg2 if is_final else None,
        "Legs": legs,
    }


def inbound_object(ring: InboundRing, settings: ExchangeSettings, *, details: bool) -> dict[str, Any]:
    """An incoming call as the API lists it: `completed`, like every one, whether anybody talked or not."""
    at, account = format_ist(ring.rung_at), settings.account_sid
    shown: dict[str, Any] = {
        "Sid": ring.call_sid,
        "ParentCallSid": None,
        "DateCreated": at,
        "DateUpdated": at,
        "AccountSid": account,
        "To": format_number(ring.exophone, NumberFormat.ZERO),
        "From": format_number(ring.number, NumberFormat.ZERO),
        "PhoneNumberSid": format_number(ring.exophone, NumberFormat.ZERO),
        "Status": "completed",
        "StartTime": at,
        "EndTime": format_ist(ring.ended_at),
        "Duration": str(ring.lasted_s),
        "Price": "0.000",
        "Direction": "inbound",
        "AnsweredBy": None,
        "ForwardedFrom": None,
        "CallerName": None,
        "Uri": f"/v1/Accounts/{account}/Calls/{ring.call_sid}.json",
        "RecordingUrl": recording_url(ring.call_sid) if ring.talked_s or ring.voicemail_at else None,
    }
    if details:
        shown["Details"] = {
            # Between two legs: what a bot says to the caller is none.
            "ConversationDuration": ring.talked_s if ring.agent_leg == "completed" else 0,
            "Leg1Status": "completed" if ring.lasted_s else None,
            "Leg2Status": ring.agent_leg,
            "Legs": [],
        }
    return shown


def sms_object(text: Text, settings: ExchangeSettings, *, as_json: bool) -> dict[str, Any]:
    status, detailed = SMS_STATES[text.code]
    sent_at = format_ist(text.delivered_at) if text.delivered_at else None
    account = settings.account_sid
    return {
        "Sid": text.sid,
        "AccountSid": account,
        "From": f"/{text.sender}",
        "To": format_number(text.number, NumberFormat.ZERO),
        "DateCreated": format_ist(text.sent_at),
        "DateUpdated": format_ist(text.updated_at or text.sent_at),
        "DateSent": sent_at if as_json or sent_at else EPOCH_TEXT,
        "Body": text.body,
        "Direction": "outbound-api",
        "Uri": f"/v1/Accounts/{account}/SMS/Messages/{text.sid}.json",
        "ApiVersion": None,
        "Price": f"{text.units * PRICE_PER_SMS:.6f}" if text.final else None,
        "Status": status,
        "SmsUnits": str(text.units) if text.final else None,
        "DetailedStatusCode": text.code,
        "DetailedStatus": detailed,
    }


def number_object(number: str, *, is_dnd: bool) -> dict[str, Any]:
    return {
        "PhoneNumber": format_number(number, NumberFormat.ZERO),
        "Circle": "KA",
        "CircleName": "Karnataka",
        "Type": "Mobile" if number[3:4] in ("6", "7", "8", "9") else "Landline",
        "Operator": "R",
        "OperatorName": "Reliance",
        "DND": "Yes" if is_dnd else "No",
    }
