"""The variables of a registered template: where they stand, and what each may stand for by its type.

    registered:  Pay Rs {#numeric#} by {#alphanumeric#}: {#url#}
    text:        Pay Rs 500 by Monday: https://example.in/pay

India's mobile operators check each value by the type of its variable. `{#var#}` was the only variable before
2026 and still is on some portals; it accepts any short text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from missedd.core.sms.template import MAX_VARIABLE_LENGTH


class VariableType(StrEnum):
    """The type of a variable, as it stands in a template."""

    VAR = "{#var#}"
    NUMERIC = "{#numeric#}"
    ALPHANUMERIC = "{#alphanumeric#}"
    URL = "{#url#}"
    URLOTT = "{#urlott#}"
    CBN = "{#cbn#}"
    EMAIL = "{#email#}"


VAR: Final = VariableType.VAR

_PLACEHOLDER: Final = re.compile(r"\{#[^#{}]*#\}")
TEMPLATE_TOKEN: Final = re.compile("|".join(map(re.escape, VariableType)) + "|.", re.DOTALL)
TYPE_BY_TEXT: Final[Mapping[str, VariableType]] = {str(each): each for each in VariableType}


@dataclass(frozen=True, slots=True)
class VariableRule:
    """Which values a type accepts.

    `accepts` describes them, `pattern` is what operators demand, and `remedy` is what to do with a value that
    they would drop. `max_length` is in characters; None if no limit is known.
    """

    accepts: str
    pattern: re.Pattern[str]
    remedy: str
    max_length: int | None = None


# A host name: labels of letters, digits and hyphens in any script; the last label is not a number.
_LABEL = r"[^\s!-,./:-@\[-`{-~]+"
_HOST = rf"(?:{_LABEL}\.)+(?!\d){_LABEL}"
_ADDRESS = rf"(?:https?://)?{_HOST}(?::\d{{1,5}})?(?:[/?#]\S*)?"
_OTHER_TYPE: Final = "or register the type that fits the value"
_URL_REMEDY: Final = f"write an address such as https://example.in/x, {_OTHER_TYPE}"

VARIABLE_RULES: Final[Mapping[VariableType, VariableRule]] = {
    VariableType.VAR: VariableRule(
        f"one named value, or 1 to {MAX_VARIABLE_LENGTH} characters",
        re.compile(r"(?s:.+)"),
        "shorten it",
        MAX_VARIABLE_LENGTH,
    ),
    VariableType.NUMERIC: VariableRule(
        "digits only",
        re.compile(r"[0-9]+"),
        f"write digits, or register {VariableType.ALPHANUMERIC} there",
    ),
    VariableType.ALPHANUMERIC: VariableRule(
        "1 to 40 letters, digits and blanks",
        re.compile(r"(?s:.+)"),
        "shorten it, or register the part that never changes as text",
        40,
    ),
    VariableType.URL: VariableRule("a web address", re.compile(_ADDRESS, re.IGNORECASE), _URL_REMEDY),
    VariableType.URLOTT: VariableRule(
        "a web address or an app's link",
        re.compile(rf"{_ADDRESS}|[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE),
        _URL_REMEDY,
    ),
    VariableType.CBN: VariableRule(
        "a phone number",
        re.compile(r"\+?[0-9](?:[ -]?[0-9]){2,14}"),
        f"write a number such as 18001234567, {_OTHER_TYPE}",
    ),
    VariableType.EMAIL: VariableRule(
        "an e-mail address",
        re.compile(rf"[^\s@,;:<>()\[\]\"]+@{_HOST}"),
        f"write an address such as care@example.in, {_OTHER_TYPE}",
    ),
}


@dataclass(frozen=True, slots=True)
class ValueCheck:
    """The operators' view of a value: `error` says why all of them drop it, "" if they do not.

    `questionable` are the characters that some portals refuse and others accept.
    """

    error: str = ""
    questionable: str = ""


VALID: Final = ValueCheck()


def check_value(type_: VariableType, value: str) -> ValueCheck:
    """Whether a variable of this type may stand for the value."""
    rule = VARIABLE_RULES[type_]
    if rule.max_length is not None and len(value) > rule.max_length:
        return ValueCheck(error=f"is longer than the {rule.max_length} characters of a {type_}")
    if rule.pattern.fullmatch(value) is None:
        return ValueCheck(error=f"is not {rule.accepts}")
    if type_ is VariableType.ALPHANUMERIC and not value.replace(" ", "").isalnum():
        return ValueCheck(
            questionable="".join(dict.fromkeys(each for each in value if _is_questionable(each)))
        )
    return VALID


def _is_questionable(character: str) -> bool:
    """Neither letter, digit nor blank. The vowel signs of Indian scripts count as letters."""
    return not (character == " " or character.isalnum() or unicodedata.category(character) in ("Mn", "Mc"))


def combine_checks(checks: Iterable[ValueCheck]) -> ValueCheck:
    """The result for a value that may be any of several: the first error, else all questionable
    characters."""
    questionable = ""
    for check in checks:
        if check.error:
            return check
        questionable += check.questionable
    return ValueCheck(questionable="".join(dict.fromkeys(questionable)))


def unknown_placeholders(template: str) -> list[str]:
    """Parts of the template that look like a variable but are not a known one."""
    return [each for each in _PLACEHOLDER.findall(template) if each not in TYPE_BY_TEXT]


@lru_cache(maxsize=256)
def parse_template(template: str) -> tuple[tuple[int, str | VariableType], ...]:
    """The characters and variables of a template, each with its position from 1."""
    return tuple(
        (match.start() + 1, TYPE_BY_TEXT.get(match[0], match[0]))
        for match in TEMPLATE_TOKEN.finditer(template)
    )
