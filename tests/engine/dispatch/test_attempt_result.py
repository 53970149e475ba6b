"""What follows an answer, row by row of the table; and which phone a request rings."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from missedd.core.actions.backoff import WEBHOOK_BACKOFF_S
from missedd.core.actions.lifecycle import ActionEvent
from missedd.core.model import Kind, Outcome, Plan, State
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import interpret_answer
from missedd.engine.provider.provider_sender import StatusCallbackUrls
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.rows import ActionRow
from tests.core.campaigns import CALLER, EXOPHONE, NOON

RETRYABLE = Refused(True, "connect-error", Reason.CONNECTION_FAILED)
LIMITED = Refused(True, "429", Reason.RATE_LIMITED, "slow down", 30)
FINAL = Refused(False, "400", Reason.PROVIDER_REFUSED, "bad number")
DND = Refused(False, "403", Reason.DO_NOT_DISTURB)
GONE = Refused(False, "410", Reason.ENDPOINT_REFUSED)
LOST = Unknown("read-timeout")

TABLE: list[tuple[Answer, Kind, ActionEvent, str, Outcome | None, float | None]] = [
    (Accepted("s"), Kind.CALLBACK, ActionEvent.ACCEPT, "accepted", None, 180),
    (Accepted("s"), Kind.SMS, ActionEvent.ACCEPT, "accepted", None, 180),
    (Accepted(), Kind.WEBHOOK, ActionEvent.DELIVER, "accepted", Outcome.DELIVERED, None),
    (RETRYABLE, Kind.CALLBACK, ActionEvent.POSTPONE, "refused", None, 2),
    (RETRYABLE, Kind.SMS, ActionEvent.POSTPONE, "refused", None, 2),
    (RETRYABLE, Kind.WEBHOOK, ActionEvent.POSTPONE, "refused", None, 5),
    (LIMITED, Kind.CALLBACK, ActionEvent.POSTPONE, "refused", None, 30),
    (LIMITED, Kind.WEBHOOK, ActionEvent.POSTPONE, "refused", None, 30),
    (FINAL, Kind.CALLBACK, ActionEvent.REFUSE, "refused", Outcome.REFUSED, None),
    (DND, Kind.SMS, ActionEvent.REFUSE, "refused", Outcome.REFUSED, None),
    (GONE, Kind.WEBHOOK, ActionEvent.REFUSE, "refused", Outcome.FAILED, None),
    (LOST, Kind.CALLBACK, ActionEvent.REPLY_LOST, "unknown", None, 5),
    (LOST, Kind.SMS, ActionEvent.REPLY_LOST, "unknown", None, 1800),
    (LOST, Kind.WEBHOOK, ActionEvent.POSTPONE, "unknown", None, 5),
]


@pytest.mark.parametrize(("answer", "kind", "step", "result", "outcome", "wait_s"), TABLE)
def test_what_an_answer_does(
    answer: Answer, kind: Kind, step: ActionEvent, result: str, outcome: Outcome | None, wait_s: float | None
) -> None:
    settled = interpret_answer(answer, kind, 1, NOON, Random(1))
    found = settled.result
    assert (found.event, found.result, found.outcome) == (step, result, outcome)
    assert found.suppresses_number is (answer is DND)
    assert (settled.pause_s is not None) is (answer is LIMITED and kind is not Kind.WEBHOOK)
    if wait_s is None:
        assert found.wake_at is None
    else:
        assert found.wake_at is not None
        jitter = 1.2 if step is ActionEvent.POSTPONE else 1.0
        assert wait_s <= (found.wake_at - NOON).total_seconds() <= wait_s * jitter


@pytest.mark.parametrize("answer", [RETRYABLE, LOST, LIMITED])
def test_a_webhook_is_parked_when_every_try_failed(answer: Answer) -> None:
    last = len(WEBHOOK_BACKOFF_S)
    before = interpret_answer(answer, Kind.WEBHOOK, last, NOON, Random(1)).result
    assert before.event is ActionEvent.POSTPONE
    assert before.wake_at is not None
    assert before.wake_at >= NOON + timedelta(seconds=WEBHOOK_BACKOFF_S[-1])
    after = interpret_answer(answer, Kind.WEBHOOK, last + 1, NOON, Random(1)).result
    assert (after.event, after.outcome, after.reason) == (
        ActionEvent.REFUSE,
        Outcome.FAILED,
        Reason.RETRIES_EXHAUSTED,
    )


def row(action_id: int = 1, kind: Kind = Kind.CALLBACK, **changes: Any) -> ActionRow:
    values: dict[str, Any] = {
        "call_id": 1,
        "campaign": "admissions",
        "number": CALLER,
        "exophone": EXOPHONE,
        "state": State.PLANNED,
        "outcome": None,
        "reason": Reason.OWED,
        "plan": Plan.OPEN,
        "retry_index": 0,
        "origin_id": None,
        "base_at": NOON,
        "due_at": NOON,
        "expires_at": None,
        "placed_at": None,
        "provider_sid": None,
        "lookup_count": 0,
    }
    return ActionRow(id=action_id, kind=kind, **values | changes)


def test_reports_come_to_an_address_that_names_the_action() -> None:
    urls = StatusCallbackUrls("https://calls.example.in/", "tok")
    assert urls.for_action(row(7)) == "https://calls.example.in/exotel/tok/call-status/7"
    assert urls.for_action(row(8, Kind.SMS)) == "https://calls.example.in/exotel/tok/sms-status/8"
