"""Templates with typed variables: which value each variable stands for, and that the best match is found."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.policy import VotePolicy
from missedd.core.sms.dlt import (
    VariableValue,
    first_mismatch,
    literal_tokens,
    match_variables,
    matches_template,
)
from missedd.core.sms.dlt_variables import VariableType
from missedd.core.sms.template import BodyField, RenderContext, field_examples, parse_body, render_body
from tests.core.campaigns import campaign, ist, minutes, office, policy, sms

BILL = "Pay Rs {#numeric#} by {#alphanumeric#} at {#url#}."


def filled(body: str, template: str) -> tuple[VariableValue, ...]:
    found = match_variables(parse_body(body)[0], template)
    assert found is not None
    return found


def test_each_variable_has_its_value() -> None:
    values = filled("Pay Rs 500 by Monday at https://example.in/x.", BILL)
    assert [(each.number, each.type, each.text, each.at) for each in values] == [
        (1, VariableType.NUMERIC, "500", 8),
        (2, VariableType.ALPHANUMERIC, "Monday", 15),
        (3, VariableType.URL, "https://example.in/x", 25),
    ]
    assert not any(each.check.error or each.check.questionable for each in values)


def test_a_named_value_is_judged_by_what_callers_get() -> None:
    due, opening, link = filled("Pay Rs {time} by {opening} at https://example.in/{caller}.", BILL)
    assert (due.text, due.example, due.check.error) == ("{time}", "10:31", "is not digits only")
    assert (opening.example, opening.check.questionable) == ("09:30", ":")
    assert list(opening.names) == [BodyField.OPENING]
    assert (link.example, link.check.error) == ("https://example.in/+919800000001", "")


def test_a_variable_with_a_type_takes_several_named_values_while_they_fit() -> None:
    (fits,) = filled("{date} at {time}", VariableType.ALPHANUMERIC)
    assert (fits.text, fits.check.error, fits.check.questionable) == ("{date} at {time}", "", ":")
    (long,) = filled("{caller} {date} {opening}", VariableType.ALPHANUMERIC)
    assert long.check.error == "is longer than the 40 characters of a {#alphanumeric#}"
    assert long.example == "+999999999999999 23 Nov 2026 Tue 24 Nov 09:30"


@pytest.mark.parametrize("option", ["7", "Asha", "x" * 30])
def test_an_option_is_judged_as_it_is(option: str) -> None:
    tokens, _ = parse_body("{option}")
    found = {kind: match_variables(tokens, kind, field_examples(option)) for kind in VariableType}
    wrong = {kind for kind, values in found.items() if values and values[0].check.error}
    always = {VariableType.URL, VariableType.URLOTT, VariableType.CBN, VariableType.EMAIL}
    assert wrong - always == {"7": set(), "Asha": {VariableType.NUMERIC}}.get(
        option, {VariableType.NUMERIC, VariableType.VAR}
    )


@pytest.mark.parametrize(
    ("text", "template", "value"),
    [
        ("a by b by c", "{#alphanumeric#} by {#numeric#}", "c"),
        ("open 10-6 on weekdays", "open {#alphanumeric#} on {#alphanumeric#}", "10-6"),
        ("a, b on c on d", "{#alphanumeric#}, b on {#alphanumeric#} on d", "a"),
        ("Call 1800 123 now", "Call {#cbn#} {#alphanumeric#}", "1800 123"),
    ],
)
def test_of_several_ways_the_best_is_taken(text: str, template: str, value: str) -> None:
    assert value in [each.text for each in filled(text, template)]


@pytest.mark.parametrize(
    ("text", "template", "expected"),
    [
        ("Pay Rs 500 by Monday at https://example.in/x.", BILL, True),
        ("Pay Rs 1,500 by Monday at https://example.in/x.", BILL, False),
        ("Pay Rs 500 by Mon-Wed at https://example.in/x.", BILL, True),
        ("Pay Rs 500 by Monday at our counter.", BILL, False),
        ("Pay Rs 500 by Monday at https://example.in/x", BILL, False),
        ("x" * 40, VariableType.ALPHANUMERIC, True),
        ("x" * 41, VariableType.ALPHANUMERIC, False),
        ("x" * 30, VariableType.VAR, False),
        ("Write to care@example.in.", "Write to {#email#}.", True),
        ("Write to care at example.in.", "Write to {#email#}.", False),
        ("Ring 1800 123 4567 now", "Ring {#cbn#} now", True),
        ("Ring +919811100001 now", "Ring {#cbn#} now", True),
        ("Ring us now", "Ring {#cbn#} now", False),
        ("Get market://x?id=1", "Get {#urlott#}", True),
        ("Get market://x?id=1", "Get {#url#}", False),
    ],
)
def test_what_is_sent(text: str, template: str, expected: bool) -> None:
    assert matches_template(literal_tokens(text), template) == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "Pay Rs 500 until {time}",
            "the text continues with 'until {time}' (character 12), the template continues with "
            "'by {#alphanumeric#} ' (character 20)",
        ),
        (
            "Pay Rs ",
            "the text ends after character 7, the template continues with '{#numeric#} by "
            "{#alp' (character 8)",
        ),
    ],
)
def test_where_the_words_part(body: str, words: str) -> None:
    found = first_mismatch(parse_body(body)[0], BILL)
    assert match_variables(parse_body(body)[0], BILL) is None
    assert str(found).startswith(f"differs from dlt_template: {words}")


_PATTERNS = {
    VariableType.VAR: ".{1,29}",
    VariableType.NUMERIC: "[0-9]+",
    VariableType.ALPHANUMERIC: ".{1,40}",
}


@given(
    st.text(alphabet="a1 .", max_size=50),
    st.lists(st.sampled_from(["a", "1", " ", ".", *_PATTERNS]), max_size=6),
)
def test_a_written_text_is_compared_as_operators_do(text: str, parts: list[str]) -> None:
    tokens, template = literal_tokens(text), "".join(parts)
    pattern = "".join(_PATTERNS.get(part, re.escape(part)) for part in parts)  # type: ignore[call-overload]
    expected = re.fullmatch(pattern, text, re.DOTALL) is not None
    assert matches_template(tokens, template) == (first_mismatch(tokens, template) is None) == expected
    if expected:
        values = match_variables(tokens, template)
        assert values is not None
        assert not any(value.check.error for value in values)


@given(
    st.lists(
        st.one_of(
            st.sampled_from([f"{{{name}}}" for name in BodyField]),
            st.sampled_from(["on ", "7", " ", "https://example.in/", "x@example.in"]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.data(),
    st.integers(0, 2 * 365 * 24 * 60).map(lambda count: ist("2026-11-23 22:15") + minutes(count)),
    st.sampled_from(["+918047120001", "+9999999", "+" + "9" * 15]),
)
def test_what_check_finds_right_is_sent_to_every_caller(
    parts: list[str], data: st.DataObject, now: datetime, caller: str
) -> None:
    kinds = st.sampled_from(VariableType)
    template = "".join(
        data.draw(kinds) if part.startswith("{") or data.draw(st.booleans()) else part for part in parts
    )
    body = "".join(parts)
    values = match_variables(parse_body(body)[0], template, field_examples("Asha"))
    if values is None or any(value.check.error for value in values):
        return
    mine = campaign(hours=office(), vote=VotePolicy("singer", "Asha"))
    text = render_body(sms(body=body), mine, policy(mine), RenderContext(caller, now, now, {"Ravi": 10**8}))
    assert matches_template(literal_tokens(text), template)
