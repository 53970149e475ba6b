"""Why a request about an incoming call is not a missed call: tables of words, and proofs of conversation.

    # somebody talked to the caller, whatever the other words say
    CallType=completed                  DialCallStatus=completed            ConversationDuration=12
    Legs[0][OnCallDuration]=10          Legs[0][Insights][Status]=completed
    Insights[DialCallStatus]=completed  Stream[Status]=completed and Stream[Duration]=41 (with a bot)
    # they left a voicemail             CallType=voicemail
    # an agent's popup                  Status=busy EventType=Dial AgentEmail=…
    # no popup but a missed call        Status=busy StartTime=… EndTime=…, both real instants

An unknown word proves nothing. A request that has only unknown words is a missed call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from missedd.core.reasons import Reason
from missedd.exotel.call_legs import is_nonzero_duration
from missedd.exotel.dates import parse_instant
from missedd.exotel.misdirected_requests import identify_product
from missedd.exotel.webhook_fields import first_value, first_word

# Exotel's words to our reasons; None is a missed call. A word in no table decides nothing.
STATUSES: Final[Mapping[str, Reason | None]] = {
    "missed-call": None,
    "missed": None,
    "no-answer": None,
    "busy": None,
    "failed": None,
    "canceled": None,
    "cancelled": None,
    "completed": Reason.CONVERSATION,
    "answered": Reason.CONVERSATION,
    "voicemail": Reason.VOICEMAIL,
    "in-progress": Reason.STILL_IN_PROGRESS,
    "ringing": Reason.STILL_IN_PROGRESS,
    "queued": Reason.STILL_IN_PROGRESS,
}
"""`Status`, which only the native webhook and the popups have."""

CALL_TYPES: Final[Mapping[str, Reason | None]] = {
    "call-attempt": None,
    "client-hangup": None,
    "incomplete": None,
    "missed-call": None,
    "completed": Reason.CONVERSATION,
    "voicemail": Reason.VOICEMAIL,
}
"""`CallType`, the most reliable word of a Passthru."""

DIAL_STATUSES: Final[Mapping[str, Reason | None]] = {
    "no-answer": None,
    "busy": None,
    "failed": None,
    "canceled": None,
    "cancelled": None,
    "completed": Reason.CONVERSATION,
}
"""`DialCallStatus`, which is present after the flow has tried an agent."""

CALL_STATUSES: Final[Mapping[str, Reason | None]] = {"in-progress": Reason.STILL_IN_PROGRESS}
"""`CallStatus` by itself. `ringing` is a missed call that was never answered, and every incoming call that
has ended is `completed`, with or without a conversation. So neither is in the table."""

POPUP_STATUSES: Final = frozenset({"busy", "free"})
"""An agent's phone rings, or is free again. These words say nothing about the caller."""

_AGENT_ONLY: Final = ("AgentEmail", "DialWhomNumber")
_TALKED_IF_COMPLETED: Final = ("[Status]", "[Insights][Status]")
_TALKED_IF_LASTING: Final = ("[OnCallDuration]", "[Insights][OnCallDuration]")


def is_outbound(fields: Mapping[str, str]) -> bool:
    return "Direction" in fields and first_word(fields, "Direction").startswith("outbound")


def not_missed_reason(fields: Mapping[str, str], status: str, *, is_passthru: bool) -> Reason | None:
    """The first reason that applies; None for a missed call.

    The order is: the direction, other products, popups, voicemail, conversations, then the tables.
    `status` is the field `Status`, as `first_word` gives it.
    """
    if is_outbound(fields):
        return Reason.OUTBOUND_LEG
    if status == "missed-call":
        return None
    if identify_product(fields) is not None:
        return Reason.OTHER_PRODUCT
    # A popup comes before the call's end, with words of its own, so check for it first.
    if first_value(fields, "EventType"):
        return Reason.AGENT_EVENT
    call_type, dial_status = first_word(fields, "CallType"), first_word(fields, "DialCallStatus")
    if CALL_TYPES.get(call_type) is Reason.VOICEMAIL:
        return Reason.VOICEMAIL
    if _has_talked(fields, call_type, dial_status, status):
        return Reason.CONVERSATION
    if _is_popup(fields, status, is_passthru):
        return Reason.AGENT_EVENT
    for text, table in ((call_type, CALL_TYPES), (dial_status, DIAL_STATUSES)):
        if text in table:
            return table[text]
    if status in STATUSES:
        return STATUSES[status] if not _is_certain_nobody_talked(fields, status) else None
    return CALL_STATUSES.get(first_word(fields, "CallStatus"))


def _is_popup(fields: Mapping[str, str], status: str, is_passthru: bool) -> bool:
    if first_value(fields, "AgentEmail"):
        return True
    if status not in POPUP_STATUSES:
        return False
    # While an agent's phone rings, the call has no end. A call with an end and no agent was missed.
    has_ended = all(parse_instant(fields.get(name)) is not None for name in ("StartTime", "EndTime"))
    if status == "busy" and has_ended and not first_value(fields, *_AGENT_ONLY):
        return False
    return is_passthru or any(name in fields for name in _AGENT_ONLY)


def _has_talked(fields: Mapping[str, str], call_type: str, dial_status: str, status: str) -> bool:
    """Whether any fact proves a conversation, whatever the other words say."""
    if (
        CALL_TYPES.get(call_type) is Reason.CONVERSATION
        or DIAL_STATUSES.get(dial_status) is Reason.CONVERSATION
        or is_nonzero_duration(first_value(fields, "ConversationDuration"))
    ):
        return True
    if "[" not in "".join(fields):
        return False
    if first_word(fields, "Insights[DialCallStatus]", "Insights[Status]") == "completed":
        return True
    if first_word(fields, "Stream[Status]") == "completed" and is_nonzero_duration(
        first_value(fields, "Stream[Duration]")
    ):
        return True
    first = 1 if status else 0
    return any(_leg_proves_talk(fields, name, first) for name in fields if name.startswith("Legs["))


def _leg_proves_talk(fields: Mapping[str, str], name: str, first: int) -> bool:
    # In a Passthru all legs are agents'. In a report with `Status` the first leg is the caller's own.
    index, _, rest = name.removeprefix("Legs[").partition("]")
    if first and index == "0":
        return False
    if rest in _TALKED_IF_COMPLETED:
        return first_word(fields, name) == "completed"
    return rest in _TALKED_IF_LASTING and _is_plausible_talk(fields, first_value(fields, name))


def _is_plausible_talk(fields: Mapping[str, str], talked: str) -> bool:
    """Whether a leg can have talked for `talked` seconds.

    If no agent answered, the try lasted for `DialCallDuration`, including its ringing. A leg with more
    seconds than that contradicts both fields, and the two fields are believed.
    """
    if DIAL_STATUSES.get(first_word(fields, "DialCallStatus"), Reason.CONVERSATION) is None:
        tried = first_value(fields, "DialCallDuration")
        if tried.isdecimal() and talked.isdecimal() and 0 < int(tried[:9]) < int(talked[:9]):
            return False
    return is_nonzero_duration(talked)


def _is_certain_nobody_talked(fields: Mapping[str, str], status: str) -> bool:
    # Exotel says `completed` for unanswered calls too. Then the seconds of talk decide, or the agent's leg.
    if status != "completed":
        return False
    talked = first_value(fields, "ConversationDuration")
    if talked != "":
        return not is_nonzero_duration(talked)
    return DIAL_STATUSES.get(first_word(fields, "Legs[1][Status]"), Reason.CONVERSATION) is None
