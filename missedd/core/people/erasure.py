"""Erasing a number: what stands in its place, why it may have to wait, and how it is found in free text.

A pseudonym is made of nothing but a count. All rows of one number bear the same, so that every figure
stays what it was; nothing leads from it back to the number.
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
"""Gives a text with the pseudonym wherever the number stood in it."""

_SEPARATORS = r"[ \t.()\u00a0-]{0,2}"
"""What people put between digits."""

_MIN_DISTINCT_DIGITS = 8
"""So many digits in a row are a number even within a longer run of them; fewer may be an amount."""


class ErasureCause(StrEnum):
    OPERATOR = "operator"
    RETENTION = "retention"


class ErasureRefusal(StrEnum):
    """Why a number is left as it is."""

    UNKNOWN = "unknown"
    """Nothing is kept of it that could be erased."""
    STILL_OWED = "still-owed"
    """An action for it is not done."""
    BEING_VERIFIED = "being-verified"
    """An application waits for its call."""
    POLL_OPEN = "poll-open"
    """It has voted in a poll that has yet to close, and could vote again."""
    ACTIVE_AGAIN = "heard-of"
    """Something was heard of it since the instant that was given."""


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """`suppressions` and `consents` are the records that keep the number."""

    pseudonym: str
    suppressions: int
    consents: int


def pseudonym(erasure_id: int) -> str:
    return f"{PSEUDONYM_PREFIX}{erasure_id}"


def is_erased(number: str) -> bool:
    """Whether this stands for a number that was erased."""
    return number.startswith(PSEUDONYM_PREFIX)


def lookup_key(text: str) -> str | None:
    """What a caller is looked up by: E.164 for a number in any spelling, a pseudonym as it stands."""
    return text if _PSEUDONYM.fullmatch(text) else normalise(text)


def number_redactor(number: str, replacement: str) -> Redact:
    """Finds a number, in E.164, in all of its spellings: with and without country code, 0 or blanks."""
    country, national = _split_country_code(number)
    spelt = _SEPARATORS.join(national)
    code = rf"(?:\+|%2[Bb]|00)?{country}{_SEPARATORS}" if country else r"\+?"
    prefix = rf"(?:{code})?(?:\(?0\)?{_SEPARATORS})?"
    is_telling = len(national) >= _MIN_DISTINCT_DIGITS
    found = re.compile(prefix + spelt if is_telling else rf"(?<!\d){prefix}{spelt}(?!\d)")
    return lambda text: found.sub(replacement, text)


def redact_json(value: Any, redact: Redact) -> Any:
    """A JSON value with the number removed from each of its texts."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {redact(key): redact_json(each, redact) for key, each in value.items()}
    if isinstance(value, list):
        return [redact_json(each, redact) for each in value]
    return value


def _split_country_code(number: str) -> tuple[str, str]:
    """The country code and the rest of the digits."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return "", re.sub(r"\D", "", number)
    return str(parsed.country_code), phonenumbers.national_significant_number(parsed)
