"""Whether a text is the one that was registered, as India's operators compare it (DLT).

    registered:  Thank you, {#var#}. We open at {#var#}.
    text:        Thank you, {caller}. We open at {opening}.

Character for character; each `{#var#}` stands for one named value, or for 1 to 29 characters of
the text, and for longer ones there are two of them side by side. A text that differs in a comma is
taken by the provider, billed, and dropped by the operator: so it is compared here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from missedd.core.texts import LONGEST_VALUE, Name, Token

VAR: Final = "{#var#}"
_SHOWN: Final = 20
"""Characters of either side that are shown where they part."""

_PLACEHOLDER: Final = re.compile(r"\{#[^#{}]*#\}")
_TOKEN: Final = re.compile(r"\{#var#\}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parting:
    """Where text and template part: places count from 1; a side that has ended is ""."""

    text_at: int
    text: str
    template_at: int
    template: str

    def __str__(self) -> str:
        sides = _side(self.text, self.text_at), _side(self.template, self.template_at)
        rule = f"; {VAR} stands for one named value, or for 1 to {LONGEST_VALUE} characters"
        is_about_var = self.template.startswith(VAR)
        return (
            f"parts from dlt_template: it {sides[0]}, the template {sides[1]}{rule if is_about_var else ''}"
        )


def _side(rest: str, at: int) -> str:
    return f"goes on with {rest!r} (character {at})" if rest else f"ends after character {at - 1}"


def strange_placeholders(template: str) -> list[str]:
    """What looks like a variable of the template and is none: only `{#var#}` is."""
    return [each for each in _PLACEHOLDER.findall(template) if each != VAR]


@lru_cache(maxsize=256)
def _read_template(template: str) -> tuple[tuple[int, str], ...]:
    """The characters and variables of a template, each with its place."""
    return tuple((found.start() + 1, found[0]) for found in _TOKEN.finditer(template))


def characters(text: str) -> tuple[Token, ...]:
    """A text that is already written, to be compared as it stands."""
    return tuple(Token(at, each) for at, each in enumerate(text, 1))


def parting(text: Sequence[Token], template: str) -> Parting | None:
    """Where a text parts from its template, or None if it matches.

    Every way to fill the variables is followed at once: `reached` has, for each place in the text,
    the places in the template up to which both agree.
    """
    wanted = _read_template(template)
    reached: defaultdict[int, set[int]] = defaultdict(set, {0: {0}})
    furthest = (0, 0)
    for here in range(len(text) + 1):
        for there in reached[here]:
            if _is_firm(text, here, wanted, there):
                furthest = max(furthest, (there, here))
            if there < len(wanted) and here < len(text):
                for count in _takes(text, here, wanted[there][1]):
                    reached[here + count].add(there + 1)
    if len(wanted) in reached[len(text)]:
        return None
    there, here = furthest
    return Parting(
        text_at=text[here].at if here < len(text) else _end(text),
        text=_spelled(text[here : here + _SHOWN]),
        template_at=wanted[there][0] if there < len(wanted) else len(template) + 1,
        template=template[wanted[there][0] - 1 :][:_SHOWN] if there < len(wanted) else "",
    )


def _is_firm(text: Sequence[Token], here: int, wanted: Sequence[tuple[int, str]], there: int) -> bool:
    """Whether both agree up to here for sure: a variable could have swallowed more or less of the text."""
    return there == 0 or wanted[there - 1][1] != VAR or isinstance(text[here - 1].what, Name)


def _takes(text: Sequence[Token], here: int, wanted: str) -> range:
    """How many tokens from `here` on a character or a variable of the template may stand for."""
    first = text[here].what
    if wanted != VAR:
        return range(1, 2 if first == wanted and not isinstance(first, Name) else 1)
    if isinstance(first, Name):
        return range(1, 2)
    count = 1
    while (
        count < LONGEST_VALUE and here + count < len(text) and not isinstance(text[here + count].what, Name)
    ):
        count += 1
    return range(1, count + 1)


def _end(text: Sequence[Token]) -> int:
    """The place after the last token."""
    return text[-1].at + len(_spelled(text[-1:])) if text else 1


def _spelled(text: Sequence[Token]) -> str:
    return "".join(f"{{{each.what}}}" if isinstance(each.what, Name) else each.what for each in text)
