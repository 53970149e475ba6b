"""The cost of a text: segments, as mobile operators count and bill them.

One SMS carries 140 octets: 160 characters of the GSM alphabet (7 bits each, 3GPP TS 23.038) or 70 UTF-16 code
units. A longer text is split. Each part loses 6 octets to a header that joins the parts, which leaves 153 and
67. One character outside the alphabet makes the whole text unicode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""Sent after an escape character, so each of them counts twice."""

_GSM: Final = GSM_BASIC | GSM_EXTENSION


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """`encoding` is Exotel's word (`plain` or `unicode`), `units` the number of SMS billed.

    `length` counts septets of a plain text, and UTF-16 code units of a unicode text.
    """

    encoding: str
    units: int
    length: int


def count_segments(text: str) -> SegmentCount:
    """The encoding of `text` and the number of SMS it needs; an empty text needs none."""
    if GSM_BASIC.issuperset(text) or _GSM.issuperset(text):
        widths = [2 if each in GSM_EXTENSION else 1 for each in text]
        return SegmentCount("plain", _count_parts(widths, single=160, joined=153), sum(widths))
    widths = [2 if ord(each) > 0xFFFF else 1 for each in text]
    return SegmentCount("unicode", _count_parts(widths, single=70, joined=67), sum(widths))


def is_gsm_text(text: str) -> bool:
    """Whether every character of `text` is in the GSM alphabet."""
    return _GSM.issuperset(text)


def costliest_character(text: str) -> str:
    """The character of `text` that costs most: one outside the GSM alphabet before any other."""
    return max(text, key=lambda each: (each not in _GSM, ord(each) > 0xFFFF, each in GSM_EXTENSION))


def _count_parts(widths: list[int], *, single: int, joined: int) -> int:
    """The parts needed if no character is split: neither an escape sequence nor a surrogate pair."""
    total = sum(widths)
    if total <= single:
        return 1 if total else 0
    parts, filled = 1, 0
    for width in widths:
        if filled + width > joined:
            parts, filled = parts + 1, 0
        filled += width
    return parts
