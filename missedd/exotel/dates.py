"""Exotel's formats of an instant, and the format of its queries.

    2022-02-23 12:31:58                 most fields: no zone, and it is India's time
    Wed, 23 Feb 2022 12:31:59           `Created` of a Passthru, likewise without a zone
    2026-09-28T14:31:08+05:30           newer products
    2026-09-28T14:31:08 05:30           the same, after form decoding replaced its raw `+`
    1970-01-01 05:30:00                 "not yet": the Unix epoch in India's time, which proves the zone
    0000-00-00 00:00:00                 "not yet", older

A time without a zone is +05:30, whatever the zone of the operator or of this machine, as it is the
provider's clock. An unreadable time is None, never an exception.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

IST = timezone(timedelta(hours=5, minutes=30), "IST")

EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
"""No call is older. An earlier instant is Exotel's way to say "none"."""

_CLOCK = r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
_ZONE = r"\s*(Z|GMT|UTC?|IST|[+\- ]\d{2}:?\d{2}|[+-]\d{2})?"
_ISO = re.compile(rf"(\d{{4}})-(\d{{2}})-(\d{{2}})(?:[T ]|\s+){_CLOCK}{_ZONE}", re.ASCII | re.IGNORECASE)
_MAIL = re.compile(
    rf"(?:[a-z]{{3,9}},?\s+)?(\d{{1,2}})[ -]([a-z]{{3}})[a-z]*[ -](\d{{4}})\s+{_CLOCK}{_ZONE}",
    re.ASCII | re.IGNORECASE,
)
_SECONDS = re.compile(r"(\d{9,10})(?:\.\d{1,9})?", re.ASCII)
_MILLISECONDS = re.compile(r"\d{12,13}", re.ASCII)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MAX_CHARS = 64


@lru_cache(maxsize=256)
def parse_instant(text: str | None) -> datetime | None:
    """Parse an instant; the result is aware and in UTC. None if unreadable, or before 2005.

    Results are cached, as in a burst thousands of calls have the same second.
    """
    if not text or len(text) > _MAX_CHARS:
        return None
    text = text.strip(" \t\r\n\"'")
    if len(text) == 19 and text[10] == " " and text[13] == text[16] == ":":
        # The usual format, parsed in C. If that fails, the slow way below may succeed.
        try:
            local = datetime.fromisoformat(text).replace(tzinfo=IST)
            return local.astimezone(UTC) if local >= EARLIEST else None
        except (ValueError, OverflowError):
            pass
    try:
        instant = _parse(text)
        in_utc = instant.astimezone(UTC) if instant is not None else None
    except (ValueError, OverflowError):
        return None  # the thirtieth of February, the year 0, an offset of 99 hours
    return in_utc if in_utc is not None and in_utc >= EARLIEST else None


def format_ist(instant: datetime) -> str:
    """An aware instant as `YYYY-MM-DD HH:mm:ss` in India's time, cut to the second, for queries."""
    return instant.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")


def _parse(text: str) -> datetime | None:
    if parts := _ISO.fullmatch(text):
        year, month, day = int(parts[1]), int(parts[2]), int(parts[3])
    elif parts := _MAIL.fullmatch(text):
        year, month, day = int(parts[3]), _month(parts[2]), int(parts[1])
    elif _SECONDS.fullmatch(text):
        return datetime.fromtimestamp(float(text), UTC)
    elif _MILLISECONDS.fullmatch(text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    else:
        return None
    hour, minute, second = int(parts[4]), int(parts[5]), int(parts[6] or 0)
    fraction_us = int((parts[7] or "0")[:6].ljust(6, "0"))
    zone = _zone(parts[8])
    return datetime(year, month, day, hour, minute, second, fraction_us, zone)


def _month(name: str) -> int:
    return _MONTHS.index(name.lower()) + 1


def _zone(spelt: str | None) -> timezone:
    if spelt is None or spelt.upper() == "IST":
        return IST
    if spelt[0] not in "+- ":
        return UTC
    # A space in place of the sign is a `+` that form decoding replaced.
    digits = spelt[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if spelt[0] == "-" else offset)
