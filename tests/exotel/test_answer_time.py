"""When the customer answered, from Exotel's reports and records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from missedd.exotel.answer_time import answered_at

ENDED = {"EndTime": "2026-09-28 23:58:45"}
AT_37 = datetime(2026, 9, 28, 18, 28, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "first", "at"),
    [
        (ENDED | {"Legs[0][OnCallDuration]": "21", "Legs[1][OnCallDuration]": "8"}, "agent", AT_37),
        (ENDED | {"Legs[0][OnCallDuration]": "8"}, "customer", AT_37),
        (ENDED | {"Legs[0][OnCallDuration]": "8"}, None, AT_37),
        (ENDED | {"Details[Legs][1][Leg][OnCallDuration]": "8"}, "agent", AT_37),
        (ENDED | {"Legs[0][OnCallDuration]": "8"}, "agent", None),
        (ENDED | {"Legs[0][OnCallDuration]": "a while"}, None, None),
        (ENDED | {"Legs[0][OnCallDuration]": "1" * 40}, None, None),
        (ENDED | {"Legs[0][OnCallDuration]": "0" * 9 + "1" * 40}, None, None),
        ({"EndTime": "1970-01-01 05:30:00", "Legs[0][OnCallDuration]": "8"}, None, None),
        ({"CallSid": "abc", "Status": "completed", "DateUpdated": "2026-09-28 23:58:45"}, None, None),
        (
            {"EventType": "answered", "DateUpdated": "2026-09-28 23:58:37", "Legs[1][Status]": "in-progress"},
            "agent",
            AT_37,
        ),
        (ENDED | {"Legs[0][OnCallDuration]": "8", "Legs[0][AnsweredBy]": "Machine"}, None, None),
        (ENDED | {"Legs[1][OnCallDuration]": "8", "Legs[0][AnsweredBy]": "Machine"}, "agent", None),
        # The agent answered, and the customer's phone rings.
        (
            {
                "EventType": "answered",
                "DateUpdated": "2026-09-28 23:58:37",
                "Legs[0][Status]": "in-progress",
                "Legs[1][Status]": "",
            },
            "agent",
            None,
        ),
    ],
)
def test_the_instant_of_the_answer(fields: Mapping[str, str], first: str | None, at: datetime | None) -> None:
    assert answered_at(fields, first) == at
