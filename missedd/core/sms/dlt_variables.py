"""What a variable of a registered template may stand for, by its type.

    registered:  Pay Rs {#numeric#} by {#alphanumeric#}: {#url#}
    text:        Pay Rs 500 by Monday: https://example.in/pay

India's operators judge each value by the type of its variable; `{#var#}`, the only one before 2026
and still the one of some portals, takes anything that is short enough.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from missedd.core.sms.template import LONGEST_VALUE


class Kind(StrEnum):
    """The type of a variable, as it is written in a template."""

    VAR = "{#var#}"
    NUMERIC = "{#numeric#}"
    ALPHANUMERIC = "{#alphanumeric#}"
    URL = "{#url#}"
    URLOTT = "{#urlott#}"
    CBN = "{#cbn#}"
    EMAIL = "{#email#}"


@dataclass(frozen=True, slots=True)
class Rule:
    """What values of a type are like.

    `takes` says it in words, `shape` is what operators demand, and the remedy is what to do with a
    value that they would drop. `longest` is in characters; None where no limit is known.
    """

    takes: str
    shape: re.Pattern[str]
    remedy: str
    longest: int | None = None


# A name of a host: labels of letters, digits and hyphens in any script, the last of them no number.
_LABEL = r"[^\s!-,./:-@\[-`{-~]+"
_HOST = rf"(?:{_LABEL}\.)+(?!\d){_LABEL}"
_ADDRESS = rf"(?:https?://)?{_HOST}(?::\d{{1,5}})?(?:[/?#]\S*)?"
_OTHER_TYPE: Final = "or have the type registered that fits it"
_URL_REMEDY: Final = f"write an address such as https://example.in/x, {_OTHER_TYPE}"

RULES: Final[Mapping[Kind, Rule]] = {
    Kind.VAR: Rule(
        f"one named value, or 1 to {LONGEST_VALUE} characters",
        re.compile(r"(?s:.+)"),
        "shorten it",
        LONGEST_VALUE,
    ),
    Kind.NUMERIC: Rule(
        "digits only",
        re.compile(r"[0-9]+"),
        f"say it in digits, or have {Kind.ALPHANUMERIC} registered there",
    ),
    Kind.ALPHANUMERIC: Rule(
        "1 to 40 letters, digits and blanks",
        re.compile(r"(?s:.+)"),
        "shorten it, or have what never changes in it registered as text",
        40,
    ),
    Kind.URL: Rule("a web address", re.compile(_ADDRESS, re.IGNORECASE), _URL_REMEDY),
    Kind.URLOTT: Rule(
        "a web address or an app's link",
        re.compile(rf"{_ADDRESS}|[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE),
        _URL_REMEDY,
    ),
    Kind.CBN: Rule(
        "a phone number",
        re.compile(r"\+?[0-9](?:[ -]?[0-9]){2,14}"),
        f"write a number such as 18001234567, {_OTHER_TYPE}",
    ),
    Kind.EMAIL: Rule(
        "an e-mail address",
        re.compile(rf"[^\s@,;:<>()\[\]\"]+@{_HOST}"),
        f"write an address such as care@example.in, {_OTHER_TYPE}",
    ),
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the operators make of a value: `wrong` says why all of them drop it, "" if they don't.

    `odd` are the characters for which some portals refuse it and others do not.
    """

    wrong: str = ""
    odd: str = ""


RIGHT: Final = Judgement()


def judge(kind: Kind, value: str) -> Judgement:
    """Whether a variable of this type may stand for the value."""
    rule = RULES[kind]
    if rule.longest is not None and len(value) > rule.longest:
        return Judgement(wrong=f"is longer than the {rule.longest} characters of a {kind}")
    if rule.shape.fullmatch(value) is None:
        return Judgement(wrong=f"is not {rule.takes}")
    if kind is Kind.ALPHANUMERIC and not value.replace(" ", "").isalnum():
        return Judgement(odd="".join(dict.fromkeys(each for each in value if _is_odd(each))))
    return RIGHT


def _is_odd(character: str) -> bool:
    """Neither letter, digit nor blank. The vowel signs of Indian scripts are of their letters."""
    return not (character == " " or character.isalnum() or unicodedata.category(character) in ("Mn", "Mc"))


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """What holds of a value that may be any of several."""
    odd = ""
    for judgement in judgements:
        if judgement.wrong:
            return judgement
        odd += judgement.odd
    return Judgement(odd="".join(dict.fromkeys(odd)))
