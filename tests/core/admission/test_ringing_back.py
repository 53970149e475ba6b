"""A caller rings back after a missed callback, and retries of an unanswered callback."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from missedd.core.admission.caller_history import CallerHistory, UnansweredCallback
from missedd.core.admission.judgement import Candidate
from missedd.core.admission.plans import plan_retry
from missedd.core.model import Kind, Outcome, Plan, PlannedAction, State, Verdict
from missedd.core.policy import Campaign, Retries
from missedd.core.reasons import Reason
from tests.core.admission.decisions import OPENING, SENT, decided, kinds, only
from tests.core.campaigns import NOON, call, callback, campaign, ist, minutes, office, policy, seconds

PLACED = NOON + seconds(30)


def missed(ended_at: datetime, placed_at: datetime = PLACED) -> CallerHistory:
    """The caller did not answer the callback for the call of 12:00."""
    return CallerHistory(
        accepted=[("admissions", NOON)],
        unanswered_callbacks={"admissions": UnansweredCallback(placed_at, ended_at)},
    )


@pytest.mark.parametrize(
    ("called_s", "is_heard"), [(60, True), (61, True), (60.4, True), (59.9, False), (31, False), (299, True)]
)
def test_a_duplicate_that_answers_a_missed_callback_is_owed_one(called_s: float, is_heard: bool) -> None:
    at = NOON + seconds(called_s)
    admission = decided(call("c2", at), history=missed(NOON + seconds(60.7)), received_at=at)
    assert (admission.verdict, admission.reason) == (Verdict.DUPLICATE, Reason.WITHIN_DEDUP_WINDOW)
    heard = [
        (each.kind, each.reason, each.due_at, each.expires_at)
        for each in admission.actions
        if each.kind in (Kind.LEAD, *SENT)
    ]
    owed = (Kind.CALLBACK, Reason.RANG_BACK, at + seconds(30), at + minutes(15))
    assert heard == ([owed] if is_heard else [])


def test_who_rings_back_passes_every_gate() -> None:
    at = NOON + seconds(90)
    history = missed(NOON + seconds(60))
    history.placed += [("admissions", NOON + seconds(30)), ("admissions", NOON - minutes(5))]
    owed = only(decided(call("c2", at), history=history, received_at=at), Kind.CALLBACK)
    assert (owed.outcome, owed.reason) == (Outcome.DROPPED, Reason.MAX_PER_HOUR)


def test_a_callback_of_before_the_window_is_not_rung_back_to() -> None:
    at = NOON + seconds(90)
    history = missed(NOON - minutes(29), placed_at=NOON - minutes(30))
    assert not set(SENT) & set(kinds(decided(call("c2", at), history=history, received_at=at)))


# Retries.
def retried(
    of: Campaign, index: int, outcome: Outcome = Outcome.BUSY, at: datetime = NOON, **changes: Any
) -> PlannedAction | None:
    candidate = Candidate(Kind.CALLBACK, of.name, Plan.OPEN, at + minutes(15), **changes)
    return plan_retry(of, policy(of), index, outcome, candidate, at)


def test_a_retry_is_a_callback_of_its_own_counted_and_gated_anew() -> None:
    of = campaign(callback=callback(retries=(minutes(5), minutes(15))), hours=office())
    first = retried(of, 0)
    assert first is not None
    assert (first.due_at, first.expires_at, first.retry_index) == (NOON + minutes(5), NOON + minutes(20), 1)
    assert first.reason is Reason.RETRY_UNANSWERED
    second = retried(of, 1)
    assert second is not None
    assert second.due_at == NOON + minutes(15)
    assert retried(of, 2) is None


def test_a_retry_keeps_the_cap_and_the_hours() -> None:
    of = campaign(callback=callback(retries=(minutes(5),), max_per_hour=1), hours=office())
    capped = retried(of, 0, other_callback_times=(NOON,))
    assert capped is not None
    assert (capped.state, capped.reason) == (State.DONE, Reason.MAX_PER_HOUR)
    evening = ist("2026-11-23 18:28")
    held = retried(of, 0, at=evening)
    assert held is not None
    assert (held.state, held.due_at, held.reason) == (State.HELD, OPENING, Reason.BUSINESS_CLOSED)


@pytest.mark.parametrize(
    ("outcome", "waits"),
    [
        (Outcome.NO_ANSWER, [5, 15]),
        (Outcome.BUSY, [1]),
        (Outcome.FAILED, [60]),
        (Outcome.ANSWERED, []),
        (Outcome.UNKNOWN, []),
    ],
)
def test_each_outcome_has_waits_of_its_own(outcome: Outcome, waits: list[int]) -> None:
    retries = Retries(no_answer=(minutes(5), minutes(15)), busy=(minutes(1),), failed=(minutes(60),))
    of = campaign(callback=callback(retries=retries, max_per_hour=9))
    planned = [retried(of, i, outcome) for i in range(3)]
    assert [each.due_at for each in planned if each] == [NOON + minutes(wait) for wait in waits]
    assert [each.retry_index for each in planned if each] == list(range(1, len(waits) + 1))


def test_no_callback_no_retry() -> None:
    assert retried(campaign(), 0) is None
