"""Each value is judged by the type of its variable, as the operators judge it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.sms.dlt_variables import RIGHT, RULES, Judgement, Kind, judge, worst


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.VAR, "x" * 29),
        (Kind.NUMERIC, "0"),
        (Kind.NUMERIC, "500"),
        (Kind.ALPHANUMERIC, "weekdays"),
        (Kind.ALPHANUMERIC, "23 Nov 2026"),
        (Kind.ALPHANUMERIC, "x" * 40),
        (Kind.ALPHANUMERIC, "सोमवार से"),
        (Kind.URL, "https://example.in"),
        (Kind.URL, "HTTPS://Example.in/a?b=c&d#e"),
        (Kind.URL, "http://pay.example.co.in:8080/x"),
        (Kind.URL, "example.in/x"),
        (Kind.URL, "www.example.in"),
        (Kind.URL, "https://exa-mple.in?x"),
        (Kind.URLOTT, "https://example.in/app.apk"),
        (Kind.URLOTT, "market://details?id=in.example"),
        (Kind.CBN, "+918047120001"),
        (Kind.CBN, "1800 123 4567"),
        (Kind.CBN, "080-4712-0001"),
        (Kind.CBN, "139"),
        (Kind.EMAIL, "care.desk+1@example.co.in"),
    ],
)
def test_what_a_variable_takes(kind: Kind, value: str) -> None:
    assert judge(kind, value) == RIGHT


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.VAR, ""),
        (Kind.NUMERIC, ""),
        (Kind.NUMERIC, "10:31"),
        (Kind.NUMERIC, "Rs 500"),
        (Kind.NUMERIC, "+5"),
        (Kind.NUMERIC, "1,499"),
        (Kind.NUMERIC, "२"),
        (Kind.ALPHANUMERIC, ""),
        (Kind.URL, "weekdays"),
        (Kind.URL, "https://example"),
        (Kind.URL, "https://example.in/a b"),
        (Kind.URL, "https://.in"),
        (Kind.URL, "ftp://example.in"),
        (Kind.URL, "Rs.500"),
        (Kind.URL, "care@example.in"),
        (Kind.URL, "example.in,"),
        (Kind.URLOTT, "the app"),
        (Kind.CBN, "12"),
        (Kind.CBN, "+9199999999999999"),
        (Kind.CBN, "10:31"),
        (Kind.CBN, "98110 x"),
        (Kind.CBN, "12 May 2026"),
        (Kind.EMAIL, "care@example"),
        (Kind.EMAIL, "care example.in"),
        (Kind.EMAIL, "@example.in"),
    ],
)
def test_what_it_does_not_take(kind: Kind, value: str) -> None:
    assert judge(kind, value).wrong == f"is not {RULES[kind].takes}"


@pytest.mark.parametrize(("kind", "longest"), [(Kind.VAR, 29), (Kind.ALPHANUMERIC, 40)])
def test_how_long_it_may_be(kind: Kind, longest: int) -> None:
    assert judge(kind, "x" * longest) == RIGHT
    assert judge(kind, "x" * (longest + 1)).wrong == f"is longer than the {longest} characters of a {kind}"


@pytest.mark.parametrize(
    ("value", "odd"),
    [("10:31", ":"), ("+919800000001", "+"), ("A 1, B 2", ","), ("Mon-Fri, 9-5", "-,"), ("a\nb", "\n")],
)
def test_what_portals_differ_about(value: str, odd: str) -> None:
    assert judge(Kind.ALPHANUMERIC, value) == Judgement(odd=odd)


def test_of_several_values_the_worst_counts() -> None:
    assert worst([]) == RIGHT
    assert worst([Judgement(odd=":"), RIGHT, Judgement(odd=":,")]) == Judgement(odd=":,")
    assert (
        worst([Judgement(odd=":"), Judgement(wrong="is long"), Judgement(wrong="is odd")]).wrong == "is long"
    )


@given(st.text(alphabet="019 azA", min_size=1, max_size=40))
def test_letters_digits_and_blanks_are_right(value: str) -> None:
    assert judge(Kind.ALPHANUMERIC, value) == RIGHT
    assert (judge(Kind.NUMERIC, value) == RIGHT) == (set(value) <= set("019"))


@given(st.sampled_from(Kind), st.text(max_size=60))
def test_a_value_is_wrong_or_odd_and_never_both(kind: Kind, value: str) -> None:
    found = judge(kind, value)
    assert not (found.wrong and found.odd)
    assert set(found.odd) <= set(value)
    assert not found.odd or kind is Kind.ALPHANUMERIC
