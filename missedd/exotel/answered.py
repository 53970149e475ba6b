"""When the customer answered, as far as Exotel's reports and records tell it.

    # the end of a call between two numbers, and its record a few minutes later
    EndTime=2026-09-28 23:58:45 Legs[1][OnCallDuration]=8             answered 23:58:37
    EndTime=2026-09-28 23:58:45 Details[Legs][1][Leg][OnCallDuration]=8
    # while they talk
    EventType=answered DateUpdated=2026-09-28 23:58:38 Legs[1][Status]=in-progress

To the second, by Exotel's clock. Of a flow the usual report has four fields and none of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from missedd.exotel.dates import read_instant
from missedd.exotel.fields import value, word

LONGEST_S: Final = 24 * 3_600
"""No call is longer; a larger number is none of seconds."""

_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def answered_at(fields: Mapping[str, str], customer_leg: int | None) -> datetime | None:
    """The instant of the answer by the customer, whose leg it is (None: a flow's only one); None if untold.

    That there was an answer at all is not asked here.
    """
    leg = customer_leg or 0
    if word(fields, "EventType") == "answered":
        is_theirs = word(fields, f"Legs[{leg}][Status]") == "in-progress"
        return read_instant(value(fields, "DateUpdated")) if is_theirs else None
    ended_at = read_instant(value(fields, "EndTime"))
    talked = value(fields, f"Legs[{leg}][OnCallDuration]", f"Details[Legs][{leg}][Leg][OnCallDuration]")
    if ended_at is None or _SECONDS.fullmatch(talked) is None or int(talked) > LONGEST_S:
        return None
    return ended_at - timedelta(seconds=int(talked))
