"""Exotel's words for the fate of an SMS, and what each means here: one literal table.

From the DetailedStatusCode list of Exotel's SMS reference. The status says less than the code, but
is always there; the code is missing in older reports. Codes of 23xxx that are not listed are
permanent, since Exotel adds new grounds of refusal there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from missedd.core.model import Outcome


@dataclass(frozen=True, slots=True)
class SmsCode:
    """What one code means.

    `suppresses`: the person or the register wants no messages at this number. `retryable`: the
    same SMS may get through later; otherwise sending it again would fail, or cost, the same.
    """

    outcome: Outcome | None
    is_terminal: bool
    suppresses: bool = False
    retryable: bool = False


PENDING = SmsCode(None, is_terminal=False)
DELIVERED = SmsCode(Outcome.DELIVERED, is_terminal=True)
TEMPORARY = SmsCode(Outcome.FAILED, is_terminal=True, retryable=True)
PERMANENT = SmsCode(Outcome.FAILED, is_terminal=True)
CONFIG = SmsCode(Outcome.FAILED, is_terminal=True)
"""Permanent until the operator corrects sender, entity or template."""
OPTED_OUT = SmsCode(Outcome.FAILED, is_terminal=True, suppresses=True)

SMS_CODES: Mapping[str, SmsCode] = {
    "21010": PENDING,  # PENDING_TO_OPERATOR
    "21015": PENDING,  # SENDING_TO_OPERATOR
    "21020": PENDING,  # PENDING_ON_OPERATOR: promotional ones wait here at night
    "20005": DELIVERED,  # DELIVERED_TO_HANDSET
    "20006": DELIVERED,  # DELIVERED_TO_OPERATOR: some operators never say more
    "23005": OPTED_OUT,  # FAILED_REJECTED_DND
    "23010": PERMANENT,  # FAILED_INVALID_DESTINATION_NUMBER
    "23015": PERMANENT,  # FAILED_SPAM_DETECTED
    "23020": OPTED_OUT,  # FAILED_REJECTED_BLACKLIST: opted out of this sender
    "23030": TEMPORARY,  # FAILED_UNAVAILABLE_ROUTE
    "23035": TEMPORARY,  # FAILED_SUBSCRIBER_UNAVAILABLE
    "23040": PERMANENT,  # FAILED_SUBSCRIBER_UNKNOWN
    "23050": TEMPORARY,  # FAILED_EXPIRED
    "23060": PERMANENT,  # FAILED_REJECTED: without a ground, so not worth a second bill
    "23070": PERMANENT,  # FAILED_INVALID_MESSAGE
    "23072": CONFIG,  # FAILED_INVALID_SENDER_ID
    "23080": CONFIG,  # SENDER_BLOCKED_BY_DLT
    "23081": CONFIG,  # ENTITY_BLOCKED_BY_DLT
    "23082": CONFIG,  # TEMPLATE_BLOCKED_BY_DLT
    "23083": CONFIG,  # FAILED_DLT_SCRUBBING_ERROR
    "23084": CONFIG,  # FAILED_DLT_CONSENT_ERROR
    "23181": CONFIG,  # DLT_TEMPLATE_ID_INVALID
    "23182": CONFIG,  # DLT_TEMPLATE_NOT_FOUND
    "23183": CONFIG,  # DLT_TEMPLATE_ID_INACTIVE
    "23184": CONFIG,  # DLT_TEMPLATE_ID_BLACKLISTED
    "23185": CONFIG,  # DLT_TEMPLATE_DOES_NOT_MATCH
    "23186": CONFIG,  # DLT_LENGTH_EXCEEDED
    "23281": CONFIG,  # DLT_ENTITY_NOT_FOUND
    "24010": TEMPORARY,  # FAILED_SYSTEM_ERROR
    "24105": TEMPORARY,  # FAILED_HANDSET_ERROR
    "24110": TEMPORARY,  # FAILED_OPERATOR_ERROR
    "24120": TEMPORARY,  # FAILED_SUBSCRIBER_ERROR
    "24990": TEMPORARY,  # FAILED_UNKNOWN_ERROR
}

SMS_STATUSES: Mapping[str, SmsCode] = {
    "queued": PENDING,
    "sending": PENDING,
    "submitted": PENDING,
    "sent": DELIVERED,
    "delivered": DELIVERED,
    "failed": PERMANENT,
    "failed_dnd": OPTED_OUT,
}
"""For reports without a known code. A failure without a ground is not retried."""

_FAMILIES = {"23": PERMANENT, "24": TEMPORARY}


def code_of(status: str, code: str | None) -> SmsCode:
    """What `status` and `code` (either may be empty or unknown) mean together.

    The final one of the two is believed, the code first: a status that lags behind its code, or a
    code that lags behind its status, is merely older news.
    """
    by_code = _by_code(code or "")
    by_status = SMS_STATUSES.get(status.lower().replace("-", "_"), PENDING)
    return by_code if by_code.is_terminal else by_status


def _by_code(code: str) -> SmsCode:
    if known := SMS_CODES.get(code):
        return known
    is_code = len(code) == 5 and code.isascii() and code.isdecimal()
    return _FAMILIES.get(code[:2], PENDING) if is_code else PENDING
