"""Conversions: what the business reports about its callers, and the call to which each is attributed.

A conversion is identified by its reference: the same reference again is the same conversion, whatever else is
sent with it. It belongs to a campaign that the person called: the campaign that is named, else the campaign
of the call that is named, else the campaign that the person called last before the conversion.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from missedd.core.api_types.conversions import ConversionJson

DATE_ONLY_TOLERANCE: Final = timedelta(days=1)
"""How much later than the conversion its call may be: a date without a time means midnight."""

MAX_BATCH_SIZE: Final = 500
MAX_REFERENCE_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class ConversionInput:
    """One conversion as it was reported: for a number (E.164) or for a call, with optional details."""

    reference: str
    number: str | None = None
    call_sid: str | None = None
    campaign: str | None = None
    at: datetime | None = None
    """Aware; None if it was not reported, which means now."""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class CallCandidate:
    """A missed call to which a conversion may be attributed. Numbers are E.164, times UTC."""

    call_id: int
    call_sid: str
    campaign: str
    number: str
    called_at: datetime
    lead_id: int | None


@dataclass(frozen=True, slots=True)
class StoredConversion:
    """The conversion of a reference, as the API shows it.

    `conflicting_fields` names the fields that differ this time; a repetition changes nothing.
    """

    conversion: ConversionJson
    is_repeated: bool
    conflicting_fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownCaller:
    """No call fits the conversion: `field` is the field at fault, `message` is for people."""

    field: str
    message: str


type ConversionResult = StoredConversion | UnknownCaller


def attribute_conversion(
    candidates: Iterable[CallCandidate], conversion: ConversionInput, at: datetime
) -> CallCandidate | UnknownCaller:
    """The call that led to a conversion at `at`, or the field that does not fit.

    Calls with a lead come first, then calls before the conversion, then the latest call. A conversion is
    never attributed to a call of a later day, unless that call is named.
    """
    calls = list(candidates)
    if conversion.call_sid is not None:
        calls = [each for each in calls if each.call_sid == conversion.call_sid]
        if not calls:
            return UnknownCaller("call_sid", "no missed call to a campaign has this CallSid and a number")
        if conversion.number is not None and calls[0].number != conversion.number:
            return UnknownCaller("number", "is not the number of this call")
    elif not calls:
        return UnknownCaller("number", "has never called a campaign")
    else:
        calls = [each for each in calls if each.called_at < at + DATE_ONLY_TOLERANCE]
        if not calls:
            return UnknownCaller("at", "is before the number's first call to a campaign")
    if conversion.campaign is not None:
        calls = [each for each in calls if each.campaign == conversion.campaign]
        if not calls:
            message = (
                "this call was to another campaign"
                if conversion.call_sid
                else "the number has never called this campaign"
            )
            return UnknownCaller("campaign", message)
    return max(
        calls, key=lambda each: (each.lead_id is not None, each.called_at <= at, each.called_at, each.call_id)
    )


def conflicting_fields(conversion: ConversionInput, stored: ConversionInput) -> tuple[str, ...]:
    """The fields in which a repetition differs from the stored conversion; absent fields do not count."""
    names = ("number", "call_sid", "campaign", "at", "value")
    return tuple(name for name in names if getattr(conversion, name) not in (None, getattr(stored, name)))
