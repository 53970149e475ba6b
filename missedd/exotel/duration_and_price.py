"""Duration, price, recording and SMS units, from Exotel's reports and records.

    # the end of a call between two numbers
    ConversationDuration=8 Legs[0][OnCallDuration]=21 Legs[1][OnCallDuration]=8 RecordingUrl=https://…
    # Call Details, some minutes later
    Price=1.500 Details[ConversationDuration]=8 Details[Legs][1][Leg][OnCallDuration]=8
    # the Passthru behind a flow's Voicebot applet
    Stream[Status]=completed Stream[Duration]=34 Stream[RecordingUrl]=https://…
    # SMS     SmsUnits=2 Price=0.360000

Exotel fills in price and recording some minutes after the call. If a report lacks them, a later report or
a lookup may have them. A `PreSignedRecordingUrl` works for everybody, and for some minutes only, so it is
not stored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from missedd.core.actions.details import is_web_link
from missedd.exotel.answer_time import LONGEST_CALL_S
from missedd.exotel.call_legs import conversation_duration, on_call_duration
from missedd.exotel.webhook_fields import first_value, first_word

_COUNT: Final = re.compile(r"[0-9]{1,9}")
_DURATION: Final = re.compile(r"(?:(?:([0-9]{1,2}):)?([0-9]{1,2}):)?([0-9]{1,9})(?:\.[0-9]{1,9})?")
_PRICE: Final = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?")


def read_call_facts(fields: Mapping[str, str], first_party: str | None) -> dict[str, str]:
    """The facts about a call: `talk_s` (whole seconds), `recording_url`, `price`; each may be missing.

    `first_party` is whose phone rang first, `agent` or `customer`; None for a flow. Two people talk while
    the second leg is up. In a flow the longest leg counts, or the flow's own conversation.
    """
    facts: dict[str, str] = {}
    durations = [
        seconds for text in _durations(fields, first_party) if (seconds := _parse_seconds(text)) is not None
    ]
    if durations and first_word(fields, "EventType") != "answered":
        facts["talk_s"] = str(max(durations))
    recording = first_value(fields, "RecordingUrl", "Stream[RecordingUrl]")
    if is_web_link(recording):
        facts["recording_url"] = recording
    return facts | _read_price(fields)


def read_sms_facts(fields: Mapping[str, str]) -> dict[str, str]:
    """The facts about an SMS: `units` (billed parts) and `price`; each may be missing."""
    units = first_value(fields, "SmsUnits")
    return ({"units": units} if _COUNT.fullmatch(units) else {}) | _read_price(fields)


def _durations(fields: Mapping[str, str], first_party: str | None) -> Iterator[str]:
    yield conversation_duration(fields)
    yield on_call_duration(fields, 1)
    if first_party is None:
        yield on_call_duration(fields, 0)
        if first_word(fields, "Stream[Status]") == "completed":
            yield first_value(fields, "Stream[Duration]")


def _parse_seconds(text: str) -> int | None:
    duration = _DURATION.fullmatch(text)
    if duration is None:
        return None
    hours, minutes, seconds = (int(each or 0) for each in duration.groups())
    whole = hours * 3_600 + minutes * 60 + seconds
    return whole if whole <= LONGEST_CALL_S else None


def _read_price(fields: Mapping[str, str]) -> dict[str, str]:
    price = first_value(fields, "Price")
    return {"price": price} if _PRICE.fullmatch(price) else {}
