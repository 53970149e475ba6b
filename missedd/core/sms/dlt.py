"""Whether a text matches its registered template, as India's mobile operators compare them (DLT).

    registered:  Thank you, {#var#}. We open at {#var#}.
    text:        Thank you, {caller}. We open at {opening}.

The comparison is character by character. Each `{#var#}` stands for one field of the body, or for 1 to 29
characters; a longer value needs two variables next to each other. A variable with a type stands for what its
type accepts (`missedd.core.sms.dlt_variables`), fields included.

If a text differs by one comma, the provider accepts and bills the SMS, and the operator drops it. So missedd
compares the text before sending.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from missedd.core.sms.dlt_matching import SAMPLE_COUNT, Examples, extend_samples, partial_matches
from missedd.core.sms.dlt_variables import (
    TEMPLATE_TOKEN,
    TYPE_BY_TEXT,
    VARIABLE_RULES,
    ValueCheck,
    VariableType,
    check_value,
    combine_checks,
    parse_template,
)
from missedd.core.sms.template import FIELD_EXAMPLES, BodyField, BodyToken

_SNIPPET_LENGTH: Final = 20
"""Characters of both sides that are shown at the first difference."""
_MAX_VALUE_TOKENS: Final = 100
"""Characters and fields that are tried for one variable, so that a wrong value is reported whole."""


@dataclass(frozen=True, slots=True)
class VariableValue:
    """What a variable of the template stands for in a text.

    `number` counts the variables of the template, `at` the characters of the body, both from 1. `example` is
    a value that a caller may get; it is a wrong value if there is one.
    """

    number: int
    type: VariableType
    at: int
    text: str
    example: str
    names: frozenset[BodyField]
    check: ValueCheck


@dataclass(frozen=True, slots=True)
class TemplateMismatch:
    """The first difference between text and template. Positions count from 1; "" means that a side has
    ended."""

    text_at: int
    text: str
    template_at: int
    template: str

    def __str__(self) -> str:
        sides = _describe_side(self.text, self.text_at), _describe_side(self.template, self.template_at)
        variable = TEMPLATE_TOKEN.match(self.template)
        kind = TYPE_BY_TEXT.get(variable[0]) if variable else None
        rule = f"; {kind} stands for {VARIABLE_RULES[kind].accepts}" if kind else ""
        return f"differs from dlt_template: the text {sides[0]}, the template {sides[1]}{rule}"


def _describe_side(rest: str, at: int) -> str:
    return f"continues with {rest!r} (character {at})" if rest else f"ends after character {at - 1}"


def literal_tokens(text: str) -> tuple[BodyToken, ...]:
    """The tokens of a finished text, which is compared as it is."""
    return tuple(BodyToken(at, each) for at, each in enumerate(text, 1))


def matches_template(text: Sequence[BodyToken], template: str) -> bool:
    """Whether the operators accept the text as the registered one."""
    return (
        len(parse_template(template))
        in partial_matches(text, template, FIELD_EXAMPLES, max_tokens=None)[len(text)]
    )


def match_variables(
    text: Sequence[BodyToken], template: str, examples: Examples = FIELD_EXAMPLES
) -> tuple[VariableValue, ...] | None:
    """What each variable of the template stands for; None if the text does not match.

    If there are several ways, the result has the fewest wrong values, and then the fewest questionable
    characters. `examples` are values of each field, one of each shape.
    """
    wanted = parse_template(template)
    reached = partial_matches(text, template, examples, max_tokens=_MAX_VALUE_TOKENS)
    if len(wanted) not in reached[len(text)]:
        return None
    values: list[VariableValue] = []
    here, number = len(text), sum(isinstance(each, VariableType) for _, each in wanted)
    for there in range(len(wanted), 0, -1):
        step, kind = reached[here][there], wanted[there - 1][1]
        if isinstance(kind, VariableType):
            values.append(_variable_value(number, kind, text[here - step.tokens : here], examples))
            number -= 1
        here -= step.tokens
    return tuple(reversed(values))


def first_mismatch(
    text: Sequence[BodyToken], template: str, examples: Examples = FIELD_EXAMPLES
) -> TemplateMismatch | None:
    """Where the text differs from its template, at the latest at the first wrong value; None if it
    matches."""
    wanted = parse_template(template)
    reached = partial_matches(text, template, examples, max_tokens=None)
    if len(wanted) in reached[len(text)]:
        return None
    there, here = max(
        (there, here)
        for here, matches in enumerate(reached)
        for there in matches
        if _is_certain(text, here, wanted, there)
    )
    return TemplateMismatch(
        text_at=text[here].at if here < len(text) else _end_position(text),
        text=_as_text(text[here : here + _SNIPPET_LENGTH]),
        template_at=wanted[there][0] if there < len(wanted) else len(template) + 1,
        template=template[wanted[there][0] - 1 :][:_SNIPPET_LENGTH] if there < len(wanted) else "",
    )


def _variable_value(
    number: int, type_: VariableType, tokens: Sequence[BodyToken], examples: Examples
) -> VariableValue:
    samples = [""] * SAMPLE_COUNT
    for token in tokens:
        samples = extend_samples(samples, token, examples)
    judged = {each: check_value(type_, each) for each in samples}
    return VariableValue(
        number=number,
        type=type_,
        at=tokens[0].at,
        text=_as_text(tokens),
        example=max(judged, key=lambda each: (bool(judged[each].error), len(judged[each].questionable))),
        names=frozenset(each.content for each in tokens if isinstance(each.content, BodyField)),
        check=combine_checks(judged.values()),
    )


def _is_certain(
    text: Sequence[BodyToken], here: int, wanted: Sequence[tuple[int, str | VariableType]], there: int
) -> bool:
    """Whether both certainly agree up to here: a variable before it could stand for more or less of the
    text."""
    if there == 0 or not isinstance(wanted[there - 1][1], VariableType):
        return True
    return isinstance(text[here - 1].content, BodyField)


def _end_position(text: Sequence[BodyToken]) -> int:
    """The position after the last token."""
    return text[-1].at + len(_as_text(text[-1:])) if text else 1


def _as_text(text: Sequence[BodyToken]) -> str:
    return "".join(
        f"{{{each.content}}}" if isinstance(each.content, BodyField) else each.content for each in text
    )
