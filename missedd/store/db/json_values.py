"""Instants, reasons and JSON as the API shows what columns hold."""

from __future__ import annotations

import json

from missedd.base.clock import from_us, to_iso
from missedd.core.reasons import describe_reason


def iso_from_us(microseconds: int | None) -> str | None:
    return None if microseconds is None else to_iso(from_us(microseconds))


def reason_words(reason: str | None) -> str | None:
    """See `describe_reason`; None stays None."""
    return None if reason is None else describe_reason(reason)


compact_json = json.JSONEncoder(separators=(",", ":")).encode
