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

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from missedd.core.sms.dlt_variables import (
    VALID,
    VARIABLE_RULES,
    ValueCheck,
    VariableType,
    check_value,
    combine_checks,
)
from missedd.core.sms.template import FIELD_EXAMPLES, MAX_VARIABLE_LENGTH, BodyField, BodyToken

VAR: Final = VariableType.VAR
_SNIPPET_LENGTH: Final = 20
"""Characters of both sides that are shown at the first difference."""
_MAX_VALUE_TOKENS: Final = 100
"""Characters and fields that are tried for one variable, so that a wrong value is reported whole."""

_SAMPLE_COUNT: Final = max(map(len, FIELD_EXAMPLES.values()))
"""Sample texts per body: enough for every example of each field."""

_PLACEHOLDER: Final = re.compile(r"\{#[^#{}]*#\}")
_TOKEN: Final = re.compile("|".join(map(re.escape, VariableType)) + "|.", re.DOTALL)
_TYPE_BY_TEXT: Final[Mapping[str, VariableType]] = {str(each): each for each in VariableType}

type Examples = Mapping[BodyField, tuple[str, ...]]


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
        variable = _TOKEN.match(self.template)
        kind = _TYPE_BY_TEXT.get(variable[0]) if variable else None
        rule = f"; {kind} stands for {VARIABLE_RULES[kind].accepts}" if kind else ""
        return f"differs from dlt_template: the text {sides[0]}, the template {sides[1]}{rule}"


def _describe_side(rest: str, at: int) -> str:
    return f"continues with {rest!r} (character {at})" if rest else f"ends after character {at - 1}"


def unknown_placeholders(template: str) -> list[str]:
    """Parts of the template that look like a variable but are not a known one."""
    return [each for each in _PLACEHOLDER.findall(template) if each not in _TYPE_BY_TEXT]


@lru_cache(maxsize=256)
def parse_template(template: str) -> tuple[tuple[int, str | VariableType], ...]:
    """The characters and variables of a template, each with its position from 1."""
    return tuple(
        (match.start() + 1, _TYPE_BY_TEXT.get(match[0], match[0])) for match in _TOKEN.finditer(template)
    )


def literal_tokens(text: str) -> tuple[BodyToken, ...]:
    """The tokens of a finished text, which is compared as it is."""
    return tuple(BodyToken(at, each) for at, each in enumerate(text, 1))


def matches_template(text: Sequence[BodyToken], template: str) -> bool:
    """Whether the operators accept the text as the registered one."""
    return (
        len(parse_template(template))
        in _partial_matches(text, template, FIELD_EXAMPLES, max_tokens=None)[len(text)]
    )


def match_variables(
    text: Sequence[BodyToken], template: str, examples: Examples = FIELD_EXAMPLES
) -> tuple[VariableValue, ...] | None:
    """What each variable of the template stands for; None if the text does not match.

    If there are several ways, the result has the fewest wrong values, and then the fewest questionable
    characters. `examples` are values of each field, one of each shape.
    """
    wanted = parse_template(template)
    reached = _partial_matches(text, template, examples, max_tokens=_MAX_VALUE_TOKENS)
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
    reached = _partial_matches(text, template, examples, max_tokens=None)
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


class _PartialMatch(NamedTuple):
    """The best way to a position: its wrong values, its questionable characters, and the tokens of its last
    part."""

    wrong: int
    odd: int
    tokens: int


def _partial_matches(
    text: Sequence[BodyToken], template: str, examples: Examples, *, max_tokens: int | None
) -> list[dict[int, _PartialMatch]]:
    """Every way to fill the variables, followed in parallel.

    For each position in the text: the positions in the template up to which both agree. Wrong values are
    followed too, up to `max_tokens` tokens of the text; none if it is None.
    """
    wanted = parse_template(template)
    reached: list[dict[int, _PartialMatch]] = [{} for _ in range(len(text) + 1)]
    reached[0][0] = _PartialMatch(0, 0, 0)
    for here in range(len(text)):
        takes: dict[str, list[tuple[int, ValueCheck]]] = {}
        for there, step in reached[here].items():
            if there == len(wanted):
                continue
            part = wanted[there][1]
            if part not in takes:
                takes[part] = list(_value_lengths(text, here, part, examples, max_tokens))
            for count, judgement in takes[part]:
                match = _PartialMatch(
                    step.wrong + bool(judgement.error), step.odd + len(judgement.questionable), count
                )
                known = reached[here + count].get(there + 1)
                if known is None or match < known:
                    reached[here + count][there + 1] = match
    return reached


def _value_lengths(
    text: Sequence[BodyToken],
    here: int,
    wanted: str | VariableType,
    examples: Examples,
    max_tokens: int | None,
) -> Iterator[tuple[int, ValueCheck]]:
    """How many tokens from `here` on a character or a variable of the template may stand for."""
    first = text[here].content
    if not isinstance(wanted, VariableType):
        if first == wanted and not isinstance(first, BodyField):
            yield 1, VALID
        return
    if wanted is VAR:
        yield from _var_lengths(text, here, examples, max_tokens)
        return
    most = len(text) - here
    if (longest := VARIABLE_RULES[wanted].max_length) is not None:
        most = min(most, max(longest, max_tokens or 0))
    samples = [""] * _SAMPLE_COUNT
    for count in range(1, most + 1):
        samples = _extend_samples(samples, text[here + count - 1], examples)
        judgement = combine_checks(check_value(wanted, each) for each in dict.fromkeys(samples))
        if not judgement.error or count <= (max_tokens or 0):
            yield count, judgement


def _var_lengths(
    text: Sequence[BodyToken], here: int, examples: Examples, max_tokens: int | None
) -> Iterator[tuple[int, ValueCheck]]:
    """One field or some characters: what a `{#var#}` may stand for, and a value that is too long."""
    first = text[here].content
    if isinstance(first, BodyField):
        judgement = combine_checks(check_value(VAR, each) for each in examples[first])
        if not judgement.error or max_tokens is not None:
            yield 1, judgement
        return
    for count in range(1, min(MAX_VARIABLE_LENGTH, len(text) - here) + 1):
        if isinstance(text[here + count - 1].content, BodyField):
            return
        yield count, VALID


def _extend_samples(samples: list[str], token: BodyToken, examples: Examples) -> list[str]:
    """The samples, each extended by one token. A field adds each of its examples; the last samples get the
    longest one."""
    if not isinstance(token.content, BodyField):
        return [each + token.content for each in samples]
    known = examples[token.content]
    return [each + known[min(i, len(known) - 1)] for i, each in enumerate(samples)]


def _variable_value(
    number: int, type_: VariableType, tokens: Sequence[BodyToken], examples: Examples
) -> VariableValue:
    samples = [""] * _SAMPLE_COUNT
    for token in tokens:
        samples = _extend_samples(samples, token, examples)
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
