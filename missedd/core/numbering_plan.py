"""What the numbering plans of the world say of a number: its country, and whether it is a landline.

`+18765551234` begins like a number of the United States and is Jamaica's: several countries share the
calling code 1, and calls to some of them cost what a fraudster gets a part of. The calling code names
the country only where it has one country, as India's 91 does. Numbers are E.164, as `missedd.core.phone`
makes them; plans grow, so a number that the library does not know is of no country where a code is shared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberType

_NO_COUNTRY: Final = "001"
"""What the library calls the region of satellite, freephone and other numbers that belong to the world."""

_LANDLINE_TYPES: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
    }
)
"""Certain ones: where a plan cannot tell a landline from a mobile (`FIXED_LINE_OR_MOBILE`), it may be one."""


def region_of(number: str) -> str | None:
    """The country of an E.164 number as ISO 3166 has it, such as `IN`; None where it belongs to none."""
    # The country of almost every caller, at the price of a comparison.
    if number.startswith("+91"):
        return "IN"
    for length in (1, 2, 3):
        code = number[1 : 1 + length]
        regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(int(code)) if code.isdecimal() else None
        if regions is not None:
            region = regions[0] if len(regions) == 1 else _region_in_shared_plan(number)
            return None if region == _NO_COUNTRY else region
    return None


def cannot_receive_sms(number: str) -> bool:
    """Whether the plan knows for certain that an SMS to the number reaches nobody."""
    return _is_landline(number)


def may_have_many_lines(number: str) -> bool:
    """Whether the number may be a switchboard's, which takes several calls at once."""
    return _is_landline(number)


def all_regions() -> Iterable[str]:
    """The countries that have a numbering plan, as ISO 3166 has them."""
    return phonenumbers.SUPPORTED_REGIONS


def regions_of_calling_code(code: int) -> tuple[str, ...]:
    """The countries that share a calling code, the largest first; empty where no country has it."""
    found = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    return tuple(region for region in found if region != _NO_COUNTRY)


def _is_landline(number: str) -> bool:
    # Every number of India that begins with 9 is a mobile's. Its other ten digits are told apart by
    # the library's own two patterns, at a tenth of what the library's function costs.
    if number.startswith("+919") and len(number) == 13:
        return False
    if number.startswith("+91") and len(number) == 13 and number[3] != "1":
        fixed_line, mobile = _indian_patterns()
        digits = number[3:]
        return fixed_line.fullmatch(digits) is not None and mobile.fullmatch(digits) is None
    return _is_landline_by_library(number)


@cache
def _indian_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Of India's landlines and mobiles, without the country code."""
    plan = PhoneMetadata.metadata_for_region("IN")
    landlines, mobiles = (plan.fixed_line, plan.mobile) if plan else (None, None)
    if landlines is None or mobiles is None:
        raise AssertionError("the library has no numbering plan of India")
    return _pattern(landlines), _pattern(mobiles)


def _pattern(numbers: PhoneNumberDesc) -> re.Pattern[str]:
    if numbers.national_number_pattern is None:
        raise AssertionError("the library has no pattern of India's numbers")
    return re.compile(numbers.national_number_pattern)


@lru_cache(maxsize=4096)
def _is_landline_by_library(number: str) -> bool:
    try:
        return phonenumbers.number_type(phonenumbers.parse(number)) in _LANDLINE_TYPES
    except phonenumbers.NumberParseException:
        return False


@lru_cache(maxsize=4096)
def _region_in_shared_plan(number: str) -> str | None:
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return None
