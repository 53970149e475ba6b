"""The call to which a conversion is attributed, and how a repetition differs from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.people.conversions import (
    CallCandidate,
    ConversionInput,
    UnknownCaller,
    attribute_conversion,
    conflicting_fields,
)
from tests.core.campaigns import CALLER, NOON, OTHER

SAID = ConversionInput("order-1", number=CALLER)


def rung(call_id: int, campaign: str = "shop", minute: int = 0, lead: int | None = 1) -> CallCandidate:
    at = NOON + timedelta(minutes=minute)
    return CallCandidate(call_id, f"c{call_id}", campaign, CALLER, at, lead)


@pytest.mark.parametrize(
    ("calls", "expected"),
    [
        ([rung(1, minute=-9), rung(2, minute=-2), rung(3, minute=-5)], 2),
        ([rung(1, minute=-9), rung(2, minute=2)], 1),
        ([rung(1, minute=0), rung(2, minute=1)], 1),
        ([rung(1, minute=3), rung(2, minute=2)], 1),
        ([rung(1, minute=-9), rung(2, "news", minute=-2, lead=None)], 1),
        ([rung(1, minute=9), rung(2, "news", minute=-2, lead=None)], 1),
        ([rung(1, minute=-9, lead=None), rung(2, minute=-2, lead=None)], 2),
        ([rung(1, minute=-2), rung(2, minute=-2)], 2),
    ],
)
def test_the_latest_call_before_it_that_made_a_lead(calls: list[CallCandidate], expected: int) -> None:
    found = attribute_conversion(calls, SAID, NOON)
    assert isinstance(found, CallCandidate)
    assert found.call_id == expected


def test_a_named_campaign_or_call_decides() -> None:
    calls = [rung(1, "shop", -9), rung(2, "care", -2)]
    assert attribute_conversion(calls, replace(SAID, campaign="shop"), NOON) == calls[0]
    assert attribute_conversion(calls, replace(SAID, call_sid="c1"), NOON) == calls[0]
    assert attribute_conversion(calls, replace(SAID, number=None, call_sid="c2"), NOON) == calls[1]


@pytest.mark.parametrize(
    ("said", "field"),
    [
        (replace(SAID, call_sid="c9"), "call_sid"),
        (replace(SAID, number=OTHER, call_sid="c1"), "number"),
        (replace(SAID, campaign="care"), "campaign"),
        (replace(SAID, call_sid="c1", campaign="care"), "campaign"),
    ],
)
def test_what_does_not_fit_is_named(said: ConversionInput, field: str) -> None:
    found = attribute_conversion([rung(1)], said, NOON)
    assert isinstance(found, UnknownCaller)
    assert found.field == field


def test_who_never_rang_is_unknown() -> None:
    found = attribute_conversion([], SAID, NOON)
    assert found == UnknownCaller("number", "has never called a campaign")


def test_what_was_won_before_the_number_first_rang_is_not_won_by_it() -> None:
    day = 24 * 60
    assert isinstance(attribute_conversion([rung(1, minute=day - 1)], SAID, NOON), CallCandidate)
    too_late = [rung(1, minute=day), rung(2, minute=90 * day)]
    assert attribute_conversion(too_late, SAID, NOON) == UnknownCaller(
        "at", "is before the number's first call to a campaign"
    )
    assert attribute_conversion([*too_late, rung(3, minute=2)], SAID, NOON) == rung(3, minute=2)
    assert attribute_conversion(too_late, replace(SAID, call_sid="c2"), NOON) == too_late[1]


@given(
    st.lists(
        st.builds(
            rung,
            st.integers(1, 50),
            st.sampled_from(["shop", "care"]),
            st.integers(-60, 60),
            st.sampled_from([None, 1]),
        ),
        min_size=1,
    ),
    st.integers(-60, 60),
)
def test_no_call_that_fits_better_is_passed_over(calls: list[CallCandidate], minute: int) -> None:
    at = NOON + timedelta(minutes=minute)
    found = attribute_conversion(calls, SAID, at)
    assert isinstance(found, CallCandidate)
    leads = [each for each in calls if each.lead_id is not None]
    assert found.lead_id is not None or not leads
    before = [each.called_at for each in leads or calls if each.called_at <= at]
    assert found.called_at == max(before, default=max(each.called_at for each in leads or calls))


def test_what_a_repetition_leaves_out_is_no_contradiction() -> None:
    kept = ConversionInput("order-1", CALLER, "c1", "shop", NOON, 10.0)
    assert conflicting_fields(ConversionInput("order-1", CALLER), kept) == ()
    assert conflicting_fields(kept, kept) == ()
    other = ConversionInput("order-1", OTHER, "c1", "shop", NOON, 11.0)
    assert conflicting_fields(other, kept) == ("number", "value")
    assert conflicting_fields(replace(kept, value=5.0), replace(kept, value=None)) == ("value",)
