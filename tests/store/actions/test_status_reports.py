"""Status reports: the first final one decides, whenever it arrives."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Kind, Outcome
from missedd.core.people.suppression import RefusedSmsClass
from missedd.exotel.request_result import Accepted, Unknown
from missedd.store.actions.lookups import adopt_found_call, claimed_sids
from missedd.store.store import Store
from tests.core.campaigns import CALLER, call, campaign, minutes, policy, seconds, sms
from tests.store.steps import (
    BUSY,
    CALLBACKS,
    DUE,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    placed,
    report_outcome,
    rows,
)


# Reports.
async def test_the_first_final_report_decides_and_later_ones_are_kept(store: Store) -> None:
    await placed(store)
    effects = [
        (await report_outcome(store, None)).effect,
        (await report_outcome(store, Outcome.ANSWERED)).effect,
        (await report_outcome(store, Outcome.ANSWERED)).effect,
        (await report_outcome(store, Outcome.NO_ANSWER)).effect,
        (await report_outcome(store, None)).effect,
    ]
    assert effects == [
        "noted: not final",
        "applied",
        "ignored: already final",
        "ignored: already final",
        "noted: not final",
    ]
    assert (await actions(store))[0] == ("done", "answered", "customer-answered")
    assert [each[0] for each in await rows(store, "SELECT effect FROM reports ORDER BY id")] == effects


async def test_a_report_for_nothing_is_kept_and_harms_nothing(store: Store) -> None:
    assert (await report_outcome(store, Outcome.ANSWERED, 77)).effect == "ignored: no such action"
    assert await rows(store, "SELECT action_id FROM reports") == [(None,)]


async def test_a_report_of_another_kind_is_ignored(store: Store) -> None:
    await placed(store)
    assert (
        await report_outcome(store, Outcome.DELIVERED, kind=Kind.SMS)
    ).effect == "ignored: the action is a callback"
    assert await actions(store) == [("placed", None, "provider-accepted")]


async def test_a_report_before_any_attempt_is_ignored(store: Store) -> None:
    await admit_calls(store, call())
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "ignored: nothing was sent yet"
    assert await actions(store, "state, provider_sid") == [("planned", None)]


async def test_what_was_refused_for_now_and_rang_all_the_same_is_done_and_counts(store: Store) -> None:
    await placed(store, BUSY)
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "applied"
    ((state, placed_at, wake_at),) = await actions(store, "state, placed_at, wake_at")
    assert (state, wake_at) == ("done", None)
    assert placed_at is not None


async def test_an_sms_report_may_bar_such_sms(store: Store) -> None:
    of = policy(campaign(sms=sms()))
    await admit_calls(store, call(), of=of)
    await claim_actions(store, 1, of=of)
    await answer_action(store, Accepted("sms-1"), kind=Kind.SMS)
    await report_outcome(
        store, Outcome.FAILED, sid="sms-1", kind=Kind.SMS, refused=RefusedSmsClass.PROMOTIONAL
    )
    assert await rows(store, "SELECT number, channel, class, source, until_at FROM suppressions") == [
        (CALLER, "sms", "promotional", "provider", None)
    ]
    assert await actions(store) == [("done", "failed", "sms-failed")]


async def test_a_report_about_another_call_changes_nothing(store: Store) -> None:
    await placed(store)
    assert (await report_outcome(store, Outcome.NO_ANSWER, sid="stranger")).effect == "ignored: another call"
    assert (await report_outcome(store, Outcome.ANSWERED)).outcome is Outcome.ANSWERED


async def test_a_report_corrects_a_sid_that_a_look_up_guessed(store: Store) -> None:
    await placed(store, Unknown("timeout"))
    await store.write(
        partial(adopt_found_call, action_id=1, provider_sid="another", policy=CALLBACKS, now=DUE + minutes(1))
    )
    await report_outcome(store, Outcome.NO_ANSWER, sid="ours", at=DUE + minutes(2))
    assert await actions(store, "outcome, provider_sid") == [(Outcome.NO_ANSWER, "ours")]
    assert await store.read(partial(claimed_sids, sids=["another", "ours"], except_action_id=2)) == {"ours"}


# What the figures need of an end.
@pytest.mark.parametrize(
    ("told", "kept"),
    [
        (None, DUE + seconds(40)),  # the news of it
        (DUE + seconds(9), DUE + seconds(9)),
        (DUE - seconds(5), DUE),  # the provider's clock is behind ours
        (DUE + seconds(99), DUE + seconds(40)),
    ],
)
async def test_when_the_customer_answered_is_kept_within_reason(
    store: Store, told: datetime | None, kept: datetime
) -> None:
    await placed(store)
    await report_outcome(store, Outcome.ANSWERED, answered_at=told)
    assert await actions(store, "answered_at") == [(to_us(kept),)]


async def test_the_first_that_is_known_of_the_answer_stays(store: Store) -> None:
    await placed(store)
    await report_outcome(store, None, answered_at=DUE + seconds(7), at=DUE + seconds(8))
    await report_outcome(store, None, answered_at=DUE + seconds(8), at=DUE + seconds(9))
    await report_outcome(store, Outcome.ANSWERED, answered_at=DUE + seconds(9))
    await report_outcome(store, None, answered_at=DUE + seconds(1))
    assert await actions(store, "answered_at") == [(to_us(DUE + seconds(7)),)]


async def test_an_unanswered_callback_has_no_such_instant(store: Store) -> None:
    await placed(store)
    await report_outcome(store, Outcome.NO_ANSWER, answered_at=DUE + seconds(7))
    assert await actions(store, "answered_at") == [(None,)]


async def test_an_sms_ends_with_the_code_of_its_report(store: Store) -> None:
    texts = policy(campaign(sms=sms()))
    await admit_calls(store, call(), of=texts)
    await claim_actions(store, 1, of=texts)
    await answer_action(store, Accepted("sms-1"), kind=Kind.SMS)
    await report_outcome(store, Outcome.FAILED, sid="sms-1", kind=Kind.SMS, of=texts, code="23082")
    assert await actions(store, "outcome, code") == [("failed", "23082")]
