"""What Exotel's list says about an incoming call: missed, answered, in progress, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from missedd.core.reasons import Reason
from missedd.exotel.incoming_call_record import ListedCall, parse_listed_call

ENTRY: dict[str, Any] = {
    "Sid": "fdb67a2b4b2d057b610a52ef43f81622",
    "Direction": "inbound",
    "From": "09876543210",
    "To": "08047120001",
    "PhoneNumberSid": "08047120001",
    "Status": "completed",
    "StartTime": "2026-11-23 12:00:00",
    "DateCreated": "2026-11-23 12:00:01",
    "EndTime": "2026-11-23 12:00:09",
    "RecordingUrl": None,
}
MISSED = {"ConversationDuration": 0, "Leg1Status": "completed", "Leg2Status": None}


def read(**changes: Any) -> ListedCall:
    incoming = parse_listed_call({"Details": MISSED} | ENTRY | changes)
    assert incoming is not None
    return incoming


def test_a_missed_call_has_its_own_time_and_both_numbers() -> None:
    call = read().call
    assert (call.call_sid, call.caller, call.dialled) == (ENTRY["Sid"], "+919876543210", ("+918047120001",))
    assert call.called_at == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert (call.shape, call.not_missed) == ("recovered", None)
    assert call.fields["Details[Leg2Status]"] == ""


def talk(*seconds: int) -> list[dict[str, Any]]:
    return [{"Leg": {"Id": i, "OnCallDuration": each}} for i, each in enumerate(seconds, 1)]


@pytest.mark.parametrize("seconds", [(), (34,), (34, 0)])
def test_the_caller_s_own_leg_is_no_conversation(seconds: tuple[int, ...]) -> None:
    found = read(Details=MISSED | {"Legs": talk(*seconds), "ConversationDuration": "NA"})
    assert found.call.not_missed is None


@pytest.mark.parametrize("leg2", ["no-answer", "busy", "null", None, "canceled", "cancelled", "failed"])
def test_a_listed_call_that_nobody_answered_is_missed(leg2: str | None) -> None:
    found = read(Details=MISSED | {"Leg2Status": leg2})
    assert (found.call.not_missed, found.has_details) == (None, True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"Details": MISSED | {"ConversationDuration": 12}}, Reason.CONVERSATION),
        ({"Details": MISSED | {"ConversationDuration": "12"}}, Reason.CONVERSATION),
        ({"Details": MISSED | {"Leg2Status": "Completed"}}, Reason.CONVERSATION),
        ({"Details": MISSED | {"Legs": talk(34, 12)}}, Reason.CONVERSATION),
        ({"RecordingUrl": "https://recordings.example/1.mp3"}, Reason.VOICEMAIL),
        ({"Status": "in-progress"}, Reason.STILL_IN_PROGRESS),
        ({"Status": "ringing", "Details": None}, Reason.STILL_IN_PROGRESS),
        ({"EndTime": ""}, Reason.STILL_IN_PROGRESS),
        ({"EndTime": None}, Reason.STILL_IN_PROGRESS),
        ({"EndTime": "1970-01-01 05:30:00"}, Reason.STILL_IN_PROGRESS),
        ({"Direction": "outbound-api"}, Reason.OUTBOUND_LEG),
        ({"Direction": None}, Reason.OUTBOUND_LEG),
    ],
)
def test_a_listed_call_that_was_not_missed_has_its_reason(changes: dict[str, Any], reason: Reason) -> None:
    found = read(**changes)
    assert (found.call.not_missed, found.has_details) == (reason, True)


@pytest.mark.parametrize(
    ("status", "is_told"), [("completed", False), ("no-answer", True), ("Busy", True), ("", False)]
)
def test_without_details_only_some_statuses_tell(status: str, is_told: bool) -> None:
    assert read(Details=None, Status=status).has_details is is_told
    bare = parse_listed_call(ENTRY | {"Status": status})
    assert bare is not None
    assert (bare.has_details, bare.call.not_missed) == (is_told, None)


def test_call_details_are_read_alike() -> None:
    assert parse_listed_call({"Call": ENTRY | {"Details": MISSED}}) == parse_listed_call(
        ENTRY | {"Details": MISSED}
    )


def test_a_withheld_number_is_still_a_call() -> None:
    assert read(From="anonymous").call.caller is None


@pytest.mark.parametrize("sid", ["", None, "x" * 65, "a/b"])
def test_what_has_no_sid_is_no_call(sid: str | None) -> None:
    assert parse_listed_call(ENTRY | {"Sid": sid}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*ENTRY, "Details", "Call"]), json_values))
def test_nothing_in_an_entry_can_make_it_raise(changes: dict[str, Any]) -> None:
    parse_listed_call(ENTRY | changes)
    parse_listed_call(changes)
