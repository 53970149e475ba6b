"""What becomes of an SMS: Exotel's detailed codes, and the units that it is billed in.

A unit has 160 or 70 characters, less when there are several.
"""

from __future__ import annotations

from simulator.exchange.model.numbering_plan import takes_sms
from simulator.exchange.model.people import Person, Reception

PENDING = (21010, 21015, 21020)
DELIVERED = (20005, 20006)

STATES: dict[int, tuple[str, str]] = {
    21010: ("queued", "PENDING_TO_OPERATOR"),
    21015: ("sending", "SENDING_TO_OPERATOR"),
    21020: ("submitted", "PENDING_ON_OPERATOR"),
    20005: ("sent", "DELIVERED_TO_HANDSET"),
    20006: ("sent", "DELIVERED_TO_OPERATOR"),
    23005: ("failed_dnd", "FAILED_REJECTED_DND"),
    23010: ("failed", "FAILED_INVALID_DESTINATION_NUMBER"),
    23015: ("failed", "FAILED_SPAM_DETECTED"),
    23020: ("failed", "FAILED_REJECTED_BLACKLIST"),
    23030: ("failed", "FAILED_UNAVAILABLE_ROUTE"),
    23035: ("failed", "FAILED_SUBSCRIBER_UNAVAILABLE"),
    23040: ("failed", "FAILED_SUBSCRIBER_UNKNOWN"),
    23050: ("failed", "FAILED_EXPIRED"),
    23060: ("failed", "FAILED_REJECTED"),
    23070: ("failed", "FAILED_INVALID_MESSAGE"),
    23072: ("failed", "FAILED_INVALID_SENDER_ID"),
    23080: ("failed", "SENDER_BLOCKED_BY_DLT"),
    23081: ("failed", "ENTITY_BLOCKED_BY_DLT"),
    23082: ("failed", "TEMPLATE_BLOCKED_BY_DLT"),
    23083: ("failed", "FAILED_DLT_SCRUBBING_ERROR"),
    23084: ("failed", "FAILED_DLT_CONSENT_ERROR"),
    23181: ("failed", "DLT_TEMPLATE_ID_INVALID"),
    23182: ("failed", "DLT_TEMPLATE_NOT_FOUND"),
    23185: ("failed", "DLT_TEMPLATE_DOES_NOT_MATCH"),
    23186: ("failed", "DLT_LENGTH_EXCEEDED"),
    23281: ("failed", "DLT_ENTITY_NOT_FOUND"),
    24105: ("failed", "FAILED_HANDSET_ERROR"),
    24110: ("failed", "FAILED_OPERATOR_ERROR"),
}

CODES: dict[Reception, int] = {
    Reception.DELIVERED: 20005,
    Reception.TO_OPERATOR: 20006,
    Reception.DND: 23005,
    Reception.INVALID: 23010,
    Reception.SPAM: 23015,
    Reception.OPTED_OUT: 23020,
    Reception.NO_ROUTE: 23030,
    Reception.UNAVAILABLE: 23035,
    Reception.UNKNOWN_SUBSCRIBER: 23040,
    Reception.EXPIRED: 23050,
    Reception.REJECTED: 23060,
    Reception.INVALID_MESSAGE: 23070,
    Reception.DLT_SENDER: 23072,
    Reception.DLT_SENDER_BLOCKED: 23080,
    Reception.DLT_ENTITY_BLOCKED: 23081,
    Reception.DLT_TEMPLATE_BLOCKED: 23082,
    Reception.DLT_SCRUBBING: 23083,
    Reception.DLT_CONSENT: 23084,
    Reception.DLT_NO_TEMPLATE: 23182,
    Reception.DLT_TEMPLATE: 23185,
    Reception.DLT_LENGTH: 23186,
    Reception.DLT_ENTITY: 23281,
    Reception.HANDSET_ERROR: 24105,
    Reception.OPERATOR_ERROR: 24110,
}
"""What each word of `people` is told as."""


def code_of(person: Person, sender: str, *, is_promotional: bool) -> int:
    """What becomes of one text to a person, once the operator has taken it.

    The register stops promotional texts only; no fixed line takes any.
    """
    if not takes_sms(person.number):
        return CODES[Reception.INVALID]
    if sender in person.opted_out_of:
        return CODES[Reception.OPTED_OUT]
    if person.sms is Reception.DND and not is_promotional:
        return CODES[Reception.DELIVERED]
    return CODES[person.sms]


_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_TWICE = frozenset("{}[]|\\~^€")


def sms_units(body: str) -> int:
    """The parts a text is sent and billed in."""
    if all(c in _GSM_7 or c in _GSM_7_TWICE for c in body):
        length, alone, joined = sum(2 if c in _GSM_7_TWICE else 1 for c in body), 160, 153
    else:
        length, alone, joined = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)
