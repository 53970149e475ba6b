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

DATED_BY_DAY: Final = timedelta(days=1)
"""How much later than a conversion the call may be: who says no more than its date says midnight."""

LARGEST_BATCH: Final = 500
LONGEST_REFERENCE: Final = 200


@dataclass(frozen=True, slots=True)
class SaidConversion:
    """One conversion as it was said: of a number (E.164) or of a call, and what else is known of it."""

    reference: str
    number: str | None = None
    call_sid: str | None = None
    campaign: str | None = None
    at: datetime | None = None
    """Now, if it was not said."""
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Rung:
    """A missed call that a conversion may be put down to."""

    call_id: int
    call_sid: str
    campaign: str
    number: str
    called_at: datetime
    lead_id: int | None


@dataclass(frozen=True, slots=True)
class KeptConversion:
    """The conversion of a reference, as the API shows it.

    `differs` names what was said otherwise this time; a repetition changes nothing.
    """

    conversion: Mapping[str, Any]
    is_repeated: bool
    differs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnknownCaller:
    """Nobody to put the conversion down to: `field` is what was said of them, `why` is for people."""

    field: str
    why: str


type Answer = KeptConversion | UnknownCaller


def attributed(rung: Iterable[Rung], said: SaidConversion, at: datetime) -> Rung | UnknownCaller:
    """The one of a person's calls that led to a conversion at `at`, or what does not fit.

    Calls that made a lead come first; of these the latest before it, and if all came after it (as
    when it is dated by the day) the latest of all. Nothing is put down to a call of a later day, unless
    that very call is named.
    """
    calls = list(rung)
    if said.call_sid is not None:
        calls = [each for each in calls if each.call_sid == said.call_sid]
        if not calls:
            return UnknownCaller("call_sid", "no missed call to a campaign has this CallSid and a number")
        if said.number is not None and calls[0].number != said.number:
            return UnknownCaller("number", "is not the number of this call")
    elif not calls:
        return UnknownCaller("number", "has never rung a campaign")
    else:
        calls = [each for each in calls if each.called_at < at + DATED_BY_DAY]
        if not calls:
            return UnknownCaller("at", "lies before the number first rang a campaign")
    if said.campaign is not None:
        calls = [each for each in calls if each.campaign == said.campaign]
        if not calls:
            rang = "this call was to another campaign" if said.call_sid else "the number has never rung it"
            return UnknownCaller("campaign", rang)
    return max(
        calls, key=lambda each: (each.lead_id is not None, each.called_at <= at, each.called_at, each.call_id)
    )


def differences(said: SaidConversion, kept: SaidConversion) -> tuple[str, ...]:
    """What a repetition says otherwise than the first saying; what it leaves out is no contradiction."""
    names = ("number", "call_sid", "campaign", "at", "value")
    return tuple(name for name in names if getattr(said, name) not in (None, getattr(kept, name)))
