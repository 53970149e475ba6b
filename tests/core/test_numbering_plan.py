"""The country of a number and the kind of its line, by the numbering plans."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from missedd.core.numbering_plan import cannot_receive_sms, may_have_many_lines, region_of


@pytest.mark.parametrize(
    ("number", "region"),
    [
        ("+919876543210", "IN"),
        ("+918047120001", "IN"),
        ("+12125550123", "US"),
        ("+18765551234", "JM"),
        ("+18095551234", "DO"),
        ("+14165550123", "CA"),
        ("+23276123456", "SL"),
        ("+252612345678", "SO"),
        ("+5352123456", "CU"),
        ("+971501234567", "AE"),
        ("+6568381234", "SG"),
        ("+447400123456", "GB"),
        ("+447781123456", "GG"),
        ("+77012345678", "KZ"),
        ("+79161234567", "RU"),
        # Satellite, international freephone and global networks: no country.
        ("+881612345678", None),
        ("+882161234567", None),
        ("+883510012345", None),
        ("+870773111632", None),
        ("+80012345678", None),
        ("+979123456789", None),
        # In no plan of the countries with the code 1; a code without a plan; not a number.
        ("+10005551234", None),
        ("+999123456", None),
        ("+", None),
        ("", None),
        ("erased:3f9a", None),
    ],
)
def test_a_number_has_the_country_of_its_plan(number: str, region: str | None) -> None:
    assert region_of(number) == region


@pytest.mark.parametrize(
    "number",
    [
        "+918047120001",  # Bengaluru
        "+912225551234",  # Mumbai
        "+911123456789",  # Delhi
        "+911800123456",  # toll-free
        "+9118601234567",  # shared cost
        "+911401234567",  # UAN
        "+442071838750",  # London
        "+18002530000",
    ],
)
def test_a_landline_and_a_toll_free_number_take_no_sms_and_several_calls(number: str) -> None:
    assert cannot_receive_sms(number)
    assert may_have_many_lines(number)


@pytest.mark.parametrize(
    "number",
    [
        "+919876543210",
        "+916001234567",
        "+917012345678",
        "+918123456789",
        "+12125550123",  # landline or mobile: the plan of North America does not say which
        "+447400123456",
        "+912212345678",  # no subscriber number in Mumbai begins with 1, so the plan does not know it
        "+881612345678",
        "+999123456",
        "erased:3f9a",
    ],
)
def test_what_is_not_certain_is_taken_for_a_mobile(number: str) -> None:
    assert not cannot_receive_sms(number)
    assert not may_have_many_lines(number)


def test_the_short_way_for_india_agrees_with_the_library() -> None:
    drawn = random.Random(20261201)
    certain = {
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.UAN,
    }
    found = set()
    for _ in range(3_000):
        number = f"+91{drawn.randrange(10**9, 10**10)}"
        by_library = phonenumbers.number_type(phonenumbers.parse(number)) in certain
        assert cannot_receive_sms(number) == by_library, number
        found.add(by_library)
    assert found == {True, False}
