"""How the API shows the values of columns: instants, reasons and JSON."""

from __future__ import annotations

from typing import Final

import msgspec

from missedd.base.clock import from_us, to_iso
from missedd.core.reasons import describe_reason


def iso_from_us(microseconds: int | None) -> str | None:
    """Microseconds since 1970 UTC as ISO 8601 in UTC, for example `2026-11-30T04:30:00Z`; None stays None."""
    return None if microseconds is None else to_iso(from_us(microseconds))


def reason_words(reason: str | None) -> str | None:
    """See `describe_reason`; None stays None."""
    return None if reason is None else describe_reason(reason)


_ENCODER: Final = msgspec.json.Encoder()


def compact_json(value: object) -> str:
    """JSON without blanks, eight times as fast as by `json`; texts stay UTF-8, without lone surrogates."""
    return _ENCODER.encode(value).decode()
