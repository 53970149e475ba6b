"""Duration, price and recording from reports and records, in all spellings that were seen."""

from __future__ import annotations

import pytest

from missedd.exotel.duration_and_price import read_call_facts, read_sms_facts

RECORDING = "https://s3-ap-southeast-1.amazonaws.com/exotelrecordings/x/y.mp3"
TWO = {"Legs[0][OnCallDuration]": "21", "Legs[1][OnCallDuration]": "8"}
RECORD = {
    "Price": "1.500",
    "RecordingUrl": RECORDING,
    "Details[ConversationDuration]": "8",
    "Details[Legs][0][Leg][OnCallDuration]": "21",
    "Details[Legs][1][Leg][OnCallDuration]": "8",
}


@pytest.mark.parametrize(
    ("fields", "first", "facts"),
    [
        ({"Status": "completed", "RecordingUrl": RECORDING}, None, {"recording_url": RECORDING}),
        ({"ConversationDuration": "8"} | TWO, "agent", {"talk_s": "8"}),
        (TWO, "customer", {"talk_s": "8"}),
        (RECORD, "agent", {"talk_s": "8", "price": "1.500", "recording_url": RECORDING}),
        # For a flow the duration is that of the whole call, or that from the flow's own applets.
        (TWO, None, {"talk_s": "21"}),
        ({"Details[Legs][0][Leg][OnCallDuration]": "34"}, None, {"talk_s": "34"}),
        ({"Stream[Status]": "completed", "Stream[Duration]": "34"}, None, {"talk_s": "34"}),
        ({"Stream[Status]": "failed", "Stream[Duration]": "34"}, None, {}),
        ({"Stream[RecordingUrl]": RECORDING}, None, {"recording_url": RECORDING}),
        # Nobody talked: 0 seconds is a fact too.
        ({"ConversationDuration": "0", "Legs[1][OnCallDuration]": "0"}, "agent", {"talk_s": "0"}),
        # While the call is in progress, its seconds are not final.
        ({"EventType": "answered", "ConversationDuration": "0"}, "agent", {}),
        ({"ConversationDuration": "00:02:05"}, "agent", {"talk_s": "125"}),
        ({"ConversationDuration": "8.6"}, "agent", {"talk_s": "8"}),
        # Unreadable values are left out, and so is a recording address that is no web link.
        ({"ConversationDuration": "-1", "Price": "free", "RecordingUrl": "javascript:alert(1)"}, "agent", {}),
        ({"ConversationDuration": "99999999", "Price": "null", "RecordingUrl": "null"}, "agent", {}),
        ({"PreSignedRecordingUrl": RECORDING}, "agent", {}),
    ],
)
def test_of_a_call(fields: dict[str, str], first: str | None, facts: dict[str, str]) -> None:
    assert read_call_facts(fields, first) == facts


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        ({"SmsUnits": "2", "Price": "0.360000"}, {"units": "2", "price": "0.360000"}),
        ({"SmsUnits": "", "Price": ""}, {}),
        ({"SmsUnits": "null", "Price": "-"}, {}),
    ],
)
def test_of_an_sms(fields: dict[str, str], facts: dict[str, str]) -> None:
    assert read_sms_facts(fields) == facts
