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

from missedd.config.table import ConfigTable
from missedd.config.values import closest_match, toml_repr
from missedd.core.sms.dlt import (
    VariableValue,
    first_mismatch,
    match_variables,
    parse_template,
    unknown_placeholders,
)
from missedd.core.sms.dlt_variables import VARIABLE_RULES, VariableType
from missedd.core.sms.template import field_examples, parse_body

_TYPE_BY_NAME: Final = {str(kind).strip("{#}"): str(kind) for kind in VariableType}
_FRAGILE_WHITESPACE: Final = {
    "a line feed": re.compile(r"\r\n|[\r\n]"),
    "several blanks in a row": re.compile(r" {2,}"),
    "a tab or a blank of another kind": re.compile(r"[^\S \r\n]"),
    "a blank at its beginning": re.compile(r"\A "),
    "a blank at its end": re.compile(r" \Z"),
}
"""What portals trim, join or replace when a template is pasted, so that it is not what was meant."""


def check_template(table: ConfigTable, body: str | None, template: str, option: str | None) -> None:
    """Report what operators refuse in a template, and in the texts of `body`, if it could be read."""
    strange = unknown_placeholders(template)
    for placeholder in strange:
        table.problem(
            "dlt_template",
            f"has {toml_repr(placeholder)}, which is no type of variable: there are "
            f"{', '.join(VariableType)}",
            _guess_type(placeholder),
        )
    for at, pair in _adjacent_variables(template):
        if pair != (VariableType.VAR, VariableType.VAR):
            table.problem(
                "dlt_template",
                f"has {''.join(pair)} at character {at}: operators refuse variables side by side where "
                "one has a type; have it registered with some text between them",
            )
    if strange or body is None:
        return
    tokens, _ = parse_body(body)
    known = field_examples(option)
    values = match_variables(tokens, template, known)
    if values is None:
        table.problem("body", str(first_mismatch(tokens, template, known)))
    for value in values or ():
        if value.check.error:
            table.problem(
                "body",
                f"{_describe_value(value)}: it {value.check.error}; {VARIABLE_RULES[value.type].remedy}",
            )


def template_warnings(key: str, body: str, template: str, option: str | None) -> Iterator[str]:
    """What some operators refuse in a template and in its texts, and what portals may have changed."""
    for at, pair in _adjacent_variables(template):
        if pair == (VariableType.VAR, VariableType.VAR):
            yield (
                f"{key}.dlt_template: has {''.join(pair)} at character {at}: some operators refuse variables "
                "side by side; have it registered with some text between them"
            )
    for what, pattern in _FRAGILE_WHITESPACE.items():
        places = [str(found.start() + 1) for found in pattern.finditer(template)]
        if places:
            yield (
                f"{key}.dlt_template: has {what} (character {', '.join(places)}): portals may have changed "
                "it; compare it with what yours shows, or have it registered without"
            )
    for value in match_variables(parse_body(body)[0], template, field_examples(option)) or ():
        if value.check.questionable:
            yield (
                f"{key}.body: {_describe_value(value)}: some portals refuse "
                f"{_list_characters(value.check.questionable)} there, as "
                "they take letters, digits and blanks only; ask yours, or have that part registered as text"
            )
        if value.type is VariableType.CBN and value.names:
            yield (
                f"{key}.body: {_describe_value(value)}: operators pass only numbers that you have "
                "registered with "
                f"them, and this is another for each call; have {VariableType.ALPHANUMERIC} registered there"
            )


def _guess_type(placeholder: str) -> str | None:
    """The variable that was likely meant, as in `{#number#}` for `{#numeric#}`."""
    word = placeholder.strip("{#}").strip().casefold()
    begun = [known for known in _TYPE_BY_NAME if len(word) >= 3 and known.startswith(word)]
    name = next(iter(begun), None) or closest_match(word, _TYPE_BY_NAME)
    return _TYPE_BY_NAME[name] if name else None


def _adjacent_variables(template: str) -> Iterator[tuple[int, tuple[VariableType, VariableType]]]:
    """The variables that have nothing between them, with the place of the first."""
    wanted = parse_template(template)
    for (at, one), (_, other) in pairwise(wanted):
        if isinstance(one, VariableType) and isinstance(other, VariableType):
            yield at, (one, other)


def _describe_value(value: VariableValue) -> str:
    example = f" (such as {toml_repr(value.example)})" if value.names else ""
    place = f"for variable {value.number} of dlt_template, {value.type}"
    return f"says {toml_repr(value.text)}{example} at character {value.at} {place}"


def _list_characters(odd: str) -> str:
    return ", ".join(map(repr, odd))
