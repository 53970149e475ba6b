"""When the customer answered and when the call ended, if Exotel's reports and records say so.

    # the end of a call between two numbers, and its record a few minutes later
    EndTime=2026-09-28 23:58:45 Legs[1][OnCallDuration]=8             answered 23:58:37
    EndTime=2026-09-28 23:58:45 Details[Legs][1][Leg][OnCallDuration]=8
    # while they talk
    EventType=answered DateUpdated=2026-09-28 23:58:38 Legs[1][Status]=in-progress

Times are exact to the second, by Exotel's clock. A flow's usual report has four fields and none of these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from missedd.exotel.call_legs import is_answered_by_machine
from missedd.exotel.callback_outcome import CUSTOMER_LEG
from missedd.exotel.dates import parse_instant
from missedd.exotel.webhook_fields import first_value, first_word

LONGEST_CALL_S: Final = 24 * 3_600
"""No call is longer. A larger number is not a duration in seconds."""

_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def answered_at(fields: Mapping[str, str], first_party: str | None) -> datetime | None:
    """When the customer answered, in UTC; None if the fields do not say so, or if a machine answered.

    `first_party` is whose phone rang first, `agent` or `customer`; None for a flow. Call this only for a
    call that was answered.
    """
    leg = CUSTOMER_LEG.get(first_party or "", 0)
    if is_answered_by_machine(fields, leg):
        return None
    if first_word(fields, "EventType") == "answered":
        is_theirs = first_word(fields, f"Legs[{leg}][Status]") == "in-progress"
        return parse_instant(first_value(fields, "DateUpdated")) if is_theirs else None
    ended_at = parse_instant(first_value(fields, "EndTime"))
    talked = first_value(fields, f"Legs[{leg}][OnCallDuration]", f"Details[Legs][{leg}][Leg][OnCallDuration]")
    if ended_at is None or _SECONDS.fullmatch(talked) is None or int(talked) > LONGEST_CALL_S:
        return None
    return ended_at - timedelta(seconds=int(talked))


def ended_at(fields: Mapping[str, str]) -> datetime | None:
    """When the call ended, in UTC; None if the fields do not say so.

    A report of four fields is written at the call's end, so its `DateUpdated` counts. A record's does not.
    """
    is_record = "CallSid" not in fields
    return parse_instant(first_value(fields, "EndTime")) or (
        None if is_record else parse_instant(first_value(fields, "DateUpdated"))
    )
