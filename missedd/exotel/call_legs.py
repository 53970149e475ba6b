"""The legs of a call: whether a person or a machine answered the phone, and whether they talked.

    # a status report    Legs[0][Status]=completed Legs[0][OnCallDuration]=21 Legs[0][AnsweredBy]=Human
    # Call Details       Details[Leg1Status]=completed Details[Legs][0][Leg][OnCallDuration]=21
    # a Passthru, whose legs are agents' only     Legs[0][OnCallDuration]=0 Legs[0][CauseCode]=RING_TIMEOUT

Leg 0 is the phone that rang first. If a leg was not tried, its status is `null`, empty or absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from missedd.exotel.webhook_fields import first_value, first_word

_SPELLINGS: Final = {"cancelled": "canceled", "noanswer": "no-answer", "inprogress": "in-progress", "na": ""}
_DURATION: Final = re.compile(r"[0-9.:]{1,20}")


@dataclass(frozen=True, slots=True)
class Leg:
    status: str
    """`completed`, `no-answer`, …; "" if the leg was not tried or the fields do not say."""
    has_talked: bool
    answered_by: str
    """`human`, `machine`, `notsure`; "" if the fields do not say."""

    @property
    def is_named(self) -> bool:
        return self.status != ""


def read_leg(fields: Mapping[str, str], index: int) -> Leg:
    """Read leg 0 or 1, in any of Exotel's spellings."""
    return Leg(
        status=first_status(
            fields,
            *_leg_keys(index, "Status"),
            f"Details[Leg{index + 1}Status]",
            f"Leg{index + 1}Status",
        ),
        has_talked=is_nonzero_duration(on_call_duration(fields, index)),
        answered_by=first_status(fields, *_leg_keys(index, "AnsweredBy")),
    )


def on_call_duration(fields: Mapping[str, str], index: int) -> str:
    """How long leg 0 or 1 was up, as Exotel wrote it (seconds or HH:MM:SS); "" if the fields do not say."""
    return first_value(fields, *_leg_keys(index, "OnCallDuration"))


def _leg_keys(index: int, name: str) -> Iterator[str]:
    for place in (f"Legs[{index}]", f"Legs[{index}][Leg]", f"Details[Legs][{index}][Leg]"):
        yield f"{place}[{name}]"


def conversation_duration(fields: Mapping[str, str]) -> str:
    """How long both parties talked, as Exotel wrote it (seconds or HH:MM:SS); "" if the fields do not say."""
    return first_value(fields, "ConversationDuration", "Details[ConversationDuration]")


def is_answered_by_machine(fields: Mapping[str, str], customer_leg: int) -> bool:
    """Whether a machine answered one of the phones, so that the customer spoke with nobody.

    The customer's leg decides first. If the leg says nothing, `AnsweredBy` of the whole call decides.
    """
    answered_by = read_leg(fields, customer_leg).answered_by or first_status(fields, "AnsweredBy")
    others = read_leg(fields, 1 - customer_leg).answered_by
    return answered_by.startswith("machine") or others.startswith("machine")


def is_nonzero_duration(text: str) -> bool:
    """Whether a duration is above zero: `12`, `0.5`, `00:00:12`. Text that is no duration is False."""
    return text.strip("0.:") != "" and _DURATION.fullmatch(text) is not None


def first_status(fields: Mapping[str, str], *names: str) -> str:
    """The first status among `names`, in one spelling: `cancelled` becomes `canceled`, `NA` becomes ""."""
    status = first_word(fields, *names)
    return _SPELLINGS.get(status, status)
