"""From an answer to what it does: the table, row by row; and whom a request rings."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import pytest

from missedd.core.actions.backoff import WEBHOOK_WAITS_S
from missedd.core.actions.lifecycle import Step
from missedd.core.model import Kind, Outcome, Plan, State
from missedd.core.reasons import Reason
from missedd.engine.dispatch.attempt_result import settle
from missedd.engine.provider.provider_sender import ReportUrls
from missedd.exotel.request_result import Accepted, Answer, Refused, Unknown
from missedd.store.actions.rows import ActionRow
from tests.core.campaigns import CALLER, EXOPHONE, NOON

RETRYABLE = Refused(True, "connect-error", Reason.CONNECTION_FAILED)
LIMITED = Refused(True, "429", Reason.RATE_LIMITED, "slow down", 30)
FINAL = Refused(False, "400", Reason.PROVIDER_REFUSED, "bad number")
DND = Refused(False, "403", Reason.DO_NOT_DISTURB)
GONE = Refused(False, "410", Reason.ENDPOINT_REFUSED)
LOST = Unknown("read-timeout")

TABLE: list[tuple[Answer, Kind, Step, str, Outcome | None, float | None]] = [
    (Accepted("s"), Kind.CALLBACK, Step.ACCEPT, "accepted", None, 180),
    (Accepted("s"), Kind.SMS, Step.ACCEPT, "accepted", None, 180),
    (Accepted(), Kind.WEBHOOK, Step.DELIVER, "accepted", Outcome.DELIVERED, None),
    (RETRYABLE, Kind.CALLBACK, Step.POSTPONE, "refused", None, 2),
    (RETRYABLE, Kind.SMS, Step.POSTPONE, "refused", None, 2),
    (RETRYABLE, Kind.WEBHOOK, Step.POSTPONE, "refused", None, 5),
    (LIMITED, Kind.CALLBACK, Step.POSTPONE, "refused", None, 30),
    (LIMITED, Kind.WEBHOOK, Step.POSTPONE, "refused", None, 30),
    (FINAL, Kind.CALLBACK, Step.REFUSE, "refused", Outcome.REFUSED, None),
    (DND, Kind.SMS, Step.REFUSE, "refused", Outcome.REFUSED, None),
    (GONE, Kind.WEBHOOK, Step.REFUSE, "refused", Outcome.FAILED, None),
    (LOST, Kind.CALLBACK, Step.LOSE, "unknown", None, 5),
    (LOST, Kind.SMS, Step.LOSE, "unknown", None, 1800),
    (LOST, Kind.WEBHOOK, Step.POSTPONE, "unknown", None, 5),
]


@pytest.mark.parametrize(("answer", "kind", "step", "result", "outcome", "wait_s"), TABLE)
def test_what_an_answer_does(
    answer: Answer, kind: Kind, step: Step, result: str, outcome: Outcome | None, wait_s: float | None
) -> None:
    settled = settle(answer, kind, 1, NOON, Random(1))
    found = settled.result
    assert (found.step, found.result, found.outcome) == (step, result, outcome)
    assert found.suppresses is (answer is DND)
    assert (settled.pause_s is not None) is (answer is LIMITED and kind is not Kind.WEBHOOK)
    if wait_s is None:
        assert found.wake_at is None
    else:
        assert found.wake_at is not None
        jitter = 1.2 if step is Step.POSTPONE else 1.0
        assert wait_s <= (found.wake_at - NOON).total_seconds() <= wait_s * jitter


@pytest.mark.parametrize("answer", [RETRYABLE, LOST, LIMITED])
def test_a_webhook_is_parked_when_every_try_failed(answer: Answer) -> None:
    last = len(WEBHOOK_WAITS_S)
    before = settle(answer, Kind.WEBHOOK, last, NOON, Random(1)).result
    assert before.step is Step.POSTPONE
    assert before.wake_at is not None
    assert before.wake_at >= NOON + timedelta(seconds=WEBHOOK_WAITS_S[-1])
    after = settle(answer, Kind.WEBHOOK, last + 1, NOON, Random(1)).result
    assert (after.step, after.outcome, after.reason) == (
        Step.REFUSE,
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
        "looks": 0,
    }
    return ActionRow(id=action_id, kind=kind, **values | changes)


def test_reports_come_to_an_address_that_names_the_action() -> None:
    urls = ReportUrls("https://calls.example.in/", "tok")
    assert urls.of(row(7)) == "https://calls.example.in/exotel/tok/call-status/7"
    assert urls.of(row(8, Kind.SMS)) == "https://calls.example.in/exotel/tok/sms-status/8"
