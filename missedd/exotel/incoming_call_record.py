"""An incoming call from Exotel's list of calls, for calls whose webhook was lost.

    # nobody answered; a call that was rejected, or that the caller ended, looks the same
    {"Sid": …, "Direction": "inbound", "Status": "completed", "From": "09876543210", "To": "08047120001",
     "PhoneNumberSid": "08047120001", "StartTime": "2026-09-28 23:58:11", "EndTime": "2026-09-28 23:58:45",
     "Details": {"ConversationDuration": 0, "Leg1Status": "completed", "Leg2Status": "no-answer"}}
    # an agent talked to the caller
    {…, "Status": "completed", "Details": {"ConversationDuration": 12, "Leg2Status": "completed"}}

`Status` is `completed` for answered, missed and rejected calls alike; only the details differ. If an entry
has no details, a request for Call Details is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from missedd.core.model import SHAPE_RECOVERED, InboundCall
from missedd.core.phone import normalise
from missedd.core.reasons import Reason
from missedd.exotel.call_legs import conversation_duration, is_nonzero_duration, read_leg
from missedd.exotel.dates import parse_instant
from missedd.exotel.status_report_parser import SID_PATTERN
from missedd.exotel.webhook_fields import first_value, first_word, flatten

_EXOPHONE: Final = ("PhoneNumberSid", "PhoneNumber", "To")
_CALLED_AT: Final = ("StartTime", "DateCreated")
_IN_PROGRESS: Final = frozenset({"queued", "ringing", "in-progress", "inprogress"})
_NOBODY_TALKED: Final = frozenset({"no-answer", "busy", "failed", "canceled", "cancelled"})


@dataclass(frozen=True, slots=True)
class ListedCall:
    """`call.not_missed` is the reason why the call was not missed, or None. It is certain only with
    `has_details`."""

    call: InboundCall
    has_details: bool


def parse_listed_call(entry: Mapping[str, Any]) -> ListedCall | None:
    """Parse an entry of the list, or Call Details; None if it has no valid Sid. `called_at` is in UTC."""
    inner = entry.get("Call", entry)
    fields = flatten(inner) if isinstance(inner, Mapping) else {}
    sid = first_value(fields, "Sid", "CallSid")
    if SID_PATTERN.fullmatch(sid) is None:
        return None
    dialled = (normalise(fields.get(name)) for name in _EXOPHONE)
    call = InboundCall(
        call_sid=sid,
        caller=normalise(fields.get("From")),
        dialled=tuple(dict.fromkeys(number for number in dialled if number is not None)),
        called_at=next((at for name in _CALLED_AT if (at := parse_instant(fields.get(name)))), None),
        shape=SHAPE_RECOVERED,
        not_missed=_why_not_missed(fields),
        fields=fields,
    )
    return ListedCall(call, _has_details(fields))


def _why_not_missed(fields: Mapping[str, str]) -> Reason | None:
    if first_word(fields, "Direction") not in ("inbound", "incoming"):
        return Reason.OUTBOUND_LEG
    if first_word(fields, "Status") in _IN_PROGRESS or ("EndTime" in fields and not _has_ended(fields)):
        return Reason.STILL_IN_PROGRESS
    # The first leg is the caller's: it is up as soon as an applet answers. The second is an agent's.
    agent = read_leg(fields, 1)
    if is_nonzero_duration(conversation_duration(fields)) or agent.has_talked or agent.status == "completed":
        return Reason.CONVERSATION
    # Only a conversation or a voicemail is recorded; the second leg of a voicemail is empty.
    return Reason.VOICEMAIL if first_value(fields, "RecordingUrl") else None


def _has_ended(fields: Mapping[str, str]) -> bool:
    return parse_instant(fields.get("EndTime")) is not None


def _has_details(fields: Mapping[str, str]) -> bool:
    """Whether the record says for certain if somebody talked to the caller."""
    has_details = any(name.startswith("Details[") for name in fields)
    return (
        has_details or first_word(fields, "Status") in _NOBODY_TALKED or _why_not_missed(fields) is not None
    )
