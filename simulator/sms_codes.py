"""What can become of an SMS: Exotel's detailed codes, and the units that it is billed in.

A unit has 160 or 70 characters, less when there are several.
"""

from __future__ import annotations

from simulator.people import Reception

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
    23035: ("failed", "FAILED_SUBSCRIBER_UNAVAILABLE"),
    23181: ("failed", "DLT_TEMPLATE_ID_INVALID"),
    23182: ("failed", "DLT_TEMPLATE_NOT_FOUND"),
    23185: ("failed", "DLT_TEMPLATE_DOES_NOT_MATCH"),
    23281: ("failed", "DLT_ENTITY_NOT_FOUND"),
}

RECEPTION_CODES: dict[Reception, int] = {
    Reception.DELIVERED: 20005,
    Reception.OPERATOR: 20006,
    Reception.DND: 23005,
    Reception.INVALID: 23010,
    Reception.UNAVAILABLE: 23035,
}

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
