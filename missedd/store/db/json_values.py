"""Instants, reasons and JSON as the API shows what columns hold."""

from __future__ import annotations

import json

from missedd.base.clock import from_us, to_iso
from missedd.core.reasons import words_of


def iso(microseconds: int | None) -> str | None:
    return None if microseconds is None else to_iso(from_us(microseconds))


def words(reason: str | None) -> str | None:
    """See `words_of`; None stays None."""
    return None if reason is None else words_of(reason)


compact = json.JSONEncoder(separators=(",", ":")).encode
