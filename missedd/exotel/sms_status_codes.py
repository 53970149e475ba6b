"""Exotel's status codes of an SMS, and what each means for us, as one table.

The codes are from the DetailedStatusCode list of Exotel's SMS reference. The status says less than the
code, but is always present; older reports have no code. Unlisted codes of 23xxx are permanent failures, as
Exotel adds new reasons for a refusal there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from msgspec import structs

from missedd.core.api_types.actions import ActionJson, ListedActionJson
from missedd.core.model import Outcome
from missedd.core.people.suppression import RefusedSmsClass


@dataclass(frozen=True, slots=True)
class SmsCode:
    """What one code means.

    `refused_class`: which SMS to the number are refused from now on. `retryable`: the same SMS may arrive
    later; otherwise another try would fail, or cost, the same. `needs_operator`: every such SMS fails until
    a person corrects the registration or the configuration. `description`: why the SMS was not delivered.
    """

    outcome: Outcome | None
    is_terminal: bool
    refused_class: RefusedSmsClass | None = None
    retryable: bool = False
    needs_operator: bool = False
    description: str = ""

    def with_description(self, description: str) -> SmsCode:
        """A copy with this description."""
        return replace(self, description=description)


PENDING = SmsCode(None, is_terminal=False)
DELIVERED = SmsCode(Outcome.DELIVERED, is_terminal=True)
TEMPORARY = SmsCode(Outcome.FAILED, is_terminal=True, retryable=True)
PERMANENT = SmsCode(Outcome.FAILED, is_terminal=True)
MISCONFIGURED = SmsCode(Outcome.FAILED, is_terminal=True, needs_operator=True)
"""Permanent until the operator corrects sender, entity or template."""
ON_DND_REGISTER = SmsCode(Outcome.FAILED, is_terminal=True, refused_class=RefusedSmsClass.PROMOTIONAL)
OPTED_OUT = SmsCode(Outcome.FAILED, is_terminal=True, refused_class=RefusedSmsClass.SENDER)
NOT_A_SUBSCRIBER = SmsCode(Outcome.FAILED, is_terminal=True, refused_class=RefusedSmsClass.TAKES_NO_SMS)

SMS_CODES: Mapping[str, SmsCode] = {
    "21010": PENDING,  # PENDING_TO_OPERATOR
    "21015": PENDING,  # SENDING_TO_OPERATOR
    "21020": PENDING,  # PENDING_ON_OPERATOR: promotional ones wait here at night
    "20005": DELIVERED,  # DELIVERED_TO_HANDSET
    "20006": DELIVERED,  # DELIVERED_TO_OPERATOR: some operators never say more
    "23005": ON_DND_REGISTER.with_description(
        "the number is on the Do Not Disturb register"
    ),  # FAILED_REJECTED_DND
    "23010": NOT_A_SUBSCRIBER.with_description(
        "the number is not valid"
    ),  # FAILED_INVALID_DESTINATION_NUMBER
    "23015": PERMANENT.with_description("the operator took it for spam"),  # FAILED_SPAM_DETECTED
    "23020": OPTED_OUT.with_description("the person opted out of this sender"),  # FAILED_REJECTED_BLACKLIST
    "23030": TEMPORARY.with_description("no route to the operator was free"),  # FAILED_UNAVAILABLE_ROUTE
    "23035": TEMPORARY.with_description("the phone was off or out of reach"),  # FAILED_SUBSCRIBER_UNAVAILABLE
    "23040": NOT_A_SUBSCRIBER.with_description("no subscriber has this number"),  # FAILED_SUBSCRIBER_UNKNOWN
    "23050": TEMPORARY.with_description("it expired before the phone could be reached"),  # FAILED_EXPIRED
    # FAILED_REJECTED: no reason is given, so a second try is not worth its price
    "23060": PERMANENT.with_description("the operator rejected it without saying why"),
    "23070": PERMANENT.with_description("the message is not valid"),  # FAILED_INVALID_MESSAGE
    "23072": MISCONFIGURED.with_description("the sender id is not valid"),  # FAILED_INVALID_SENDER_ID
    "23080": MISCONFIGURED.with_description(
        "the sender id is blocked in the DLT registry"
    ),  # SENDER_BLOCKED_BY_DLT
    "23081": MISCONFIGURED.with_description("the DLT entity is blocked"),  # ENTITY_BLOCKED_BY_DLT
    "23082": MISCONFIGURED.with_description("the DLT template is blocked"),  # TEMPLATE_BLOCKED_BY_DLT
    "23083": MISCONFIGURED.with_description(
        "the check against the DLT registry failed"
    ),  # FAILED_DLT_SCRUBBING_ERROR
    "23084": MISCONFIGURED.with_description(
        "the DLT registry has no consent for it"
    ),  # FAILED_DLT_CONSENT_ERROR
    "23181": MISCONFIGURED.with_description("the DLT template id is not valid"),  # DLT_TEMPLATE_ID_INVALID
    "23182": MISCONFIGURED.with_description(
        "the DLT registry has no such template"
    ),  # DLT_TEMPLATE_NOT_FOUND
    "23183": MISCONFIGURED.with_description("the DLT template is not active"),  # DLT_TEMPLATE_ID_INACTIVE
    "23184": MISCONFIGURED.with_description("the DLT template is blacklisted"),  # DLT_TEMPLATE_ID_BLACKLISTED
    "23185": MISCONFIGURED.with_description(
        "the text does not match its DLT template"
    ),  # DLT_TEMPLATE_DOES_NOT_MATCH
    "23186": MISCONFIGURED.with_description("the text is longer than DLT allows"),  # DLT_LENGTH_EXCEEDED
    "23281": MISCONFIGURED.with_description("the DLT registry has no such entity"),  # DLT_ENTITY_NOT_FOUND
    "24010": TEMPORARY.with_description("a failure at the provider"),  # FAILED_SYSTEM_ERROR
    "24105": TEMPORARY.with_description("a failure of the phone"),  # FAILED_HANDSET_ERROR
    "24110": TEMPORARY.with_description("a failure at the operator"),  # FAILED_OPERATOR_ERROR
    "24120": TEMPORARY.with_description("a failure on the subscriber's side"),  # FAILED_SUBSCRIBER_ERROR
    "24990": TEMPORARY.with_description("a failure that nobody named"),  # FAILED_UNKNOWN_ERROR
}

MISCONFIGURED_CODES: Final = tuple(code for code, meaning in SMS_CODES.items() if meaning.needs_operator)

SMS_STATUSES: Mapping[str, SmsCode] = {
    "queued": PENDING,
    "sending": PENDING,
    "submitted": PENDING,
    "sent": DELIVERED,
    "delivered": DELIVERED,
    "failed": PERMANENT,
    "failed_dnd": ON_DND_REGISTER,
}
"""For reports without a known code. A failure without a reason is not retried."""

_FAMILIES = {"23": PERMANENT, "24": TEMPORARY}


def resolve_code(status: str, code: str | None) -> SmsCode:
    """The meaning of `status` and `code` together; either may be empty or unknown.

    If only one of them is final, it decides, as the other one is older. If both are final, the code decides.
    """
    by_code = _by_code(code or "")
    by_status = SMS_STATUSES.get(status.lower().replace("-", "_"), PENDING)
    return by_code if by_code.is_terminal else by_status


def describe_code(code: str) -> str:
    """Why an SMS with this code was not delivered; "" for an unknown code."""
    return _by_code(code).description


def add_code_words[A: ListedActionJson | ActionJson](action: A) -> A:
    """An action with what its code means; None where it means nothing."""
    if action.code is None:
        return action
    return structs.replace(action, code_words=describe_code(action.code) or None)


def _by_code(code: str) -> SmsCode:
    if known := SMS_CODES.get(code):
        return known
    is_code = len(code) == 5 and code.isascii() and code.isdecimal()
    return _FAMILIES.get(code[:2], PENDING) if is_code else PENDING
