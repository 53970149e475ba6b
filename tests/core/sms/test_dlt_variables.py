"""Each value is checked by the type of its variable, as the operators check it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.sms.dlt_variables import (
    VALID,
    VARIABLE_RULES,
    ValueCheck,
    VariableType,
    check_value,
    combine_checks,
)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (VariableType.VAR, "x" * 29),
        (VariableType.NUMERIC, "0"),
        (VariableType.NUMERIC, "500"),
        (VariableType.ALPHANUMERIC, "weekdays"),
        (VariableType.ALPHANUMERIC, "23 Nov 2026"),
        (VariableType.ALPHANUMERIC, "x" * 40),
        (VariableType.ALPHANUMERIC, "सोमवार से"),
        (VariableType.URL, "https://example.in"),
        (VariableType.URL, "HTTPS://Example.in/a?b=c&d#e"),
        (VariableType.URL, "http://pay.example.co.in:8080/x"),
        (VariableType.URL, "example.in/x"),
        (VariableType.URL, "www.example.in"),
        (VariableType.URL, "https://exa-mple.in?x"),
        (VariableType.URLOTT, "https://example.in/app.apk"),
        (VariableType.URLOTT, "market://details?id=in.example"),
        (VariableType.CBN, "+918047120001"),
        (VariableType.CBN, "1800 123 4567"),
        (VariableType.CBN, "080-4712-0001"),
        (VariableType.CBN, "139"),
        (VariableType.EMAIL, "care.desk+1@example.co.in"),
    ],
)
def test_what_a_variable_takes(kind: VariableType, value: str) -> None:
    assert check_value(kind, value) == VALID


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (VariableType.VAR, ""),
        (VariableType.NUMERIC, ""),
        (VariableType.NUMERIC, "10:31"),
        (VariableType.NUMERIC, "Rs 500"),
        (VariableType.NUMERIC, "+5"),
        (VariableType.NUMERIC, "1,499"),
        (VariableType.NUMERIC, "२"),
        (VariableType.ALPHANUMERIC, ""),
        (VariableType.URL, "weekdays"),
        (VariableType.URL, "https://example"),
        (VariableType.URL, "https://example.in/a b"),
        (VariableType.URL, "https://.in"),
        (VariableType.URL, "ftp://example.in"),
        (VariableType.URL, "Rs.500"),
        (VariableType.URL, "care@example.in"),
        (VariableType.URL, "example.in,"),
        (VariableType.URLOTT, "the app"),
        (VariableType.CBN, "12"),
        (VariableType.CBN, "+9199999999999999"),
        (VariableType.CBN, "10:31"),
        (VariableType.CBN, "98110 x"),
        (VariableType.CBN, "12 May 2026"),
        (VariableType.EMAIL, "care@example"),
        (VariableType.EMAIL, "care example.in"),
        (VariableType.EMAIL, "@example.in"),
    ],
)
def test_what_it_does_not_take(kind: VariableType, value: str) -> None:
    assert check_value(kind, value).error == f"is not {VARIABLE_RULES[kind].accepts}"


@pytest.mark.parametrize(("kind", "longest"), [(VariableType.VAR, 29), (VariableType.ALPHANUMERIC, 40)])
def test_how_long_it_may_be(kind: VariableType, longest: int) -> None:
    assert check_value(kind, "x" * longest) == VALID
    assert (
        check_value(kind, "x" * (longest + 1)).error == f"is longer than the {longest} characters of a {kind}"
    )


@pytest.mark.parametrize(
    ("value", "odd"),
    [("10:31", ":"), ("+919800000001", "+"), ("A 1, B 2", ","), ("Mon-Fri, 9-5", "-,"), ("a\nb", "\n")],
)
def test_what_portals_differ_about(value: str, odd: str) -> None:
    assert check_value(VariableType.ALPHANUMERIC, value) == ValueCheck(questionable=odd)


def test_of_several_values_the_worst_counts() -> None:
    assert combine_checks([]) == VALID
    assert combine_checks([ValueCheck(questionable=":"), VALID, ValueCheck(questionable=":,")]) == ValueCheck(
        questionable=":,"
    )
    assert (
        combine_checks(
            [ValueCheck(questionable=":"), ValueCheck(error="is long"), ValueCheck(error="is odd")]
        ).error
        == "is long"
    )


@given(st.text(alphabet="019 azA", min_size=1, max_size=40))
def test_letters_digits_and_blanks_are_right(value: str) -> None:
    assert check_value(VariableType.ALPHANUMERIC, value) == VALID
    assert (check_value(VariableType.NUMERIC, value) == VALID) == (set(value) <= set("019"))


@given(st.sampled_from(VariableType), st.text(max_size=60))
def test_a_value_is_wrong_or_odd_and_never_both(kind: VariableType, value: str) -> None:
    found = check_value(kind, value)
    assert not (found.error and found.questionable)
    assert set(found.questionable) <= set(value)
    assert not found.questionable or kind is VariableType.ALPHANUMERIC
