"""What the numbering plan says of a number: is it a mobile, does it take SMS, how many calls at a time."""

from __future__ import annotations

from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberType

_SWITCHBOARDS = (
    PhoneNumberType.FIXED_LINE,
    PhoneNumberType.TOLL_FREE,
    PhoneNumberType.UAN,
    PhoneNumberType.SHARED_COST,
)
"""Numbers behind which there may be any number of telephones. In India shared cost is 1860."""


def lines_of(number: str) -> int | None:
    """How many calls it takes at a time: 1, or None for any number of them."""
    return None if number.startswith("sip:") or kind_of(number) in _SWITCHBOARDS else 1


def takes_sms(number: str) -> bool:
    """Not where it is for certain a fixed line, a toll-free number or the like."""
    return kind_of(number) not in _SWITCHBOARDS


def is_mobile(number: str) -> bool:
    """Whether it is one for certain. In some countries a number may be either."""
    return kind_of(number) == PhoneNumberType.MOBILE


@lru_cache(maxsize=100_000)
def kind_of(number: str) -> int:
    """A `PhoneNumberType`; UNKNOWN for what the plan does not have."""
    try:
        return phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return PhoneNumberType.UNKNOWN
