"""What the numbering plan says of a number: is it a mobile, does it take SMS, how many calls at a time."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

_MULTI_LINE_TYPES = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN,
    PhoneNumberType.SHARED_COST,
)
"""Numbers behind which there may be any number of telephones. In India shared cost is 1860."""


def concurrent_calls(number: str) -> int | None:
    """How many calls it takes at a time: 1, or None for any number of them."""
    return None if number.startswith("sip:") or number_type(number) in _MULTI_LINE_TYPES else 1


def takes_sms(number: str) -> bool:
    """Not where it is for certain a fixed line, a toll-free number or the like."""
    return number_type(number) not in _MULTI_LINE_TYPES


def is_mobile(number: str) -> bool:
    """Whether it is one for certain. In some countries a number may be either."""
    return number_type(number) == PhoneNumberType.MOBILE


@lru_cache(maxsize=100_000)
def number_type(number: str) -> int:
    """A `PhoneNumberType`; UNKNOWN for what the plan does not have."""
    try:
        return phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return PhoneNumberType.UNKNOWN
