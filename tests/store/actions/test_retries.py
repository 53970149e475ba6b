"""Retries: when an unanswered callback plans the next one, and when it does not."""

from __future__ import annotations

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Lane, Outcome
from missedd.core.policy import Policy, Retries
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted
from missedd.store.actions.rows import Timer
from missedd.store.store import Store
from tests.core.campaigns import NOON, call, callback, campaign, minutes, policy, seconds
from tests.store.steps import DUE, actions, admit_calls, answer_action, claim_actions, placed, report_outcome

RETRYING = policy(campaign(callback=callback(retries=(minutes(5), minutes(10)), max_per_hour=3)))
FAILING = policy(campaign(callback=callback(retries=Retries(failed=(minutes(5),)))))


@pytest.mark.parametrize(
    ("outcome", "of"), [(Outcome.NO_ANSWER, RETRYING), (Outcome.BUSY, RETRYING), (Outcome.FAILED, FAILING)]
)
async def test_an_unanswered_callback_plans_the_next_one_once(
    store: Store, outcome: Outcome, of: Policy
) -> None:
    await placed(store)
    at = DUE + seconds(40)
    first = await report_outcome(store, outcome, of=of)
    assert first.timers == (Timer(to_us(at + minutes(5)), 2, Lane.VOICE),)
    assert (await report_outcome(store, outcome, of=of)).timers == ()
    assert await actions(store, "state, reason, retry_index, origin_id, due_at") == [
        (
            "done",
            {"no-answer": "customer-no-answer", "busy": "customer-busy"}.get(outcome, "call-failed"),
            0,
            None,
            to_us(DUE),
        ),
        ("planned", "retry-unanswered", 1, 1, to_us(at + minutes(5))),
    ]


@pytest.mark.parametrize(("outcome", "of"), [(Outcome.FAILED, RETRYING), (Outcome.BUSY, FAILING)])
async def test_an_outcome_without_waits_is_the_end(store: Store, outcome: Outcome, of: Policy) -> None:
    await placed(store)
    assert (await report_outcome(store, outcome, of=of)).timers == ()
    assert await actions(store, "outcome") == [(str(outcome),)]


async def test_retries_end_and_an_answer_ends_them(store: Store) -> None:
    await placed(store)
    await report_outcome(store, Outcome.NO_ANSWER, of=RETRYING)
    await claim_actions(store, 2, at=NOON + minutes(7), of=RETRYING)
    await answer_action(store, Accepted("sid-2"), 2, at=NOON + minutes(7))
    await report_outcome(store, Outcome.BUSY, 2, sid="sid-2", at=NOON + minutes(8), of=RETRYING)
    await claim_actions(store, 3, at=NOON + minutes(20), of=RETRYING)
    await answer_action(store, Accepted("sid-3"), 3, at=NOON + minutes(20))
    last = await report_outcome(store, Outcome.NO_ANSWER, 3, sid="sid-3", at=NOON + minutes(21), of=RETRYING)
    assert last.timers == ()
    assert await actions(store, "outcome") == [("no-answer",), ("busy",), ("no-answer",)]


async def test_a_retry_counts_against_the_cap(store: Store) -> None:
    tight = policy(campaign(callback=callback(retries=(minutes(5),), max_per_hour=1)))
    await placed(store)
    assert (await report_outcome(store, Outcome.NO_ANSWER, of=tight)).timers == ()
    assert (await actions(store))[1] == ("done", "dropped", "max-per-hour")


async def test_an_answered_callback_plans_nothing(store: Store) -> None:
    await placed(store)
    assert (await report_outcome(store, Outcome.ANSWERED, of=RETRYING)).timers == ()
    assert len(await actions(store)) == 1


async def test_who_was_reached_meanwhile_is_not_rung_again(store: Store) -> None:
    of = policy(campaign(callback=callback(max_per_hour=3), dedup_window=seconds(1)))
    await placed(store)
    later = NOON + seconds(20)
    await admit_calls(store, call("c2", later), of=of, at=later)
    applied = await report_outcome(store, Outcome.ANSWERED)
    assert [(each.id, each.outcome, each.reason) for each in applied.cancelled] == [
        (2, Outcome.CANCELLED, Reason.REACHED_OTHERWISE)
    ]
    assert (await claim_actions(store, 2, of=of, at=later + minutes(1))).claimed == ()
