"""What is stored about an action besides its outcome: who was called, how long they talked, what was sent.

    callback   agent +919800000001   first agent   talk_s 184   recording_url https://…   price 1.500
    callback   replaced_by 17
    sms        text "Thank you for calling."   units 1   price 0.180000

Each detail is described once, here. The API, its CSV and OpenAPI document, `missedd why` and the console use
this description, and erasing a number removes its personal details. Details are stored as strings; an unknown
detail is absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from missedd.core.sms.segments import count_segments


class ActionDetail(NamedTuple):
    """`label` is for people and `unit` follows the value; `description` is for the OpenAPI document."""

    name: str
    label: str
    description: str
    unit: str = ""
    is_count: bool = False
    is_link: bool = False
    values: tuple[str, ...] = ()
    """All possible values, if there are few."""
    is_personal: bool = True
    """Whether erasing the number removes this detail."""


ACTION_DETAILS: Final = (
    ActionDetail("agent", "Agent", "The agent whom the callback connects, E.164."),
    ActionDetail("first", "Called first", "Whose phone rang first.", values=("agent", "customer")),
    ActionDetail(
        "caller_id", "Called from", "The ExoPhone shown to the caller, if it is not the one they called."
    ),
    ActionDetail(
        "talk_s", "Talk time", "Seconds of conversation; with a flow, seconds of the call.", " s", True
    ),
    ActionDetail("recording_url", "Recording", "The provider's address of the recording.", is_link=True),
    ActionDetail("price", "Price", "What the provider charged, in the account's currency."),
    ActionDetail("text", "Text", "The text of the SMS as it was sent, or as the SMS applet fetched it."),
    ActionDetail(
        *("replaced_by", "Replaced by", "The callback for another call of this caller that remained."),
        is_count=True,
        is_personal=False,
    ),
    ActionDetail("units", "Units", "How many SMS the provider bills for the text.", is_count=True),
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


def details_json(details: Mapping[str, str]) -> dict[str, Any]:
    """All details by name as the API shows them; None if unknown."""
    return {
        each.name: int(details[each.name])
        if each.is_count and each.name in details
        else details.get(each.name)
        for each in ACTION_DETAILS
    }


def displayed_details(action: Mapping[str, Any]) -> Iterator[DisplayedDetail]:
    """The known details of an action, for people. `action` is as the API shows it."""
    for detail in ACTION_DETAILS:
        value = action.get(detail.name)
        if value is not None:
            text = f"{value}{detail.unit}"
            yield DisplayedDetail(detail.label, text, text if detail.is_link and is_web_link(text) else None)


def is_web_link(text: str) -> bool:
    """Whether a text is an http or https address that may become a link."""
    return _WEB_LINK.fullmatch(text) is not None
