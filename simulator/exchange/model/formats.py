"""How the exchange spells numbers, times and Sids.

The daemon has its own reading of all this; the two must not share a line, or neither would
notice the other's mistake. Instants come in aware; on the wire they are IST without a zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from random import Random

from simulator.base.choices import Choice

IST = timezone(timedelta(hours=5, minutes=30), "IST")
EPOCH_TEXT = "1970-01-01 05:30:00"
"""The Unix epoch in IST: what Exotel writes where it has no end time yet."""

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
_SPACING = re.compile(r"[\s()-]")


class NumberFormat(Choice):
    """A form in which Exotel may write an Indian number."""

    E164 = "e164"
    """`+919876543210`"""
    ZERO = "zero"
    """`09876543210`, what a Passthru applet sends"""
    BARE = "bare"
    """`9876543210`, ten digits and no prefix"""


def parse_number(text: str) -> str | None:
    """The one spelling the truth is kept in, or None where this is no telephone number.

    A SIP address stays as it is: it may be dialled, and it has no other spelling.
    """
    if text.startswith("sip:"):
        return text
    number = _SPACING.sub("", text)
    if number.startswith("00"):
        number = "+" + number[2:]
    elif number.startswith("0") and len(number) == 11:
        number = "+91" + number[1:]
    elif len(number) == 10 and not number.startswith("+"):
        number = "+91" + number
    elif len(number) == 12 and number.startswith("91"):
        number = "+" + number
    return number if re.fullmatch(r"\+[1-9][0-9]{6,14}", number) else None


def format_number(number: str, number_format: NumberFormat) -> str:
    """Write an E.164 number the given way; foreign numbers get `00` where Indian ones get `0`."""
    if number_format is NumberFormat.E164 or not number.startswith("+"):
        return number
    if not number.startswith("+91"):
        return "00" + number[1:] if number_format is NumberFormat.ZERO else number[1:]
    return ("0" if number_format is NumberFormat.ZERO else "") + number[3:]


def format_ist(at: datetime) -> str:
    """`2026-11-23 19:30:00`: REST answers, status reports, most of Passthru."""
    return at.astimezone(IST).strftime("%Y-%m-%d %H:%M:%S")


def format_ist_rfc2822(at: datetime) -> str:
    """`Wed, 23 Feb 2022 12:31:59`: Passthru's `Created`. By hand, so that no locale leaks in."""
    local = at.astimezone(IST)
    return f"{_DAYS[local.weekday()]}, {local.day:02d} {_MONTHS[local.month - 1]} {local:%Y %H:%M:%S}"


def parse_ist(text: str) -> datetime:
    """The instant of `YYYY-MM-DD HH:MM:SS` in IST, aware UTC. Raises ValueError."""
    naive = datetime.strptime(text.strip(), "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 (zone on the next line)
    return naive.replace(tzinfo=IST).astimezone(UTC)


def new_sid(rng: Random, at: datetime) -> str:
    """32 characters of `[0-9a-z]`, of which the last four tell the day in IST.

    The tail (years since 2006, month and day in base 36) fits every dated sample there is, and
    takes Sids out of hexadecimal: whoever parses them as such is found out here.
    """
    local = at.astimezone(IST)
    tail = f"{(local.year - 2006) % 100:02d}{_BASE_36[local.month]}{_BASE_36[local.day]}"
    return f"{rng.getrandbits(112):028x}{tail}"


def recording_url(sid: str) -> str:
    """Where the recording of a call, or a voicemail, lies."""
    return f"https://recordings.exotel.com/exotelrecordings/{sid[:8]}/{sid}.mp3"
