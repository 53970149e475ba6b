"""The Passthru applet's GET, in every form that the course of a call gives it. Pure: facts in, request out.

Which fields there are depends on what ran before the applet: a Connect applet adds the agent's leg,
a Voicebot applet its stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from simulator.exchange.model.formats import EPOCH_TEXT, Spelling, ist_text, ist_words, recording_url, spell
from simulator.exchange.model.records import InboundRing
from simulator.exchange.webhooks.body_formats import with_query
from simulator.exchange.webhooks.request import OutboundWebhook

AGENT_EMAIL = "agent@example.in"
FLOW_ID, TENANT_ID = "228040", "67291"
DATES = ("Created", "StartTime", "CurrentTime", "RecordingAvailableBy")
NOT_IN_POPUPS = ("DialCallDuration", "StartTime", "EndTime", "ForwardedFrom", "ProcessStatus")
RECORDING_AFTER = timedelta(minutes=5)

_CAUSES: Mapping[str, tuple[str, str]] = {
    "completed": ("NORMAL_CLEARING", "16"),
    "no-answer": ("RING_TIMEOUT", "1003"),
    "canceled": ("RING_TIMEOUT", "1003"),
    "busy": ("USER_BUSY", "17"),
    "failed": ("NO_ROUTE_DESTINATION", "3"),
}
"""`CauseCode` and `Cause` of a leg. The first three were captured, the others are the network's usual."""


@dataclass(frozen=True, slots=True)
class Dial:
    """How a Connect applet's try of an agent went. Seconds."""

    ended: str
    rang_s: int
    talked_s: int = 0


@dataclass(frozen=True, slots=True)
class Told:
    """What one request tells: of which call, how it stood at the instant `at`, and in which spelling.

    `agent` is whose telephone a Connect applet rings.
    """

    ring: InboundRing
    url: str
    agent: str
    spelling: Spelling
    with_date: bool
    at: datetime
    dial: Dial | None = None

    @property
    def caller(self) -> str:
        return spell(self.ring.number, self.spelling)

    @property
    def exophone(self) -> str:
        return spell(self.ring.exophone, self.spelling)

    @property
    def exophone_bare(self) -> str:
        """Captured requests have `CallTo` without the 0 that `To` begins with."""
        return spell(self.ring.exophone, Spelling.BARE if self.spelling is Spelling.ZERO else self.spelling)


def attempt(told: Told) -> OutboundWebhook:
    """No Connect applet has run: a pure missed call, or one that still goes on."""
    return _get(told, {"CallStatus": "ringing", "CallType": "call-attempt"})


def digits(told: Told) -> OutboundWebhook:
    """Behind a menu; the digits come in quotes."""
    return _get(told, {"CallStatus": "in-progress", "CallType": "call-attempt", "digits": '"1"'})


def talked(told: Told) -> OutboundWebhook:
    """Behind a Connect applet whose agent talked to the caller."""
    return _get(told, {"CallStatus": "completed", "CallType": "completed"} | _dialled(told) | _recorded(told))


def unanswered(told: Told) -> OutboundWebhook:
    """Behind a Connect applet that nobody took."""
    return _get(told, {"CallType": "incomplete"} | _dialled(told))


def client_hangup(told: Told) -> OutboundWebhook:
    return _get(told, {"CallType": "client-hangup"} | _dialled(told))


def voicemail(told: Told) -> OutboundWebhook:
    return _get(told, {"CallType": "voicemail"} | _dialled(told) | _recorded(told))


def insights(told: Told) -> OutboundWebhook:
    """`CallType` knows nothing of the agent, as only the insights have followed the call so far."""
    dial = _dial(told)
    fields = {
        "CallStatus": "in-progress",
        "CallType": "call-attempt",
        "Insights[DialCallStatus]": dial.ended,
        "Legs[0][Insights][Status]": dial.ended,
        "Legs[0][Insights][DetailedStatus]": _CAUSES[dial.ended][0],
        "Legs[0][Insights][RingingDuration]": str(dial.rang_s),
        "Legs[0][OnCallDuration]": str(dial.talked_s),
        "Legs[0][DisconnectedBy]": "user",
    }
    return _get(told, fields)


def stream(told: Told) -> OutboundWebhook:
    """Behind a Voicebot applet: what the bot's stream came to is all there is to tell by."""
    talked_s = told.ring.talked_s
    fields = {
        "CallStatus": "in-progress",
        "CallType": "call-attempt",
        "Stream[StreamSID]": told.ring.call_sid[::-1],
        "Stream[Status]": "completed" if talked_s else "failed",
        "Stream[Duration]": str(talked_s),
        "Stream[StreamUrl]": "wss://bot.example.in/stream",
        "Stream[DisconnectedBy]": "bot" if talked_s else "user",
    }
    if talked_s:
        fields["Stream[RecordingUrl]"] = recording_url(told.ring.call_sid)
    else:
        fields["Stream[Error]"] = "3009 failed to establish a connection to the URL"
    return _get(told, fields)


def popup(told: Told) -> OutboundWebhook:
    """For the agent's screen while their telephone rings."""
    return _popup(told, {"Status": "busy", "EventType": "Dial"})


def popup_free(told: Told) -> OutboundWebhook:
    """The same agent is free again."""
    return _popup(told, {"Status": "free", "EventType": "terminal"})


def _popup(told: Told, words: Mapping[str, str]) -> OutboundWebhook:
    fields = {name: value for name, value in _base(told).items() if name not in NOT_IN_POPUPS}
    agent = {"DialWhomNumber": spell(told.agent, told.spelling), "AgentEmail": AGENT_EMAIL}
    return with_query(told.url, _dated({**fields, **agent, **words}, told))


def _get(told: Told, fields: Mapping[str, str]) -> OutboundWebhook:
    return with_query(told.url, _dated({**_base(told), **fields}, told))


def _dated(fields: dict[str, str], told: Told) -> dict[str, str]:
    return fields if told.with_date else {name: fields[name] for name in fields if name not in DATES}


def _base(told: Told) -> dict[str, str]:
    at = told.ring.rung_at
    return {
        "CallSid": told.ring.call_sid,
        "CallFrom": told.caller,
        "CallTo": told.exophone_bare,
        "Direction": "incoming",
        "ForwardedFrom": "null",
        "Created": ist_words(at),
        "DialCallDuration": "0",
        "StartTime": ist_text(at),
        "EndTime": EPOCH_TEXT,
        "DialWhomNumber": "",
        "ProcessStatus": "null",
        "flow_id": FLOW_ID,
        "tenant_id": TENANT_ID,
        "From": told.caller,
        "To": told.exophone,
        "CurrentTime": ist_text(told.at),
    }


def _dial(told: Told) -> Dial:
    return told.dial or Dial("completed", 0, told.ring.talked_s)


def _dialled(told: Told) -> dict[str, str]:
    """What a Connect applet adds. Of a leg that nobody took the duration is 0, however long it rang."""
    dial, number = _dial(told), spell(told.agent, told.spelling)
    cause_code, cause = _CAUSES[dial.ended]
    is_known = dial.ended in ("completed", "busy")
    return {
        "DialCallStatus": dial.ended,
        "DialCallDuration": str(dial.rang_s + dial.talked_s if is_known else 0),
        "DialWhomNumber": number,
        "OutgoingPhoneNumber": told.exophone,
        "Legs[0][Number]": number,
        "Legs[0][Type]": "single",
        "Legs[0][OnCallDuration]": str(dial.talked_s),
        "Legs[0][CallerId]": told.exophone,
        "Legs[0][CauseCode]": cause_code,
        "Legs[0][Cause]": cause,
    }


def _recorded(told: Told) -> dict[str, str]:
    return {
        "RecordingUrl": recording_url(told.ring.call_sid),
        "RecordingAvailableBy": ist_words(told.at + RECORDING_AFTER),
    }
