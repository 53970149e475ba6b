"""The history of a call as a timeline: in order, complete, with future entries at the end."""

from __future__ import annotations

from typing import Any

import pytest

from missedd.core.api_types.actions import ActionJson, AttemptJson, ReportJson, VoteJson
from missedd.core.api_types.calls import StoryJson
from missedd.core.explain.timeline import GOOD_OUTCOMES, TimelineEntry, build_timeline, tone_of
from missedd.core.model import Kind, Outcome, State
from missedd.core.reasons import Reason, describe_reason
from tests.core.objects import made

AT = "2026-11-23T06:{}:00.000Z"


def call(*actions: ActionJson, **changes: Any) -> StoryJson:
    said: dict[str, Any] = {
        "call_sid": "abc",
        "from_": "+919876543210",
        "to": "+918047120001",
        "campaign": "admissions",
        "called_at": AT.format(30),
        "received_at": AT.format(31),
        "verdict": "accepted",
        "reason": "first-call",
        "shape": "native",
        "redeliveries": 0,
        "actions": list(actions),
    }
    return made(StoryJson, **said | changes)


def action(**changes: Any) -> ActionJson:
    said: dict[str, Any] = {
        "id": 7,
        "kind": "callback",
        "state": "planned",
        "due_at": AT.format(32),
        "reason": "owed",
        "expires_at": AT.format(59),
        "retry_index": 0,
        "attempts": [],
        "reports": [],
    }
    return made(ActionJson, **said | changes)


def attempt(minute: int, result: str | None = "accepted", **changes: Any) -> AttemptJson:
    said: dict[str, Any] = {"number": 1, "started_at": AT.format(minute), "result": result}
    return made(AttemptJson, **said | changes)


def report(minute: int, **values: Any) -> ReportJson:
    return made(ReportJson, received_at=AT.format(minute), effect="applied", **values)


def titles(moments: list[TimelineEntry]) -> list[str]:
    return [each.title for each in moments]


def test_what_is_to_come_stands_at_the_end() -> None:
    waits = action(due_at=AT.format(10))
    sent = action(id=8, kind="sms", state="done", outcome="delivered", closed_at=AT.format(40), reason="x")
    moments = build_timeline(call(waits, sent))
    assert titles(moments) == [
        "+919876543210 called +918047120001",
        "It was accepted",
        "SMS: delivered",
        "Callback is due",
    ]
    assert [each.is_future for each in moments] == [False, False, False, True]
    assert moments[-1].until == AT.format(59)
    assert [each.tone for each in moments] == ["", "good", "good", "wait"]


def test_attempts_reports_and_the_outcome_in_their_order() -> None:
    told = report(36, source="report", status="busy", code="17")
    looked = report(37, source="look-up", status="busy")
    moments = build_timeline(
        call(
            action(
                state="done",
                outcome="busy",
                closed_at=AT.format(38),
                reason="customer-busy",
                attempts=[
                    attempt(33, "refused", code="429", reason="rate-limited", message="slow down"),
                    attempt(35, number=2),
                ],
                reports=[told, looked],
                settled_outcome="answered",
                settled_at=AT.format(50),
                settled_note="she told us so",
            )
        )
    )
    assert titles(moments)[2:] == [
        "Callback, attempt 1: refused 429",
        "Callback, attempt 2: accepted",
        "Callback reported: busy (17)",
        "Callback found by a lookup: busy",
        "Callback: busy",
        "Callback: outcome entered by an operator: answered",
    ]
    refused = moments[2]
    assert (refused.words, refused.note) == ("the provider's rate limit was reached", "slow down")
    assert moments[-1].note == "she told us so"


def test_a_vote_says_what_it_is_worth() -> None:
    voted = VoteJson("singer", "Asha", "surplus")
    done: dict[str, Any] = {
        "kind": "vote",
        "state": "done",
        "outcome": "refused",
        "closed_at": AT.format(31),
        "vote": voted,
    }
    moment = build_timeline(call(action(**done)))[-1]
    assert moment.title == "Vote: refused"
    assert "Asha" in moment.note
    assert "singer" in moment.note


def words(code: str) -> str:
    return {"23185": "the text does not match"}.get(code, "")


@pytest.mark.parametrize(
    ("code", "note"),
    [("23185", "Code 23185: the text does not match."), ("23999", "Code 23999."), (None, "")],
)
def test_an_sms_that_failed_says_what_its_code_means(code: str | None, note: str) -> None:
    failed = {"kind": "sms", "state": "done", "outcome": "failed", "closed_at": AT.format(31), "code": code}
    moment = build_timeline(call(action(**failed, reason="sms-misconfigured")), words)[-1]
    assert (moment.title, moment.note) == ("SMS: failed", note)
    assert build_timeline(call(action(**failed | {"outcome": "delivered"})), words)[-1].note == ""


def test_where_the_call_came_from() -> None:
    moments = build_timeline(call(shape="recovered", redeliveries=2))
    assert moments[1].note == (
        "Found in Exotel's list of calls; no webhook reported it. Exotel delivered it again 2 times"
    )
    asked = build_timeline(call(shape="sms-applet", verification="v-1"))[1].note
    assert asked == (
        "The SMS applet asked for the text before a webhook reported the call. "
        "It proved the number for the verification v-1"
    )
    unread = {"from_": None, "to": None, "verdict": "not-missed", "reason": "conversation"}
    withheld = build_timeline(call(**unread))
    assert titles(withheld) == [
        "A withheld number called a number that could not be read",
        "It is not a missed call",
    ]


@pytest.mark.parametrize("reason", [*Reason, "of-a-later-version"])
@pytest.mark.parametrize("state", [State.HELD, State.DONE])
def test_no_reason_is_left_out(reason: str, state: State) -> None:
    done = {"outcome": "dropped", "closed_at": AT.format(40)} if state is State.DONE else {}
    moments = build_timeline(call(action(state=state, reason=str(reason), **done), reason=str(reason)))
    assert [each.reason for each in moments] == [None, str(reason), str(reason)]
    assert all(each.words == describe_reason(str(reason)) for each in moments[1:])


@pytest.mark.parametrize("state", [each for each in State if each is not State.DONE])
@pytest.mark.parametrize("kind", Kind)
def test_every_standing_has_its_words(state: State, kind: Kind) -> None:
    assert build_timeline(call(action(state=state, kind=kind)))[-1].is_future


def test_tones() -> None:
    assert tone_of("planned", None) == tone_of("held", None) == "wait"
    assert tone_of("attempting", None) == tone_of("placed", None) == "out"
    for outcome in Outcome:
        assert (tone_of("done", outcome) == "good") is (outcome in GOOD_OUTCOMES)
    assert tone_of("done", "dropped") == "none"


def test_what_is_kept_of_an_action_stands_with_its_end() -> None:
    kept = {"text": "Thank you.", "units": 1}
    sent = {"kind": "sms", "state": "done", "outcome": "delivered", "closed_at": AT.format(31)}
    tried = attempt(31)
    moments = build_timeline(call(action(**sent, **kept, attempts=[tried], reason="sms-delivered")))
    assert [[fact.value for fact in each.facts] for each in moments] == [[], [], [], ["Thank you.", "1"]]
    ahead = build_timeline(call(action(kind="sms", state="placed", **kept)))
    assert [fact.label for fact in ahead[-1].facts] == ["Text", "Units"]
