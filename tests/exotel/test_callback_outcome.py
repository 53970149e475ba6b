"""How a callback ended: by the legs, or by the status if the legs say nothing."""

from __future__ import annotations

from typing import Any

import pytest

from missedd.core.model import Outcome
from missedd.core.reasons import Reason
from missedd.exotel.call_legs import is_nonzero_duration
from missedd.exotel.callback_outcome import AGENT_MISSES, CALL_OUTCOMES, CallbackOutcome, callback_outcome
from missedd.exotel.status_report_parser import parse_call_record
from tests.exotel.test_status_report_parser import SID, as_json, as_multipart, call_report_of, form

AGENT, CUSTOMER, FLOW = "agent", "customer", None
ANSWERED, NO_ANSWER = CallbackOutcome(Outcome.ANSWERED), CallbackOutcome(Outcome.NO_ANSWER)
BUSY, FAILED, NOTHING = CallbackOutcome(Outcome.BUSY), CallbackOutcome(Outcome.FAILED), CallbackOutcome(None)


def missed(outcome: Outcome, reason: Reason) -> CallbackOutcome:
    return CallbackOutcome(outcome, reason)


def event(kind: str, status: str, *legs: str | None, talked_s: int = 0, **changes: Any) -> dict[str, Any]:
    """A report with legs. A completed leg has some seconds of duration."""
    return {
        "CallSid": SID,
        "EventType": kind,
        "Status": status,
        "ConversationDuration": talked_s,
        "Legs": [
            {
                "OnCallDuration": talked_s or 4 if (leg or "").lower() == "completed" else 0,
                "Status": leg,
                "AnsweredBy": "NA",
            }
            for leg in legs
        ],
    } | changes


def ended(status: str, *legs: str | None, talked_s: int = 0, **changes: Any) -> dict[str, Any]:
    return event("terminal", status, *legs, talked_s=talked_s, **changes)


def read(document: dict[str, Any], first: str | None) -> CallbackOutcome:
    return callback_outcome(call_report_of(as_json(document)).fields, first)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (ended("completed", "completed", "completed", talked_s=8), ANSWERED),
        (ended("completed", "Completed", "Completed"), ANSWERED),
        (ended("no-answer", "completed", "no-answer"), NO_ANSWER),
        (ended("no-answer", "completed"), NO_ANSWER),
        (ended("no-answer", "completed", "busy"), BUSY),
        (ended("failed", "completed", "canceled"), FAILED),
        (ended("failed", "completed", "failed"), FAILED),
        # The agent missed the callback: their leg is named, and the customer's phone did not ring.
        (ended("no-answer", "no-answer", None), missed(Outcome.FAILED, Reason.AGENT_NO_ANSWER)),
        (ended("no-answer", "no-answer", "null"), missed(Outcome.FAILED, Reason.AGENT_NO_ANSWER)),
        (ended("no-answer", "no-answer", ""), missed(Outcome.FAILED, Reason.AGENT_NO_ANSWER)),
        (ended("no-answer", "no_answer"), missed(Outcome.FAILED, Reason.AGENT_NO_ANSWER)),
        (ended("busy", "Busy"), missed(Outcome.FAILED, Reason.AGENT_BUSY)),
        (ended("failed", "failed", None), missed(Outcome.FAILED, Reason.AGENT_FAILED)),
        (ended("failed", "cancelled", None), missed(Outcome.FAILED, Reason.AGENT_NO_ANSWER)),
        (ended("completed", "no-answer", None), missed(Outcome.FAILED, Reason.AGENT_NO_ANSWER)),
        # The legs say nothing, or contradict each other: the status decides.
        (ended("no-answer"), NO_ANSWER),
        (ended("busy", None, None), BUSY),
        (ended("failed", None, None), FAILED),
        (ended("no-answer", "no-answer", "no-answer"), NO_ANSWER),
        (ended("no-answer", "busy", "ringing"), NO_ANSWER),
        (ended("no-answer", "no-answer", None, talked_s=12), NO_ANSWER),
        ({"CallSid": SID, "Status": "no-answer"}, NO_ANSWER),
        ({"CallSid": SID, "Status": "completed"}, ANSWERED),
        # The agent hung up before the customer's telephone rang.
        (ended("completed", "completed", None), FAILED),
        (event("answered", "in-progress", "in-progress", ""), NOTHING),
        (event("answered", "in-progress", "in-progress", "in-progress"), NOTHING),
        (event("answered", "completed", "completed", "completed"), NOTHING),
        (event("Dial", "busy"), NOTHING),
    ],
)
def test_the_agent_was_rung_first(document: dict[str, Any], told: CallbackOutcome) -> None:
    assert read(document, AGENT) == told


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (ended("completed", "completed", "completed", talked_s=8), ANSWERED),
        (ended("completed", None, None, talked_s=8), ANSWERED),
        (ended("no-answer", "no-answer", None), NO_ANSWER),
        (ended("busy", "busy", None), BUSY),
        (ended("failed", "failed", None), FAILED),
        (ended("failed", None, None), FAILED),
        # The customer answered, and no agent came.
        (ended("no-answer", "completed", "no-answer"), missed(Outcome.NO_ANSWER, Reason.AGENT_NO_ANSWER)),
        (ended("completed", "completed", "no-answer"), missed(Outcome.NO_ANSWER, Reason.AGENT_NO_ANSWER)),
        (ended("no-answer", "completed", "busy"), missed(Outcome.NO_ANSWER, Reason.AGENT_BUSY)),
        (ended("failed", "completed", "failed"), missed(Outcome.NO_ANSWER, Reason.AGENT_FAILED)),
        (ended("failed", "completed", "canceled"), missed(Outcome.NO_ANSWER, Reason.AGENT_NO_ANSWER)),
        (ended("no-answer", "completed", None), NO_ANSWER),
        (ended("completed", "completed", None), FAILED),
        # There was a conversation, whatever the agent's leg says at the end.
        (ended("completed", "completed", "failed", talked_s=8), ANSWERED),
        ({"CallSid": SID, "Status": "no-answer"}, NO_ANSWER),
        ({"CallSid": SID, "Status": "completed"}, ANSWERED),
    ],
)
def test_the_customer_was_rung_first(document: dict[str, Any], told: CallbackOutcome) -> None:
    assert read(document, CUSTOMER) == told


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (ended("completed", "completed"), ANSWERED),
        (ended("completed", "no-answer"), NO_ANSWER),
        (ended("completed", "Busy"), BUSY),
        (ended("completed", "no-answer", talked_s=8), ANSWERED),
        (ended("no-answer", "completed", "no-answer"), ANSWERED),
        (ended("busy"), BUSY),
        ({"CallSid": SID, "Status": "completed"}, ANSWERED),
        ({"CallSid": SID, "Status": "completed", "Legs": [{"Status": "no-answer"}]}, NO_ANSWER),
    ],
)
def test_a_flow(document: dict[str, Any], told: CallbackOutcome) -> None:
    assert read(document, FLOW) == told
    assert call_report_of(as_json(document)).outcome is told.outcome


MACHINE = missed(Outcome.NO_ANSWER, Reason.ANSWERED_BY_MACHINE)
TALKED = ended("completed", "completed", "completed", talked_s=8)


def answered_by(*legs: str) -> dict[str, Any]:
    return TALKED | {
        "Legs": [{"Status": "completed", "OnCallDuration": 8, "AnsweredBy": leg} for leg in legs]
    }


@pytest.mark.parametrize("word", ["machine", "Machine", "MACHINE"])
def test_a_machine_is_nobody(word: str) -> None:
    assert read(answered_by("Human", word), AGENT) == MACHINE
    assert read(answered_by(word, "HUMAN"), CUSTOMER) == MACHINE
    assert read(answered_by(word), FLOW) == MACHINE
    for first in (AGENT, CUSTOMER, FLOW):
        assert read(TALKED | {"AnsweredBy": word}, first) == MACHINE
        assert read({"CallSid": SID, "Status": "completed", "AnsweredBy": word}, first) == MACHINE
        record = DETAILS | {"Status": "completed", "Details": {}, "AnsweredBy": word}
        assert callback_outcome(parse_call_record(record).fields, first) == MACHINE


@pytest.mark.parametrize("word", ["Human", "HUMAN", "NotSure", "NA", "null", ""])
def test_whoever_is_no_machine_is_somebody(word: str) -> None:
    assert read(answered_by(word, word) | {"AnsweredBy": word}, AGENT) == ANSWERED


def test_an_agent_s_machine_is_nobody_either() -> None:
    assert read(answered_by("Machine", "Human"), AGENT) == MACHINE
    assert read(answered_by("Human", "Machine"), CUSTOMER) == MACHINE


def test_the_leg_says_better_than_the_call_who_answered_it() -> None:
    assert read(answered_by("Human") | {"AnsweredBy": "machine"}, FLOW) == ANSWERED


def test_a_machine_at_a_telephone_that_nobody_took_changes_nothing() -> None:
    assert read(ended("busy", "completed", "busy", AnsweredBy="machine"), AGENT) == BUSY


def test_legs_in_brackets_are_the_same_legs() -> None:
    fields = {"CallSid": SID, "EventType": "terminal", "Status": "no-answer"}
    took, missed_it = "completed", "busy"
    for request in (form, as_multipart):
        legs = {"Legs[0][Status]": took, "Legs[1][Status]": missed_it}
        assert callback_outcome(call_report_of(request(fields | legs)).fields, AGENT) == BUSY
        legs = {"Legs[0][Status]": missed_it, "Legs[1][Status]": "null", "Legs[1][OnCallDuration]": "0"}
        told = callback_outcome(call_report_of(request(fields | legs)).fields, AGENT)
        assert told == missed(Outcome.FAILED, Reason.AGENT_BUSY)


DETAILS: dict[str, Any] = {
    "Sid": SID, "ParentCallSid": None, "DateCreated": "2026-09-28 23:58:11", "To": "09876543210",
    "From": "09800000001", "PhoneNumberSid": "08047120001", "Status": "no-answer",
    "StartTime": "2026-09-28 23:58:11", "EndTime": "2026-09-28 23:58:45", "Duration": "34",
    "Direction": "outbound-api", "Price": "1.500", "AnsweredBy": None,
    "Details": {"ConversationDuration": 0, "Leg1Status": "completed", "Leg2Status": "busy",
                "Legs": [{"Leg": {"Id": 1, "OnCallDuration": 21}}, {"Leg": {"Id": 2, "OnCallDuration": 0}}]},
}  # fmt: skip


def test_call_details_know_the_legs() -> None:
    report = parse_call_record({"Call": DETAILS})
    assert (report.provider_sid, report.status) == (SID, "no-answer")
    assert callback_outcome(report.fields, AGENT) == BUSY
    assert callback_outcome(report.fields, CUSTOMER) == missed(Outcome.NO_ANSWER, Reason.AGENT_BUSY)
    assert parse_call_record(DETAILS) == report


@pytest.mark.parametrize("customer_s", [0, 9])
def test_call_details_of_an_agent_who_did_not_answer(customer_s: int) -> None:
    legs = [{"Leg": {"Id": 1, "OnCallDuration": 0}}, {"Leg": {"Id": 2, "OnCallDuration": customer_s}}]
    details = {"ConversationDuration": 0, "Leg1Status": "no-answer", "Leg2Status": None, "Legs": legs}
    told = callback_outcome(parse_call_record(DETAILS | {"Details": details}).fields, AGENT)
    # A person was on the second leg, so the agent did not miss the callback.
    assert told == (NO_ANSWER if customer_s else missed(Outcome.FAILED, Reason.AGENT_NO_ANSWER))


@pytest.mark.parametrize("end", [None, "", "1970-01-01 05:30:00", "0000-00-00 00:00:00"])
def test_a_record_without_an_end_is_not_final(end: str | None) -> None:
    report = parse_call_record(DETAILS | {"EndTime": end, "Status": "completed"})
    assert (report.is_terminal, report.outcome) == (False, None)
    assert callback_outcome(report.fields, AGENT) == NOTHING


def test_an_agent_s_miss_is_no_word_of_the_customer_s() -> None:
    assert set(AGENT_MISSES) == {word for word, outcome in CALL_OUTCOMES.items() if outcome} - {"completed"}


@pytest.mark.parametrize(
    ("text", "is_time"),
    [("12", True), ("0.5", True), ("00:00:12", True), ("0", False), ("0.0", False), ("00:00:00", False),
     ("", False), ("NA", False), ("-1", False), ("null", False), ("१२", False)],
)  # fmt: skip
def test_only_a_duration_is_a_time(text: str, is_time: bool) -> None:
    assert is_nonzero_duration(text) is is_time
