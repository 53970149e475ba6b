"""Whether a text matches its registered template, and where the first difference is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.sms.dlt import first_mismatch, literal_tokens
from missedd.core.sms.dlt_variables import VAR, unknown_placeholders
from missedd.core.sms.template import BodyField, parse_body

TEMPLATE = "Thank you, {#var#}. We open at {#var#}!"


@pytest.mark.parametrize(
    ("body", "template"),
    [
        ("", ""),
        ("Thank you.", "Thank you."),
        ("Thank you, {caller}. We open at {opening}!", TEMPLATE),
        ("Thank you, Asha. We open at {opening}!", TEMPLATE),
        ("Thank you, A. B. Rao. We open at 09:30!", TEMPLATE),
        ("a" * 29, VAR),
        ("a" * 58, VAR + VAR),
        ("ab", VAR + VAR),
        ("{caller}{time}", VAR + VAR),
        ("{caller}" + "a" * 29, VAR + VAR),
        ("{{x}}", "{x}"),
        ("line\nnext", "line\n" + VAR),
    ],
)
def test_what_matches(body: str, template: str) -> None:
    assert first_mismatch(parse_body(body)[0], template) is None


@pytest.mark.parametrize(
    ("body", "template", "text_at", "text", "template_at", "expected"),
    [
        ("Thank you {caller}. We", TEMPLATE, 10, " {caller}. We", 10, ", {#var#}. We open a"),
        ("Thank you, {caller}, We", TEMPLATE, 20, ", We", 19, ". We open at {#var#}"),
        ("Thank you, {caller}. We open at {time}", TEMPLATE, 39, "", 39, "!"),
        ("Thank you, {caller}. We open at {time}! ", TEMPLATE, 40, " ", 40, ""),
        ("thank you", "Thank you", 1, "thank you", 1, "Thank you"),
        ("Hi  you", "Hi you", 4, " you", 4, "you"),
        ("Hi {caller}{time}.", "Hi {#var#}.", 12, "{time}.", 11, "."),
        ("Hi {caller} there.", "Hi {#var#}.", 12, " there.", 11, "."),
        ("Hi {caller}", "Hi you", 4, "{caller}", 4, "you"),
        ("Hi .", "Hi {#var#}.", 4, ".", 4, "{#var#}."),
        ("a" * 30, VAR, 1, "a" * 20, 1, VAR),
        ("a" * 59, VAR + VAR, 1, "a" * 20, 1, VAR + VAR),
        ("Dear Asha! Bye", "Dear {#var#}. Bye", 6, "Asha! Bye", 6, "{#var#}. Bye"),
        ("", "a", 1, "", 1, "a"),
    ],
)
def test_where_they_part(
    body: str, template: str, text_at: int, text: str, template_at: int, expected: str
) -> None:
    found = first_mismatch(parse_body(body)[0], template)
    assert found is not None
    assert (found.text_at, found.text) == (text_at, text)
    assert (found.template_at, found.template) == (template_at, expected)
    assert repr(text) in str(found) or "ends after" in str(found)


@given(
    st.lists(st.one_of(st.text(min_size=1, max_size=8).filter(lambda text: "{" not in text), st.just(VAR))),
    st.data(),
)
def test_every_way_to_fill_a_template_matches_it(pieces: list[str], data: st.DataObject) -> None:
    template = "".join(pieces)
    value = st.text(min_size=1, max_size=29)
    filled = "".join(data.draw(value) if each == VAR else each for each in pieces)
    assert first_mismatch(literal_tokens(filled), template) is None


@given(st.text(alphabet="ab.", max_size=40), st.lists(st.sampled_from(["a", "b", ".", VAR]), max_size=6))
def test_a_written_text_is_compared_as_operators_do(text: str, pieces: list[str]) -> None:
    pattern = "".join(".{1,29}" if each == VAR else re.escape(each) for each in pieces)
    matches = re.fullmatch(pattern, text, re.DOTALL) is not None
    assert (first_mismatch(literal_tokens(text), "".join(pieces)) is None) == matches


@given(st.lists(st.sampled_from([f"{{{BodyField.TIME}}}", "a", "b"]), max_size=8), st.data())
def test_a_body_that_matches_makes_texts_that_match(pieces: list[str], data: st.DataObject) -> None:
    body = "".join(pieces)
    template = "".join(VAR if each.startswith("{") or data.draw(st.booleans()) else each for each in pieces)
    assert first_mismatch(parse_body(body)[0], template) is None
    assert first_mismatch(literal_tokens(body.replace("{time}", "12:34")), template) is None


def test_what_is_no_variable_is_told() -> None:
    assert unknown_placeholders("Dear {#name#}, {#var#} {#VAR#} {x} {#url#}") == ["{#name#}", "{#VAR#}"]
