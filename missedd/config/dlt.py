"""Says what is wrong with a registered template, and with the text that is held against it.

    campaign "a": sms.body: says '{time}' (such as '10:31') for variable 1 of dlt_template, {#numeric#}:
    it is not digits only; say it in digits, or have {#alphanumeric#} registered there

What all operators refuse is an error; what some of them do, or what is easily lost on the way to
their portals, is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from missedd.config.table import Table
from missedd.config.values import nearest, shown
from missedd.core.sms.dlt import Value, fill, parting, read_template, strange_placeholders
from missedd.core.sms.dlt_variables import RULES, Kind
from missedd.core.sms.template import examples, read_body

_KNOWN: Final = {str(kind).strip("{#}"): str(kind) for kind in Kind}
_BLANKS: Final = {
    "a line feed": re.compile(r"\r\n|[\r\n]"),
    "several blanks in a row": re.compile(r" {2,}"),
    "a tab or a blank of another kind": re.compile(r"[^\S \r\n]"),
    "a blank at its beginning": re.compile(r"\A "),
    "a blank at its end": re.compile(r" \Z"),
}
"""What portals trim, join or replace when a template is pasted, so that it is not what was meant."""


def check_template(table: Table, body: str | None, template: str, option: str | None) -> None:
    """Report what operators refuse in a template, and in the texts of `body`, if it could be read."""
    strange = strange_placeholders(template)
    for placeholder in strange:
        table.problem(
            "dlt_template",
            f"has {shown(placeholder)}, which is no type of variable: there are {', '.join(Kind)}",
            _meant(placeholder),
        )
    for at, pair in _side_by_side(template):
        if pair != (Kind.VAR, Kind.VAR):
            table.problem(
                "dlt_template",
                f"has {''.join(pair)} at character {at}: operators refuse variables side by side where "
                "one has a type; have it registered with some text between them",
            )
    if strange or body is None:
        return
    tokens, _ = read_body(body)
    known = examples(option)
    values = fill(tokens, template, known)
    if values is None:
        table.problem("body", str(parting(tokens, template, known)))
    for value in values or ():
        if value.judgement.wrong:
            table.problem("body", f"{_said(value)}: it {value.judgement.wrong}; {RULES[value.kind].remedy}")


def template_warnings(key: str, body: str, template: str, option: str | None) -> Iterator[str]:
    """What some operators refuse in a template and in its texts, and what portals may have changed."""
    for at, pair in _side_by_side(template):
        if pair == (Kind.VAR, Kind.VAR):
            yield (
                f"{key}.dlt_template: has {''.join(pair)} at character {at}: some operators refuse variables "
                "side by side; have it registered with some text between them"
            )
    for what, pattern in _BLANKS.items():
        places = [str(found.start() + 1) for found in pattern.finditer(template)]
        if places:
            yield (
                f"{key}.dlt_template: has {what} (character {', '.join(places)}): portals may have changed "
                "it; compare it with what yours shows, or have it registered without"
            )
    for value in fill(read_body(body)[0], template, examples(option)) or ():
        if value.judgement.odd:
            yield (
                f"{key}.body: {_said(value)}: some portals refuse {_listed(value.judgement.odd)} there, as "
                "they take letters, digits and blanks only; ask yours, or have that part registered as text"
            )
        if value.kind is Kind.CBN and value.names:
            yield (
                f"{key}.body: {_said(value)}: operators pass only numbers that you have registered with "
                f"them, and this is another for each call; have {Kind.ALPHANUMERIC} registered there"
            )


def _meant(placeholder: str) -> str | None:
    """The variable that was likely meant, as in `{#number#}` for `{#numeric#}`."""
    word = placeholder.strip("{#}").strip().casefold()
    begun = [known for known in _KNOWN if len(word) >= 3 and known.startswith(word)]
    name = next(iter(begun), None) or nearest(word, _KNOWN)
    return _KNOWN[name] if name else None


def _side_by_side(template: str) -> Iterator[tuple[int, tuple[Kind, Kind]]]:
    """The variables that have nothing between them, with the place of the first."""
    wanted = read_template(template)
    for (at, one), (_, other) in pairwise(wanted):
        if isinstance(one, Kind) and isinstance(other, Kind):
            yield at, (one, other)


def _said(value: Value) -> str:
    example = f" (such as {shown(value.example)})" if value.names else ""
    place = f"for variable {value.number} of dlt_template, {value.kind}"
    return f"says {shown(value.text)}{example} at character {value.at} {place}"


def _listed(odd: str) -> str:
    return ", ".join(map(repr, odd))
