"""What is stored about an action besides its outcome: who was called, how long they talked, what was sent.

    callback   agent +919800000001   first agent   talk_s 184   recording_url https://…   price 1.500
    callback   replaced_by 17
    sms        text "Thank you for calling."   units 1   price 0.180000

Each detail is a field of `BriefActionJson`, which describes it. Here is how `missedd why` and the console
show it, and whether erasing a number removes it. Details are stored as strings; an unknown detail is absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple

from missedd.core.sms.segments import count_segments

if TYPE_CHECKING:
    from missedd.core.api_types.actions import BriefActionJson


class ActionDetail(NamedTuple):
    """`label` is for people and `unit` follows the value."""

    name: str
    label: str
    unit: str = ""
    is_link: bool = False
    is_personal: bool = True
    """Whether erasing the number removes this detail."""


ACTION_DETAILS: Final = (
    ActionDetail("agent", "Agent"),
    ActionDetail("first", "Called first"),
    ActionDetail("caller_id", "Called from"),
    ActionDetail("talk_s", "Talk time", unit=" s"),
    ActionDetail("recording_url", "Recording", is_link=True),
    ActionDetail("price", "Price"),
    ActionDetail("text", "Text"),
    ActionDetail("replaced_by", "Replaced by", is_personal=False),
    ActionDetail("units", "Units"),
)

_WEB_LINK: Final = re.compile(r"https?://[!#-;=?-\[\]-~]{1,2000}", re.IGNORECASE)


class DisplayedDetail(NamedTuple):
    """A detail for people; `link` is the address that belongs to it."""

    label: str
    value: str
    link: str | None = None


def sms_details(text: str) -> dict[str, str]:
    """The details of an SMS that is sent."""
    return {"text": text, "units": str(count_segments(text).units)}


def merge_details(known: Mapping[str, str], reported: Mapping[str, str]) -> dict[str, str]:
    """The known details combined with newly reported ones, in any order of arrival.

    A report that lacks a known detail does not remove it. Of two talk times the longer one belongs to the
    whole call.
    """
    talk_s = max((each["talk_s"] for each in (known, reported) if "talk_s" in each), key=int, default=None)
    return {**known, **reported} | ({} if talk_s is None else {"talk_s": talk_s})


def displayed_details(action: BriefActionJson) -> Iterator[DisplayedDetail]:
    """The known details of an action, for people."""
    for detail in ACTION_DETAILS:
        value = getattr(action, detail.name)
        if value is not None:
            text = f"{value}{detail.unit}"
            yield DisplayedDetail(detail.label, text, text if detail.is_link and is_web_link(text) else None)


def is_web_link(text: str) -> bool:
    """Whether a text is an http or https address that may become a link."""
    return _WEB_LINK.fullmatch(text) is not None
