"""What the business says its callers became, and which call it is put down to.

A conversion is known by its reference: the same one again is the same conversion, whatever else is
said with it. It belongs to the campaign that the person rang: the one that is named, or the one of
the call that is named, or else the one that they rang last before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

DATE_ONLY_TOLERANCE: Final = timedelta(days=1)
"""How much later than a conversion the call may be: who says no more than its date says midnight."""

MAX_BATCH_SIZE: Final = 500
MAX_REFERENCE_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class ConversionInput:
    """One conversion as it was said: of a number (E.164) or of a call, and what else is known of it."""

    reference: str
    number: str | None = None
    call_sid: str | None = None
    campaign: str | None = None
    at: datetime | None = None
    """Now, if it was not said."""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class CallCandidate:
    """A missed call that a conversion may be put down to."""

    call_id: int
    call_sid: str
    campaign: str
    number: str
    called_at: datetime
    lead_id: int | None


@dataclass(frozen=True, slots=True)
class StoredConversion:
    """The conversion of a reference, as the API shows it.

    `conflicting_fields` names what was said otherwise this time; a repetition changes nothing.
    """

    conversion: Mapping[str, Any]
    is_repeated: bool
    conflicting_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownCaller:
    """Nobody to put the conversion down to: `field` is what was said of them, `message` is for people."""

    field: str
    message: str


type ConversionResult = StoredConversion | UnknownCaller


def attribute_conversion(
    candidates: Iterable[CallCandidate], conversion: ConversionInput, at: datetime
) -> CallCandidate | UnknownCaller:
    """The one of a person's calls that led to a conversion at `at`, or what does not fit.

    Calls that made a lead come first; of these the latest before it, and if all came after it (as
    when it is dated by the day) the latest of all. Nothing is put down to a call of a later day, unless
    that very call is named.
    """
    calls = list(candidates)
    if conversion.call_sid is not None:
        calls = [each for each in calls if each.call_sid == conversion.call_sid]
        if not calls:
            return UnknownCaller("call_sid", "no missed call to a campaign has this CallSid and a number")
        if conversion.number is not None and calls[0].number != conversion.number:
            return UnknownCaller("number", "is not the number of this call")
    elif not calls:
        return UnknownCaller("number", "has never rung a campaign")
    else:
        calls = [each for each in calls if each.called_at < at + DATE_ONLY_TOLERANCE]
        if not calls:
            return UnknownCaller("at", "lies before the number first rang a campaign")
    if conversion.campaign is not None:
        calls = [each for each in calls if each.campaign == conversion.campaign]
        if not calls:
            rang = (
                "this call was to another campaign" if conversion.call_sid else "the number has never rung it"
            )
            return UnknownCaller("campaign", rang)
    return max(
        calls, key=lambda each: (each.lead_id is not None, each.called_at <= at, each.called_at, each.call_id)
    )


def conflicting_fields(conversion: ConversionInput, stored: ConversionInput) -> tuple[str, ...]:
    """What a repetition says otherwise than the first saying; what it leaves out is no contradiction."""
    names = ("number", "call_sid", "campaign", "at", "value")
    return tuple(name for name in names if getattr(conversion, name) not in (None, getattr(stored, name)))
