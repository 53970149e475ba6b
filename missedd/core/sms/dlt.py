"""Whether a text is the one that was registered, as India's operators compare it (DLT).

    registered:  Thank you, {#var#}. We open at {#var#}.
    text:        Thank you, {caller}. We open at {opening}.

Character for character. Each `{#var#}` stands for one named value, or for 1 to 29 characters of the
text, and for longer ones there are two of them side by side; a variable with a type stands for what
its type takes (`missedd.core.sms.dlt_variables`), named values among it. A text that differs in a comma is
taken by the provider, billed, and dropped by the operator: so it is compared here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from missedd.core.sms.dlt_variables import RIGHT, RULES, Judgement, Kind, judge, worst
from missedd.core.sms.template import EXAMPLES, LONGEST_VALUE, Name, Token

VAR: Final = Kind.VAR
_SHOWN: Final = 20
"""Characters of either side that are shown where they part."""
_FARTHEST: Final = 100
"""Characters and named values that are tried for one variable, so that a wrong value is found whole."""

_VARIETY: Final = max(map(len, EXAMPLES.values()))
"""Texts that a body is judged by: enough for every example of each name."""

_PLACEHOLDER: Final = re.compile(r"\{#[^#{}]*#\}")
_TOKEN: Final = re.compile("|".join(map(re.escape, Kind)) + "|.", re.DOTALL)
_KINDS: Final[Mapping[str, Kind]] = {str(each): each for each in Kind}

type Examples = Mapping[Name, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Value:
    """What a variable of the template stands for in a text.

    `number` counts the template's variables, `at` the body's characters, both from 1. `example` is
    one that a caller may get, which is a wrong one if there is such.
    """

    number: int
    kind: Kind
    at: int
    text: str
    example: str
    names: frozenset[Name]
    judgement: Judgement


@dataclass(frozen=True, slots=True)
class Parting:
    """Where text and template part: places count from 1; a side that has ended is ""."""

    text_at: int
    text: str
    template_at: int
    template: str

    def __str__(self) -> str:
        sides = _side(self.text, self.text_at), _side(self.template, self.template_at)
        variable = _TOKEN.match(self.template)
        kind = _KINDS.get(variable[0]) if variable else None
        rule = f"; {kind} stands for {RULES[kind].takes}" if kind else ""
        return f"parts from dlt_template: it {sides[0]}, the template {sides[1]}{rule}"


def _side(rest: str, at: int) -> str:
    return f"goes on with {rest!r} (character {at})" if rest else f"ends after character {at - 1}"


def strange_placeholders(template: str) -> list[str]:
    """What looks like a variable of the template and is none of the known."""
    return [each for each in _PLACEHOLDER.findall(template) if each not in _KINDS]


@lru_cache(maxsize=256)
def read_template(template: str) -> tuple[tuple[int, str | Kind], ...]:
    """The characters and variables of a template, each with its place from 1."""
    return tuple((found.start() + 1, _KINDS.get(found[0], found[0])) for found in _TOKEN.finditer(template))


def characters(text: str) -> tuple[Token, ...]:
    """A text that is already written, to be compared as it stands."""
    return tuple(Token(at, each) for at, each in enumerate(text, 1))


def matches(text: Sequence[Token], template: str) -> bool:
    """Whether the operators take a text for the registered one."""
    return len(read_template(template)) in _follow(text, template, EXAMPLES, farthest=None)[len(text)]


def fill(text: Sequence[Token], template: str, examples: Examples = EXAMPLES) -> tuple[Value, ...] | None:
    """What each variable of the template stands for; None if text and template part.

    Of several ways to fill it this is one with the fewest wrong values, and then with the fewest
    odd characters. `examples` are values of each name, of all shapes that it has.
    """
    wanted = read_template(template)
    reached = _follow(text, template, examples, farthest=_FARTHEST)
    if len(wanted) not in reached[len(text)]:
        return None
    values: list[Value] = []
    here, number = len(text), sum(isinstance(each, Kind) for _, each in wanted)
    for there in range(len(wanted), 0, -1):
        step, kind = reached[here][there], wanted[there - 1][1]
        if isinstance(kind, Kind):
            values.append(_value(number, kind, text[here - step.tokens : here], examples))
            number -= 1
        here -= step.tokens
    return tuple(reversed(values))


def parting(text: Sequence[Token], template: str, examples: Examples = EXAMPLES) -> Parting | None:
    """Where a text parts from its template, the first wrong value at the latest; None if it matches."""
    wanted = read_template(template)
    reached = _follow(text, template, examples, farthest=None)
    if len(wanted) in reached[len(text)]:
        return None
    there, here = max(
        (there, here)
        for here, found in enumerate(reached)
        for there in found
        if _is_firm(text, here, wanted, there)
    )
    return Parting(
        text_at=text[here].at if here < len(text) else _end(text),
        text=_spelled(text[here : here + _SHOWN]),
        template_at=wanted[there][0] if there < len(wanted) else len(template) + 1,
        template=template[wanted[there][0] - 1 :][:_SHOWN] if there < len(wanted) else "",
    )


class _Step(NamedTuple):
    """The best way to a place: its wrong values, its odd characters, and the tokens of its last part."""

    wrong: int
    odd: int
    tokens: int


def _follow(
    text: Sequence[Token], template: str, examples: Examples, *, farthest: int | None
) -> list[dict[int, _Step]]:
    """Every way to fill the variables, followed at once.

    For each place in the text: the places in the template up to which both agree. Wrong values are
    followed as well, up to `farthest` tokens of the text, unless that is None.
    """
    wanted = read_template(template)
    reached: list[dict[int, _Step]] = [{} for _ in range(len(text) + 1)]
    reached[0][0] = _Step(0, 0, 0)
    for here in range(len(text)):
        takes: dict[str, list[tuple[int, Judgement]]] = {}
        for there, step in reached[here].items():
            if there == len(wanted):
                continue
            part = wanted[there][1]
            if part not in takes:
                takes[part] = list(_takes(text, here, part, examples, farthest))
            for count, judgement in takes[part]:
                found = _Step(step.wrong + bool(judgement.wrong), step.odd + len(judgement.odd), count)
                known = reached[here + count].get(there + 1)
                if known is None or found < known:
                    reached[here + count][there + 1] = found
    return reached


def _takes(
    text: Sequence[Token], here: int, wanted: str | Kind, examples: Examples, farthest: int | None
) -> Iterator[tuple[int, Judgement]]:
    """How many tokens from `here` on a character or a variable of the template may stand for."""
    first = text[here].what
    if not isinstance(wanted, Kind):
        if first == wanted and not isinstance(first, Name):
            yield 1, RIGHT
        return
    if wanted is VAR:
        yield from _takes_var(text, here, examples, farthest)
        return
    most = len(text) - here
    if (longest := RULES[wanted].longest) is not None:
        most = min(most, max(longest, farthest or 0))
    alike = [""] * _VARIETY
    for count in range(1, most + 1):
        alike = _longer(alike, text[here + count - 1], examples)
        judgement = worst(judge(wanted, each) for each in dict.fromkeys(alike))
        if not judgement.wrong or count <= (farthest or 0):
            yield count, judgement


def _takes_var(
    text: Sequence[Token], here: int, examples: Examples, farthest: int | None
) -> Iterator[tuple[int, Judgement]]:
    """One named value, or characters: what a `{#var#}` may stand for, and a value that is too long."""
    first = text[here].what
    if isinstance(first, Name):
        judgement = worst(judge(VAR, each) for each in examples[first])
        if not judgement.wrong or farthest is not None:
            yield 1, judgement
        return
    for count in range(1, min(LONGEST_VALUE, len(text) - here) + 1):
        if isinstance(text[here + count - 1].what, Name):
            return
        yield count, RIGHT


def _longer(alike: list[str], token: Token, examples: Examples) -> list[str]:
    """Texts of the same tokens, each with one more: every example of a name, the last with the longest."""
    if not isinstance(token.what, Name):
        return [each + token.what for each in alike]
    known = examples[token.what]
    return [each + known[min(i, len(known) - 1)] for i, each in enumerate(alike)]


def _value(number: int, kind: Kind, tokens: Sequence[Token], examples: Examples) -> Value:
    alike = [""] * _VARIETY
    for token in tokens:
        alike = _longer(alike, token, examples)
    judged = {each: judge(kind, each) for each in alike}
    return Value(
        number=number,
        kind=kind,
        at=tokens[0].at,
        text=_spelled(tokens),
        example=max(judged, key=lambda each: (bool(judged[each].wrong), len(judged[each].odd))),
        names=frozenset(each.what for each in tokens if isinstance(each.what, Name)),
        judgement=worst(judged.values()),
    )


def _is_firm(text: Sequence[Token], here: int, wanted: Sequence[tuple[int, str | Kind]], there: int) -> bool:
    """Whether both agree up to here for sure: a variable could have swallowed more or less of the text."""
    if there == 0 or not isinstance(wanted[there - 1][1], Kind):
        return True
    return isinstance(text[here - 1].what, Name)


def _end(text: Sequence[Token]) -> int:
    """The place after the last token."""
    return text[-1].at + len(_spelled(text[-1:])) if text else 1


def _spelled(text: Sequence[Token]) -> str:
    return "".join(f"{{{each.what}}}" if isinstance(each.what, Name) else each.what for each in text)
