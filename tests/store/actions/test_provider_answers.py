"""What the provider answered to a request, and what a restart makes of a request without an answer."""

from __future__ import annotations

from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Kind, Lane, Outcome
from missedd.core.policy import WebhookPolicy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Answer, Refused
from missedd.store.actions.attempts import recover_in_flight
from missedd.store.actions.timers import timers_between
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, call, callback, campaign, minutes, policy, seconds, sms
from tests.store.steps import (
    BUSY,
    DUE,
    LOST,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    placed,
    report_outcome,
    rows,
)

# Answers.
ANSWERS: list[tuple[Answer, tuple[object, ...], Lane | None]] = [
    (Accepted("sid-1"), ("placed", None, "provider-accepted", "sid-1", True), Lane.LOOKUP),
    (BUSY, ("planned", None, "rate-limited", None, False), Lane.VOICE),
    (
        Refused(False, "400", Reason.PROVIDER_REFUSED),
        ("done", "refused", "provider-refused", None, False),
        None,
    ),
    (LOST, ("attempting", None, "reply-lost", None, True), Lane.LOOKUP),
]


@pytest.mark.parametrize(("answer", "state", "lane"), ANSWERS)
async def test_each_answer_moves_the_action_on(
    store: Store, answer: Answer, state: tuple[object, ...], lane: Lane | None
) -> None:
    await admit_calls(store, call())
    await claim_actions(store, 1)
    wake = await answer_action(store, answer)
    columns = "state, outcome, reason, provider_sid, placed_at IS NOT NULL"
    assert await actions(store, columns) == [state]
    assert (wake.lane if wake else None) is lane
    assert await actions(store, "wake_at") == [(wake.at_us if wake else None,)]


async def test_what_was_postponed_is_due_at_its_new_instant_and_no_earlier(store: Store) -> None:
    await placed(store, BUSY)
    ((due_at, wake_at),) = await actions(store, "due_at, wake_at")
    assert due_at == wake_at >= to_us(DUE + seconds(11))
    assert (await claim_actions(store, 1, at=DUE + seconds(5))).claimed == ()
    (again,) = (await claim_actions(store, 1, at=DUE + seconds(20))).claimed
    assert again.attempt == 2


@pytest.mark.parametrize(
    "answer", [Accepted("sid-1"), LOST, BUSY, Refused(False, "400", Reason.PROVIDER_REFUSED)]
)
async def test_a_report_that_overtook_the_answer_stays(store: Store, answer: Answer) -> None:
    await admit_calls(store, call())
    await claim_actions(store, 1)
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "applied"
    assert await answer_action(store, answer) is None
    assert await actions(store, "state, outcome, reason, provider_sid, wake_at") == [
        ("done", "answered", "customer-answered", "sid-1", None)
    ]
    ((result,),) = await rows(store, "SELECT result FROM attempts")
    assert result is not None


async def test_a_do_not_disturb_refusal_of_a_call_bars_our_calls_for_a_while(store: Store) -> None:
    await placed(store, Refused(False, "403", Reason.DO_NOT_DISTURB))
    ((number, channel, source, since_us, until_us),) = await rows(
        store, "SELECT number, channel, source, since_at, until_at FROM suppressions"
    )
    assert (number, channel, source) == (CALLER, "calls", "provider")
    assert until_us - since_us == 30 * 86_400 * 1_000_000


# A restart.
async def test_a_restart_finds_what_was_in_flight_and_never_dials_it_again(store: Store) -> None:
    of = policy(campaign(callback=callback(), webhook=WebhookPolicy("https://crm.example.in/"), sms=sms()))
    await admit_calls(store, call(), of=of)
    await claim_actions(store, 1, 2, 3, of=of)
    restart = DUE - minutes(10)  # with its clock set back, to make it hard
    assert await store.write(partial(recover_in_flight, now=restart)) == 3
    assert await store.write(partial(recover_in_flight, now=restart)) == 0
    assert await actions(store, "kind, state, wake_at, placed_at IS NULL") == [
        ("webhook", "planned", to_us(restart), 0),
        ("sms", "attempting", to_us(restart + seconds(1800)), 0),
        ("callback", "attempting", to_us(restart + seconds(5)), 0),
    ]
    again = await claim_actions(store, 1, 2, 3, at=restart + seconds(6), of=of)
    assert [(each.action.kind, each.attempt) for each in again.claimed] == [(Kind.WEBHOOK, 2)]
    wakes = await store.read(partial(timers_between, after_us=0, until_us=to_us(NOON + minutes(60))))
    assert {(each.action_id, each.lane) for each in wakes} == {(2, Lane.LOOKUP), (3, Lane.LOOKUP)}


async def test_a_lost_answer_is_no_attempt_in_flight(store: Store) -> None:
    await placed(store, LOST)
    assert await store.write(partial(recover_in_flight, now=NOON + minutes(1))) == 0


async def test_wakes_are_told_once_each_in_order(store: Store) -> None:
    await admit_calls(store, *(call(f"c{n}", NOON - seconds(n), caller=f"+9198{n:08}") for n in range(4)))
    middle = to_us(DUE - seconds(2))
    early = await store.read(partial(timers_between, after_us=0, until_us=middle))
    late = await store.read(partial(timers_between, after_us=middle, until_us=to_us(DUE)))
    assert [each.action_id for each in early] == [4, 3]
    assert [each.action_id for each in late] == [2, 1]


async def test_a_refusal_keeps_its_code(store: Store) -> None:
    await placed(store, Refused(False, "403", Reason.PROVIDER_REFUSED))
    assert await actions(store, "outcome, code") == [("refused", "403")]
