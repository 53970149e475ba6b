"""Erasing a number: its pseudonym, the reasons to refuse, and how the number is found in free text.

A pseudonym contains only a counter. All rows of one number get the same pseudonym, so every figure stays the
same, and nothing leads from the pseudonym back to the number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import phonenumbers

from missedd.core.phone import normalise

PSEUDONYM_PREFIX: Final = "erased:"

_PSEUDONYM: Final = re.compile(rf"{PSEUDONYM_PREFIX}[1-9][0-9]{{0,17}}")

type Redact = Callable[[str], str]
"""Returns a text in which the pseudonym replaces the number."""

_SEPARATORS = r"[ \t.()\u00a0-]{0,2}"
"""Characters that people write between digits."""

_MIN_DISTINCT_DIGITS = 8
"""This many digits identify a number even within a longer run of digits; fewer digits may be an amount."""


class ErasureCause(StrEnum):
    OPERATOR = "operator"
    RETENTION = "retention"


class ErasureRefusal(StrEnum):
    """Why a number is not erased."""

    UNKNOWN = "unknown"
    """The database holds nothing about it that could be erased."""
    STILL_OWED = "still-owed"
    """An action for it is not done."""
    BEING_VERIFIED = "being-verified"
    """An application waits for its call."""
    POLL_OPEN = "poll-open"
    """It has voted in a poll that is still open, and could vote again."""
    ACTIVE_AGAIN = "heard-of"
    """It was active after the time that was given."""


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """`suppressions` and `consents` are the numbers of records that keep the phone number."""

    pseudonym: str
    suppressions: int
    consents: int


def pseudonym(erasure_id: int) -> str:
    return f"{PSEUDONYM_PREFIX}{erasure_id}"


def is_erased(number: str) -> bool:
    """Whether this is the pseudonym of an erased number."""
    return number.startswith(PSEUDONYM_PREFIX)


def lookup_key(text: str) -> str | None:
    """What a caller is looked up by: E.164 for a number in any spelling, or a pseudonym as it is; else
    None."""
    return text if _PSEUDONYM.fullmatch(text) else normalise(text)


def number_redactor(number: str, replacement: str) -> Redact:
    """A function that finds a number (E.164) in all its spellings: with and without country code, 0 or
    blanks."""
    country, national = _split_country_code(number)
    spelt = _SEPARATORS.join(national)
    code = rf"(?:\+|%2[Bb]|00)?{country}{_SEPARATORS}" if country else r"\+?"
    prefix = rf"(?:{code})?(?:\(?0\)?{_SEPARATORS})?"
    is_distinct = len(national) >= _MIN_DISTINCT_DIGITS
    pattern = re.compile(prefix + spelt if is_distinct else rf"(?<!\d){prefix}{spelt}(?!\d)")
    return lambda text: pattern.sub(replacement, text)


def redact_json(value: Any, redact: Redact) -> Any:
    """A JSON value with the number replaced in all its strings."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): redact_json(each, redact) for key, each in value.items()}
    if isinstance(value, list):
        return [redact_json(each, redact) for each in value]
    return value


def _split_country_code(number: str) -> tuple[str, str]:
    """The country code and the other digits."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "", re.sub(r"\D", "", number)
    return str(parsed.country_code), phonenumbers.national_significant_number(parsed)
