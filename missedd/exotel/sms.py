"""What a text costs and whether it can be sent: segments, as operators count and bill them.

One SMS carries 140 octets: 160 septets of the GSM alphabet (3GPP TS 23.038) or 70 UTF-16 code
units. A longer text is cut into parts that give up 6 octets each to the header that joins them
again, which leaves 153 and 67.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Sent behind an escape, so each counts two septets."""

MAX_BODY_CHARS = 2000
"""Exotel's limit on `Body` (its send-SMS reference)."""

_PLACEHOLDER = re.compile(r"\{#[^#]*#\}")


@dataclass(frozen=True, slots=True)
class Segments:
    """`encoding` is Exotel's word (`plain` or `unicode`), `units` the SMS billed.

    `length` counts septets of a plain text, UTF-16 code units of a unicode one.
    """

    encoding: str
    units: int
    length: int


def segments(text: str) -> Segments:
    """How `text` is encoded and how many SMS it makes; an empty text makes none."""
    is_plain = GSM_BASIC.issuperset(text) or (GSM_BASIC | GSM_EXTENSION).issuperset(text)
    if is_plain:
        widths = [2 if each in GSM_EXTENSION else 1 for each in text]
        return Segments("plain", _parts(widths, single=160, joined=153), sum(widths))
    widths = [2 if ord(each) > 0xFFFF else 1 for each in text]
    return Segments("unicode", _parts(widths, single=70, joined=67), sum(widths))


def _parts(widths: list[int], *, single: int, joined: int) -> int:
    """Parts needed when no character is cut in two: neither an escape nor a surrogate pair."""
    total = sum(widths)
    if total <= single:
        return 1 if total else 0
    parts, filled = 1, 0
    for width in widths:
        if filled + width > joined:
            parts, filled = parts + 1, 0
        filled += width
    return parts


def check_body(text: str) -> tuple[str, ...]:
    """Everything that would keep `text` from being sent, each as a sentence; empty if nothing does."""
    problems = []
    if not text.strip():
        problems.append("the text is empty")
    if len(text) > MAX_BODY_CHARS:
        problems.append(f"the text has {len(text)} characters; Exotel takes {MAX_BODY_CHARS} at most")
    if _PLACEHOLDER.search(text):
        problems.append("the text still holds a placeholder of its DLT template; write the value instead")
    if any(0xD800 <= ord(each) <= 0xDFFF for each in text):
        problems.append("the text holds half a character (a lone surrogate)")
    return tuple(problems)
