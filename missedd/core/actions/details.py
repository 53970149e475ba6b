"""What is kept of an action beside how it ended: who was rung, how long they talked, what was sent.

    callback   agent +919800000001   first agent   talk_s 184   recording_url https://…   price 1.500
    callback   replaced_by 17
    sms        text "Thank you for calling."   units 1   price 0.180000

Each is described once, here: the API, its CSV and OpenAPI document, `missedd why` and the console show
them by this description, and an erased number's action keeps none that is personal. They are kept as
texts; what was never told is absent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from missedd.core.sms.segments import count_segments


class ActionDetail(NamedTuple):
    """`label` is for people, with the `unit` behind the value; `description` is for the API's document."""

    name: str
    label: str
    description: str
    unit: str = ""
    is_count: bool = False
    is_link: bool = False
    values: tuple[str, ...] = ()
    """All that it may be, where these are few."""
    is_personal: bool = True
    """Whether it goes with the number that is erased."""


ACTION_DETAILS: Final = (
    ActionDetail("agent", "Agent", "The agent whom the callback connects, E.164."),
    ActionDetail("first", "Rung first", "Whose phone was rung first.", values=("agent", "customer")),
    ActionDetail(
        "caller_id", "Called from", "The ExoPhone that was shown, where it is another than was rung."
    ),
    ActionDetail(
        "talk_s", "Talk time", "Seconds in which they talked; with a flow, of the call.", " s", True
    ),
    ActionDetail("recording_url", "Recording", "The provider's address of the recording.", is_link=True),
    ActionDetail("price", "Price", "What the provider charged, in the account's currency."),
    ActionDetail("text", "Text", "The SMS as it was sent, or given to the SMS applet."),
    ActionDetail(
        *("replaced_by", "Replaced by", "The callback for another call of the caller's, which remained."),
        is_count=True,
        is_personal=False,
    ),
    ActionDetail("units", "Units", "How many SMS the text makes, as the provider bills it.", is_count=True),
)

_WEB_LINK: Final = re.compile(r"https?://[!#-;=?-\[\]-~]{1,2000}", re.IGNORECASE)


class DisplayedDetail(NamedTuple):
    """A fact as people read it; `link` is where to go for it."""

    label: str
    value: str
    link: str | None = None


def sms_details(text: str) -> dict[str, str]:
    """The facts of an SMS that goes out."""
    return {"text": text, "units": str(count_segments(text).units)}


def merge_details(known: Mapping[str, str], reported: Mapping[str, str]) -> dict[str, str]:
    """What is known once this was told too, in whatever order news comes.

    Nothing that is known is lost to a later report that lacks it. Of two talk times the longer one is
    that of the whole call.
    """
    talked = max((each["talk_s"] for each in (known, reported) if "talk_s" in each), key=int, default=None)
    return {**known, **reported} | ({} if talked is None else {"talk_s": talked})


def details_json(details: Mapping[str, str]) -> dict[str, Any]:
    """All facts by name as the API shows them, None where they are not known."""
    return {
        each.name: int(details[each.name])
        if each.is_count and each.name in details
        else details.get(each.name)
        for each in ACTION_DETAILS
    }


def displayed_details(action: Mapping[str, Any]) -> Iterator[DisplayedDetail]:
    """The facts that are known of an action, which the API shows so, for people."""
    for fact in ACTION_DETAILS:
        value = action.get(fact.name)
        if value is not None:
            spelt = f"{value}{fact.unit}"
            yield DisplayedDetail(fact.label, spelt, spelt if fact.is_link and is_web_link(spelt) else None)


def is_web_link(text: str) -> bool:
    """Whether a text is an address that a browser may be led to."""
    return _WEB_LINK.fullmatch(text) is not None
