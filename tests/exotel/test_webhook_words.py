"""The words of a webhook that say whether a call was missed, is in progress, or was answered."""

from __future__ import annotations

import pytest

from missedd.core.model import Outcome
from missedd.core.reasons import Reason
from tests.exotel.payloads import NATIVE, OUTBOUND_2016, PURE_MISSED, call_of, get


@pytest.mark.parametrize(
    ("changes", "not_missed"),
    [
        ({"CallStatus": "in-progress"}, None),
        ({"CallStatus": "completed"}, None),
        ({"CallType": "voicemail", "DialCallStatus": "no-answer"}, Reason.VOICEMAIL),
        ({"CallType": "Completed"}, Reason.CONVERSATION),
        ({"CallType": "client-hangup", "DialCallStatus": "canceled", "CallStatus": "completed"}, None),
        ({"CallType": "client-hangup", "ConversationDuration": "12"}, Reason.CONVERSATION),
        ({"ConversationDuration": "0"}, None),
        ({"ConversationDuration": "NA"}, None),
        ({"Legs[0][OnCallDuration]": "11"}, Reason.CONVERSATION),
        ({"Legs[3][OnCallDuration]": "00:00:11"}, Reason.CONVERSATION),
        ({"Legs[0][OnCallDuration]": "0", "Legs[1][OnCallDuration]": ""}, None),
        ({"CallType": "incomplete", "DialCallStatus": "no-answer", "DialCallDuration": "40",
          "Legs[0][OnCallDuration]": "0", "Legs[1][OnCallDuration]": "31"}, Reason.CONVERSATION),
        ({"CallType": "incomplete", "DialCallStatus": "busy", "DialCallDuration": "5",
          "Legs[0][OnCallDuration]": "11"}, None),
        ({"Legs[0][Status]": "Completed"}, Reason.CONVERSATION),
        ({"Legs[0][Status]": "no-answer"}, None),
        ({"Insights[DialCallStatus]": "completed"}, Reason.CONVERSATION),
        ({"Insights[DialCallStatus]": "no-answer", "Legs[0][Insights][RingingDuration]": "20"}, None),
        ({"Legs[1][Insights][Status]": "completed"}, Reason.CONVERSATION),
        ({"Legs[0][Insights][Status]": "busy", "Legs[0][Insights][DetailedStatus]": "BUSY_CALLEE"}, None),
        ({"Stream[Status]": "completed", "Stream[Duration]": "41", "Stream[DisconnectedBy]": "user"},
         Reason.CONVERSATION),
        ({"Stream[Status]": "Completed", "Stream[Duration]": "1"}, Reason.CONVERSATION),
        ({"Stream[Status]": "completed", "Stream[Duration]": "0"}, None),
        ({"Stream[Status]": "completed"}, None),
        ({"Stream[Status]": "failed", "Stream[Duration]": "3", "Stream[Error]": "3009"}, None),
        ({"CallType": "voicemail", "Stream[Status]": "failed"}, Reason.VOICEMAIL),
        ({"CallType": "incomplete", "DialCallStatus": "completed"}, Reason.CONVERSATION),
        ({"CallType": "", "CallStatus": "in-progress"}, Reason.STILL_IN_PROGRESS),
        ({"CallType": "", "CallStatus": "in-progress", "DialCallStatus": "no-answer"}, None),
        ({"CallType": "", "CallStatus": "ringing"}, None),
        ({"CallType": "something-new", "CallStatus": "no-answer"}, None),
        ({"CallType": "something-new", "DialCallStatus": "something-new"}, None),
        ({"Direction": "outbound-api"}, Reason.OUTBOUND_LEG),
        ({"Direction": "inbound"}, None),
        ({"Status": "busy"}, Reason.AGENT_EVENT),
        ({"Status": "free"}, Reason.AGENT_EVENT),
        ({"EventType": "answered"}, Reason.AGENT_EVENT),
        ({"EventType": "terminal", "Status": "completed"}, Reason.AGENT_EVENT),
        ({"Status": "missed-call", "EventType": "terminal"}, None),
        ({"AgentEmail": "a@example.in", "CallType": "completed"}, Reason.CONVERSATION),
        ({"AgentEmail": "a@example.in"}, Reason.AGENT_EVENT),
    ],
)  # fmt: skip
def test_passthru_words(changes: dict[str, str], not_missed: Reason | None) -> None:
    assert call_of(get(PURE_MISSED | changes)).not_missed is not_missed


@pytest.mark.parametrize(
    ("changes", "not_missed"),
    [
        ({"Status": "MISSED-CALL"}, None),
        ({"Status": "no-answer"}, None),
        ({"Status": "busy"}, None),
        ({"Status": "busy", "AgentEmail": "a@example.in"}, Reason.AGENT_EVENT),
        ({"Status": "free", "DialWhomNumber": ""}, Reason.AGENT_EVENT),
        ({"Status": "completed"}, Reason.CONVERSATION),
        ({"Status": "completed", "ConversationDuration": "0"}, None),
        ({"Status": "in-progress"}, Reason.STILL_IN_PROGRESS),
        ({"Status": "a-new-word"}, None),
        ({"Status": "completed", "Legs[0][Status]": "completed", "Legs[1][Status]": "no-answer"}, None),
        ({"Status": "no-answer", "Legs[0][Status]": "completed", "Legs[0][OnCallDuration]": "9"}, None),
        ({"Status": "no-answer", "Legs[1][OnCallDuration]": "9"}, Reason.CONVERSATION),
    ],
)
def test_native_words(changes: dict[str, str], not_missed: Reason | None) -> None:
    call = call_of(get(NATIVE | changes))
    assert (call.shape, call.not_missed) == ("native", not_missed)


ENDED = {
    "CallSid": "c5797dcbaaeed7678c4062a4a3ed2f8a", "CallFrom": "09876543210", "CallTo": "08047120001",
    "Direction": "incoming", "StartTime": "2026-09-29 02:00:31", "EndTime": "2026-09-29 02:00:52",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "not_missed"),
    [
        ({"Status": "busy"}, None),
        ({"Status": "Busy", "DialWhomNumber": "", "AgentEmail": "null"}, None),
        ({"Status": "no-answer"}, None),
        ({"Status": "canceled"}, None),
        ({"Status": "busy", "ConversationDuration": "12"}, Reason.CONVERSATION),
        # An agent's phone rings: the request names the agent, or its event, or has no end.
        ({"Status": "busy", "EventType": "Dial"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "AgentEmail": "a@example.in"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "DialWhomNumber": "09999999999"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "EndTime": ""}, Reason.AGENT_EVENT),
        ({"Status": "busy", "EndTime": "1970-01-01 05:30:00"}, Reason.AGENT_EVENT),
        ({"Status": "busy", "StartTime": "0000-00-00 00:00:00"}, Reason.AGENT_EVENT),
        ({"Status": "free"}, Reason.AGENT_EVENT),
    ],
)
def test_a_call_that_has_ended_is_no_popup(changes: dict[str, str], not_missed: Reason | None) -> None:
    assert call_of(get(ENDED | changes)).not_missed is not_missed


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, None),  # `incomplete` while it rings
        ({"CallType": "call-attempt", "CallStatus": "in-progress"}, None),
        ({"CallType": "completed", "DialCallStatus": "completed"}, Outcome.ANSWERED),
        ({"CallType": "incomplete", "DialCallStatus": "no-answer"}, Outcome.ANSWERED),
        ({"CallType": "client-hangup", "DialCallStatus": "canceled"}, Outcome.ANSWERED),
        ({"CallStatus": "no-answer"}, Outcome.NO_ANSWER),
        ({"CallStatus": "busy"}, Outcome.BUSY),
        ({"CallStatus": "Cancelled"}, Outcome.FAILED),
        ({"CallStatus": "completed"}, Outcome.ANSWERED),
    ],
)
def test_an_outgoing_call_s_passthru_may_report_its_end(
    changes: dict[str, str], outcome: Outcome | None
) -> None:
    call = call_of(get(OUTBOUND_2016 | changes))
    assert call.not_missed is Reason.OUTBOUND_LEG
    assert (call.report.outcome if call.report else None) is outcome
    if call.report:
        assert call.report.is_terminal
        assert call.report.provider_sid == call.call_sid
