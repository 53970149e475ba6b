"""Phone numbers: every spelling that arrives becomes E.164, or None.

Exotel writes the same person as `09876543210` (Passthru, SMS reports), `+919876543210` (the native webhook),
`9876543210` (`CallTo`), `919876543210`, `00…` for foreign numbers, and `sip:…`. A `+` that was not escaped
arrives as a space. Text copied from a chat or a spreadsheet may hold invisible characters, or digits of
another script or width.

Two numbers are the same caller exactly if `normalise` gives the same result. It never raises. Applied to its
own result it returns the same result.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import phonenumbers

_INDIAN_SPELLINGS = re.compile(r"(?:[+ ]?91|[+ ]?0091|[+ ]?0)?([2-9][0-9]{9}|11[2-9][0-9]{7})")
"""The usual Indian spellings: ten digits after a known prefix.

The length separates the prefixes: `9123456780` is a subscriber number, `919123456780` has a country code.
Among Indian numbers that can be dialled from outside, only Delhi's area code 11 starts with 1. The library
decides about the rest (1800…, 140…). A `+` that became a space is treated as a `+`.
"""

_NOISE = str.maketrans("", "", " \t\u00a0\u2007\u202f-\u2010\u2011\u2012\u2013\u2014().[]/")
_NUMBER = re.compile(r"\+?[0-9]{4,20}")
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
"""Invisible characters: chats, spreadsheets and web pages put them around copied text."""

_FULL_WIDTH = str.maketrans("＋－（）．／　", "+-()./ ")
"""Punctuation between full-width digits, as an East Asian keyboard writes it."""
_SIP_NAME_ADDR = re.compile(r".*?<\s*([^<>]*)>.*", re.DOTALL)
"""A SIP name-addr: `"A name" <sip:+919876543210@host>`."""

_AMBIGUOUS = re.compile(r"\+[6-9][0-9]{9}")
"""A plus and ten digits: a foreign number, or an Indian mobile number with an extra plus."""

_LONGEST = 128
"""Characters. A SIP address with its parameters is shorter; a longer text is not a number."""


def normalise(raw: str | None, region: str = "IN") -> str | None:
    """`raw` as E.164, or None if it is not a number (withheld, junk, too short, too long).

    `region` is the country (ISO 3166) of numbers without a country code. Only the shape of Indian numbers and
    the length of foreign numbers are checked, because numbering plans grow faster than the library is
    updated.
    """
    if not raw:
        return None
    # Exotel's own spellings come first and do not need the library, which costs 100 µs and more.
    if region == "IN" and (direct := _INDIAN_SPELLINGS.fullmatch(raw)):
        return "+91" + direct[1]
    if len(raw) > _LONGEST:
        return None
    return _by_library(raw, region)


def is_plausible(number: str) -> bool:
    """Whether the country of an E.164 number, as `normalise` returns it, has such numbers.

    Any ten digits that look Indian are accepted, as in `normalise`.
    """
    parsed = _parsed(number, "IN")
    is_usual = _INDIAN_SPELLINGS.fullmatch(number) is not None
    return is_usual or (parsed is not None and phonenumbers.is_valid_number(parsed))


PREFIX_WILDCARD: Final = "*"
"""The end of a prefix: `+232*` stands for every number that begins with +232."""

_PREFIX = re.compile(r"(?:\+|00)([1-9][0-9]{0,14})\*")


def parse_prefix(raw: str) -> str | None:
    """`raw` as an E.164 prefix with an asterisk, such as `+232*`; None if it is not one.

    The country code is required, because nothing else is unambiguous: `080*` is not accepted. Nor is `+*`,
    which would mean every number.
    """
    # As in numbers, a form parser turns the plus into a space.
    match = _PREFIX.fullmatch(re.sub(r"\A (?=\d)", "+", as_visible_ascii(raw)).translate(_NOISE))
    return None if match is None else f"+{match[1]}{PREFIX_WILDCARD}"


def numbers_with_prefix(prefix: str, numbers: Iterable[str]) -> list[str]:
    """Those of the numbers that begin with the prefix."""
    beginning = prefix.removesuffix(PREFIX_WILDCARD)
    return [each for each in numbers if each.startswith(beginning)]


def as_visible_ascii(raw: str) -> str:
    """`raw` as a reader sees it: without invisible characters, with digits and signs in ASCII."""
    if raw.isascii():
        return raw
    text = _INVISIBLE.sub("", raw).translate(_FULL_WIDTH)
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def mask(number: str | None) -> str:
    """Only the last four digits, as in `…3210`: logs and messages may show no more."""
    if number and len(number) > 4 and number[-5:].isdigit():
        return f"…{number[-4:]}"
    digits = [each for each in number or "" if each.isdigit()]
    # The last four digits of a very short number would be the whole number.
    return "…" + "".join(digits[-4:]) if len(digits) > 4 else "…"


@lru_cache(maxsize=4096)
def _by_library(raw: str, region: str) -> str | None:
    """The unusual spellings. The result is cached, because foreign callers call again too."""
    number, had_space = _strip_formatting(raw)
    if _NUMBER.fullmatch(number) is None:
        return None
    if had_space and not number.startswith(("+", "0")):
        # A form parser turns a raw `+` into a space. A space may also be there by accident, so the
        # number is read as a foreign number only if it is a valid one.
        foreign = _parsed("+" + number, region)
        if foreign is not None and phonenumbers.is_valid_number(foreign):
            return _round_trip_e164(foreign, region)
    if region == "IN" and (direct := _INDIAN_SPELLINGS.fullmatch(number)):
        return "+91" + direct[1]
    number = re.sub(r"\A\+?00", "+", number)
    parsed = _parsed(number, region)
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        return None
    # Without a country code almost any digits would be accepted. A plus and ten digits have two
    # readings, and only a valid foreign number is certain. A wrong guess would call a stranger.
    is_certain = number.startswith("+") and not _AMBIGUOUS.fullmatch(number)
    if not is_certain and not phonenumbers.is_valid_number(parsed):
        return None
    return _round_trip_e164(parsed, region)


def _strip_formatting(raw: str) -> tuple[str, bool]:
    """The digits of a spelling with their plus, and whether a space came before them."""
    text = as_visible_ascii(raw).strip("\"'\r\n")
    had_space = text.startswith(" ")
    text = text.strip().strip("\"'")
    if wrapped := _SIP_NAME_ADDR.fullmatch(text):
        text = wrapped[1]
    scheme, colon, rest = text.partition(":")
    if colon and scheme.strip().lower() in ("sip", "sips", "tel"):
        had_space = rest.startswith(" ")
        text = re.split(r"[@;?]", rest, maxsplit=1)[0]
    return text.translate(_NOISE), had_space


def _parsed(number: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None


def _round_trip_e164(parsed: phonenumbers.PhoneNumber, region: str) -> str | None:
    """E.164, if parsing it gives the same number again; else one caller would have two names."""
    spelt = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    again = _parsed(spelt, region)
    if again is None or phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) != spelt:
        return None
    if _AMBIGUOUS.fullmatch(spelt) and not phonenumbers.is_valid_number(again):
        return None
    return spelt
