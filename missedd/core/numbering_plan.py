"""What the numbering plans of the world say about a number: its country, and whether it is a landline.

Example: `+18765551234` looks like a number of the United States but belongs to Jamaica. Several countries
share the calling code 1, and fraudsters earn a share of the price of calls to some of them.

So the calling code alone names the country only if one country has that code, such as India with 91. Numbers
are E.164, as `missedd.core.phone` makes them. Numbering plans grow, so with a shared code a number that the
library does not know has no country.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberDesc, PhoneNumberType

_NO_COUNTRY: Final = "001"
"""The library's region code for numbers of no country, such as satellite and international freephone
numbers."""

_LANDLINE_TYPES: Final = frozenset(
    {
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.TOLL_FREE,
        PhoneNumberType.SHARED_COST,
        PhoneNumberType.UAN,
    }
)
"""Types that are certainly landlines. `FIXED_LINE_OR_MOBILE`, where a plan cannot tell, is not one of
them."""


def region_of(number: str) -> str | None:
    """The country of an E.164 number as an ISO 3166 code such as `IN`; None if it has none."""
    # Almost every caller is Indian, so one comparison is enough for them.
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
    """Whether the numbering plan is certain that an SMS cannot reach the number."""
    return _is_landline(number)


def may_have_many_lines(number: str) -> bool:
    """Whether the number may belong to a switchboard, which takes several calls at once."""
    return _is_landline(number)


def all_regions() -> Iterable[str]:
    """The countries that have a numbering plan, as ISO 3166 codes."""
    return phonenumbers.SUPPORTED_REGIONS


def regions_of_calling_code(code: int) -> tuple[str, ...]:
    """The countries that share a calling code, the main one first; empty if no country has the code."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    return tuple(region for region in regions if region != _NO_COUNTRY)


def _is_landline(number: str) -> bool:
    # Every Indian number that begins with 9 is a mobile number. The library's own two patterns decide
    # about the other Indian numbers, at a tenth of the cost of the library's function.
    if number.startswith("+919") and len(number) == 13:
        return False
    if number.startswith("+91") and len(number) == 13 and number[3] != "1":
        fixed_line, mobile = _indian_patterns()
        digits = number[3:]
        return fixed_line.fullmatch(digits) is not None and mobile.fullmatch(digits) is None
    return _is_landline_by_library(number)


@cache
def _indian_patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """The patterns of Indian landline and mobile numbers, without the country code."""
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
