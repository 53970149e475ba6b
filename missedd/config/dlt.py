"""Describes what is wrong with a registered template, and with a text that is compared with it.

    campaign "a": sms.body: has '{time}' (such as '10:31') for variable 1 of dlt_template, {#numeric#}:
    it is not digits only; write digits, or have {#alphanumeric#} registered there

If all operators refuse something, it is an error. If only some operators do, or if a portal may have changed
it when it was pasted, it is a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from missedd.config.table import ConfigTable
from missedd.config.values import closest_match, toml_repr
from missedd.core.sms.dlt import VariableValue, first_mismatch, match_variables
from missedd.core.sms.dlt_variables import VARIABLE_RULES, VariableType, parse_template, unknown_placeholders
from missedd.core.sms.template import field_examples, parse_body

_TYPE_BY_NAME: Final = {str(kind).strip("{#}"): str(kind) for kind in VariableType}
_FRAGILE_WHITESPACE: Final = {
    "a line feed": re.compile(r"\r\n|[\r\n]"),
    "several blanks in a row": re.compile(r" {2,}"),
    "a tab or a blank of another kind": re.compile(r"[^\S \r\n]"),
    "a blank at its beginning": re.compile(r"\A "),
    "a blank at its end": re.compile(r" \Z"),
}
"""Characters that portals trim, merge or replace when a template is pasted, so that the template changes."""


def check_template(table: ConfigTable, body: str | None, template: str, option: str | None) -> None:
    """Report what operators refuse in a template, and in the texts of `body` (None: the body could not be
    parsed)."""
    unknown = unknown_placeholders(template)
    for placeholder in unknown:
        table.problem(
            "dlt_template",
            f"has {toml_repr(placeholder)}, which is not a type of variable: the types are "
            f"{', '.join(VariableType)}",
            _guess_type(placeholder),
        )
    for at, pair in _adjacent_variables(template):
        if pair != (VariableType.VAR, VariableType.VAR):
            table.problem(
                "dlt_template",
                f"has {''.join(pair)} at character {at}: operators refuse two variables next to each "
                "other if one of them has a type; register the template with some text between them",
            )
    if unknown or body is None:
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
    """What some operators refuse in a template and its texts, and what portals may have changed."""
    for at, pair in _adjacent_variables(template):
        if pair == (VariableType.VAR, VariableType.VAR):
            yield (
                f"{key}.dlt_template: has {''.join(pair)} at character {at}: some operators refuse two "
                "variables next to each other; register the template with some text between them"
            )
    for what, pattern in _FRAGILE_WHITESPACE.items():
        places = [str(match.start() + 1) for match in pattern.finditer(template)]
        if places:
            yield (
                f"{key}.dlt_template: has {what} (character {', '.join(places)}): the portal may have "
                "changed this; compare it with the portal, or register the template without it"
            )
    for value in match_variables(parse_body(body)[0], template, field_examples(option)) or ():
        if value.check.questionable:
            yield (
                f"{key}.body: {_describe_value(value)}: some portals refuse "
                f"{_list_characters(value.check.questionable)} there, because they accept only letters, "
                "digits and blanks; ask your portal, or register that part as text"
            )
        if value.type is VariableType.CBN and value.names:
            yield (
                f"{key}.body: {_describe_value(value)}: operators accept only registered numbers, "
                f"and this number differs with each call; register {VariableType.ALPHANUMERIC} there"
            )


def _guess_type(placeholder: str) -> str | None:
    """The variable that was probably meant: `{#numeric#}` for `{#number#}`."""
    word = placeholder.strip("{#}").strip().casefold()
    begun = [known for known in _TYPE_BY_NAME if len(word) >= 3 and known.startswith(word)]
    name = next(iter(begun), None) or closest_match(word, _TYPE_BY_NAME)
    return _TYPE_BY_NAME[name] if name else None


def _adjacent_variables(template: str) -> Iterator[tuple[int, tuple[VariableType, VariableType]]]:
    """Pairs of variables with nothing between them, with the position of the first one."""
    wanted = parse_template(template)
    for (at, one), (_, other) in pairwise(wanted):
        if isinstance(one, VariableType) and isinstance(other, VariableType):
            yield at, (one, other)


def _describe_value(value: VariableValue) -> str:
    example = f" (such as {toml_repr(value.example)})" if value.names else ""
    place = f"for variable {value.number} of dlt_template, {value.type}"
    return f"has {toml_repr(value.text)}{example} at character {value.at} {place}"


def _list_characters(odd: str) -> str:
    return ", ".join(map(repr, odd))
