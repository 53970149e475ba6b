"""Every way in which a text can fill the variables of a registered template, followed in parallel.

    template:  Rs {#numeric#} by {#alphanumeric#}
    text:      Rs 500 by 5 May
    {#numeric#} can stand for "5", "50" or "500"; only "500" leads to the end of the template.

`missedd.core.sms.dlt` draws the conclusions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from missedd.core.sms.dlt_variables import (
    VALID,
    VAR,
    VARIABLE_RULES,
    ValueCheck,
    VariableType,
    check_value,
    combine_checks,
    parse_template,
)
from missedd.core.sms.template import FIELD_EXAMPLES, MAX_VARIABLE_LENGTH, BodyField, BodyToken

type Examples = Mapping[BodyField, tuple[str, ...]]

SAMPLE_COUNT: Final = max(map(len, FIELD_EXAMPLES.values()))
"""Sample texts per body: enough for every example of each field."""


class PartialMatch(NamedTuple):
    """The best way to a position: its wrong values, its questionable characters, and the tokens of its last
    part."""

    wrong: int
    odd: int
    tokens: int


def partial_matches(
    text: Sequence[BodyToken], template: str, examples: Examples, *, max_tokens: int | None
) -> list[dict[int, PartialMatch]]:
    """Every way to fill the variables, followed in parallel.

    For each position in the text: the positions in the template up to which both agree. Wrong values are
    followed too, up to `max_tokens` tokens of the text; none if it is None.
    """
    wanted = parse_template(template)
    reached: list[dict[int, PartialMatch]] = [{} for _ in range(len(text) + 1)]
    reached[0][0] = PartialMatch(0, 0, 0)
    for here in range(len(text)):
        takes: dict[str, list[tuple[int, ValueCheck]]] = {}
        for there, step in reached[here].items():
            if there == len(wanted):
                continue
            part = wanted[there][1]
            if part not in takes:
                takes[part] = list(_value_lengths(text, here, part, examples, max_tokens))
            for count, judgement in takes[part]:
                match = PartialMatch(
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
    samples = [""] * SAMPLE_COUNT
    for count in range(1, most + 1):
        samples = extend_samples(samples, text[here + count - 1], examples)
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


def extend_samples(samples: list[str], token: BodyToken, examples: Examples) -> list[str]:
    """The samples, each extended by one token. A field adds each of its examples; the last samples get the
    longest one."""
    if not isinstance(token.content, BodyField):
        return [each + token.content for each in samples]
    known = examples[token.content]
    return [each + known[min(i, len(known) - 1)] for i, each in enumerate(samples)]
