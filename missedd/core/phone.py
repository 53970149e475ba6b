"""One caller, one number: every spelling that arrives becomes E.164, or None.

Exotel spells the same person as `09876543210` (Passthru, SMS reports), `+919876543210` (the
native webhook), `9876543210` (`CallTo`), `919876543210`, `00…` for foreign numbers and `sip:…`;
a `+` that nobody escaped arrives as a space. What is copied from a chat or a spreadsheet brings characters
along that show nothing, or digits of another script or width. Two numbers are the same caller exactly if
`normalise` says so. It never raises, and applied to its own result it changes nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import phonenumbers

_INDIAN_SPELLINGS = re.compile(r"(?:[+ ]?91|[+ ]?0091|[+ ]?0)?([2-9][0-9]{9}|11[2-9][0-9]{7})")
"""The handful of Indian spellings, each ten digits behind a known prefix.

The lengths keep the prefixes apart: `9123456780` is a subscriber, `919123456780` has a country
code. Nothing Indian that is dialled from outside starts with 1 but Delhi's area code 11; the
rest (1800…, 140…) is left to the library. A `+` that became a space is as good as a `+` here.
"""

_NOISE = str.maketrans("", "", " \t\u00a0\u2007\u202f-\u2010\u2011\u2012\u2013\u2014().[]/")
_NUMBER = re.compile(r"\+?[0-9]{4,20}")
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff\U000e0100-\U000e01ef]"
)
"""Characters that show nothing: a chat, a spreadsheet or a web page puts them around what is copied."""

_FULL_WIDTH = str.maketrans("＋－（）．／　", "+-()./ ")
"""What stands between digits of the full width, as an East Asian keyboard writes them."""
_SIP_NAME_ADDR = re.compile(r".*?<\s*([^<>]*)>.*", re.DOTALL)
"""A name-addr as SIP writes it: `"A name" <sip:+919876543210@host>`."""

_AMBIGUOUS = re.compile(r"\+[6-9][0-9]{9}")
"""A plus and ten digits: a foreign number, or an Indian mobile with a stray plus."""

_LONGEST = 128
"""Characters. A SIP address with its parameters stays below; what is longer is no number."""


def normalise(raw: str | None, region: str = "IN") -> str | None:
    """`raw` as E.164, or None if it names no number (withheld, junk, too short, too long).

    `region` is the country of numbers without a country code. Indian spellings are only checked
    for their shape, since numbering plans grow faster than a library is updated; so are foreign
    ones, for their length.
    """
    if not raw:
        return None
    # Exotel's own spellings come first and without the library, which costs 100 µs and more.
    if region == "IN" and (direct := _INDIAN_SPELLINGS.fullmatch(raw)):
        return "+91" + direct[1]
    if len(raw) > _LONGEST:
        return None
    return _by_library(raw, region)


def is_plausible(number: str) -> bool:
    """Whether an E.164 number, which `normalise` takes as it stands, is also one that its country has.

    The ten digits of an Indian number are believed as they are, as there.
    """
    parsed = _parsed(number, "IN")
    is_usual = _INDIAN_SPELLINGS.fullmatch(number) is not None
    return is_usual or (parsed is not None and phonenumbers.is_valid_number(parsed))


PREFIX_WILDCARD: Final = "*"
"""What a prefix ends in: `+232*` is every number that begins with +232."""

_PREFIX = re.compile(r"(?:\+|00)([1-9][0-9]{0,14})\*")


def parse_prefix(raw: str) -> str | None:
    """`raw` as the beginning of numbers in E.164 with an asterisk, as in `+232*`; None if it is none.

    It says its country code, as nothing else is certain: `080*` is none, and neither is `+*`, everybody.
    """
    # As in numbers, a space in front is what a form parser makes of the plus.
    found = _PREFIX.fullmatch(re.sub(r"\A (?=\d)", "+", as_visible_ascii(raw)).translate(_NOISE))
    return None if found is None else f"+{found[1]}{PREFIX_WILDCARD}"


def numbers_with_prefix(prefix: str, numbers: Iterable[str]) -> list[str]:
    """Those of the numbers that begin as the prefix says."""
    beginning = prefix.removesuffix(PREFIX_WILDCARD)
    return [each for each in numbers if each.startswith(beginning)]


def as_visible_ascii(raw: str) -> str:
    """`raw` as a reader sees it: without the characters that show nothing, its digits and signs in ASCII."""
    if raw.isascii():
        return raw
    text = _INVISIBLE.sub("", raw).translate(_FULL_WIDTH)
    return "".join(str(unicodedata.decimal(character, character)) for character in text)


def mask(number: str | None) -> str:
    """Only the last four digits, as in `…3210`: what logs and messages may show."""
    digits = [each for each in number or "" if each.isdigit()]
    # Of a very short number the last four digits would be the whole.
    return "…" + "".join(digits[-4:]) if len(digits) > 4 else "…"


@lru_cache(maxsize=4096)
def _by_library(raw: str, region: str) -> str | None:
    """The unusual spellings. Cached: a foreign caller rings again like anybody else."""
    number, had_space = _strip_formatting(raw)
    if _NUMBER.fullmatch(number) is None:
        return None
    if had_space and not number.startswith(("+", "0")):
        # A space in front is what a form parser makes of a raw `+`. It may also be mere
        # untidiness, so a reading as a foreign number has to be valid to be believed.
        foreign = _parsed("+" + number, region)
        if foreign is not None and phonenumbers.is_valid_number(foreign):
            return _round_trip_e164(foreign, region)
    if region == "IN" and (direct := _INDIAN_SPELLINGS.fullmatch(number)):
        return "+91" + direct[1]
    number = re.sub(r"\A\+?00", "+", number)
    parsed = _parsed(number, region)
    if parsed is None or not phonenumbers.is_possible_number(parsed):
        return None
    # Without a country code almost any digits would do; and of the two readings of a plus and
    # ten digits only a valid foreign number is certain. A wrong guess rings a stranger.
    is_certain = number.startswith("+") and not _AMBIGUOUS.fullmatch(number)
    if not is_certain and not phonenumbers.is_valid_number(parsed):
        return None
    return _round_trip_e164(parsed, region)


def _strip_formatting(raw: str) -> tuple[str, bool]:
    """The digits of a spelling with their plus, and whether a space stood in front of them."""
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
    """E.164, if it reads back as itself: else one caller would have two names."""
    spelt = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    again = _parsed(spelt, region)
    if again is None or phonenumbers.format_number(again, phonenumbers.PhoneNumberFormat.E164) != spelt:
        return None
    if _AMBIGUOUS.fullmatch(spelt) and not phonenumbers.is_valid_number(again):
        return None
    return spelt
