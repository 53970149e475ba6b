"""What becomes of an SMS: Exotel's detailed codes, and the units that it is billed in.

A unit has 160 or 70 characters, less when there are several.
"""

from __future__ import annotations

from simulator.exchange.model.numbering_plan import takes_sms
from simulator.exchange.model.people import Person, SmsDeliveryResult

PENDING_CODES = (21010, 21015, 21020)
DELIVERED_CODES = (20005, 20006)

SMS_STATES: dict[int, tuple[str, str]] = {
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

CODE_OF_RESULT: dict[SmsDeliveryResult, int] = {
    SmsDeliveryResult.DELIVERED: 20005,
    SmsDeliveryResult.TO_OPERATOR: 20006,
    SmsDeliveryResult.DND: 23005,
    SmsDeliveryResult.INVALID: 23010,
    SmsDeliveryResult.SPAM: 23015,
    SmsDeliveryResult.OPTED_OUT: 23020,
    SmsDeliveryResult.NO_ROUTE: 23030,
    SmsDeliveryResult.UNAVAILABLE: 23035,
    SmsDeliveryResult.UNKNOWN_SUBSCRIBER: 23040,
    SmsDeliveryResult.EXPIRED: 23050,
    SmsDeliveryResult.REJECTED: 23060,
    SmsDeliveryResult.INVALID_MESSAGE: 23070,
    SmsDeliveryResult.DLT_SENDER: 23072,
    SmsDeliveryResult.DLT_SENDER_BLOCKED: 23080,
    SmsDeliveryResult.DLT_ENTITY_BLOCKED: 23081,
    SmsDeliveryResult.DLT_TEMPLATE_BLOCKED: 23082,
    SmsDeliveryResult.DLT_SCRUBBING: 23083,
    SmsDeliveryResult.DLT_CONSENT: 23084,
    SmsDeliveryResult.DLT_NO_TEMPLATE: 23182,
    SmsDeliveryResult.DLT_TEMPLATE: 23185,
    SmsDeliveryResult.DLT_LENGTH: 23186,
    SmsDeliveryResult.DLT_ENTITY: 23281,
    SmsDeliveryResult.HANDSET_ERROR: 24105,
    SmsDeliveryResult.OPERATOR_ERROR: 24110,
}
"""What each word of `people` is told as."""


def delivery_code(person: Person, sender: str, *, is_promotional: bool) -> int:
    """What becomes of one text to a person, once the operator has taken it.

    The register stops promotional texts only; no fixed line takes any.
    """
    if not takes_sms(person.number):
        return CODE_OF_RESULT[SmsDeliveryResult.INVALID]
    if sender in person.opted_out_of:
        return CODE_OF_RESULT[SmsDeliveryResult.OPTED_OUT]
    if person.sms is SmsDeliveryResult.DND and not is_promotional:
        return CODE_OF_RESULT[SmsDeliveryResult.DELIVERED]
    return CODE_OF_RESULT[person.sms]


_GSM_7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_7_EXTENDED = frozenset("{}[]|\\~^€")


def sms_units(body: str) -> int:
    """The parts a text is sent and billed in."""
    if all(c in _GSM_7 or c in _GSM_7_EXTENDED for c in body):
        length, alone, joined = sum(2 if c in _GSM_7_EXTENDED else 1 for c in body), 160, 153
    else:
        length, alone, joined = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if length <= alone else -(-length // joined)
