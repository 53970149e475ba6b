"""One wish, one conversation: what a conversation ends, and whose; over both drivers."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.actions.resolution import Resolution
from missedd.core.model import InboundCall, Outcome, Verdict
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused, Unknown
from missedd.store.actions.operator_changes import resolve_unknown
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    ist,
    minutes,
    office,
    policy,
    seconds,
)
from tests.store.steps import DUE, actions, admit_calls, answer_action, claim_actions, report_outcome, rows

OF = policy(
    campaign(
        lead_source="x",
        dedup_window=seconds(1),
        callback=callback(delay=minutes(5), max_per_hour=9, retries=(minutes(5),)),
    ),
    campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=callback(delay=minutes(5))),
)
CANCELLED = ("done", "cancelled", "reached-otherwise")
ALREADY_OWED = ("done", "dropped", "already-owed")


TALKED_AT = NOON + minutes(2)


def talk(at: datetime = TALKED_AT, **changes: object) -> InboundCall:
    """The caller rang again, and somebody took the call."""
    return call("talk", at, **{"not_missed": Reason.CONVERSATION, **changes})


async def states(store: Store) -> list[tuple[object, ...]]:
    return await rows(store, "SELECT state, outcome, reason FROM actions WHERE kind = 'callback' ORDER BY id")


async def test_an_answered_call_ends_what_earlier_ones_are_owed(store: Store) -> None:
    await admit_calls(store, call("c1"), call("c2", NOON + minutes(1)), of=OF)
    (decided,) = await admit_calls(store, talk(), of=OF, at=NOON + minutes(3))
    assert decided.admission.verdict is Verdict.NOT_MISSED
    assert [(each.id, each.outcome) for each in decided.cancelled] == [(4, Outcome.CANCELLED)]
    assert await states(store) == [ALREADY_OWED, CANCELLED]
    assert await rows(store, "SELECT status, contacted_at, callback_outcome FROM leads") == [
        ("contacted", to_us(NOON + minutes(3)), "cancelled")
    ]
    assert await rows(store, "SELECT caller, campaign, exophone FROM calls WHERE call_sid = 'talk'") == [
        (CALLER, "admissions", "+918047120001")
    ]
    assert (await claim_actions(store, 2, 4, at=NOON + minutes(9), of=OF)).claimed == ()


@pytest.mark.parametrize(
    "other",
    [
        {"caller": OTHER},
        {"caller": None},
        {"dialled": (SECOND_EXOPHONE,)},
        {"not_missed": Reason.VOICEMAIL},
        {"not_missed": Reason.AGENT_EVENT},
        {"not_missed": Reason.OUTBOUND_LEG},
        {"at": NOON - minutes(1)},
    ],
)
async def test_what_says_nothing_of_this_wish_ends_nothing(store: Store, other: dict[str, object]) -> None:
    await admit_calls(store, call("c1"), of=OF)
    await admit_calls(store, talk(**other), of=OF, at=NOON + minutes(3))  # type: ignore[arg-type]
    assert await states(store) == [("planned", None, "owed")]
    assert len((await claim_actions(store, 2, at=NOON + minutes(5), of=OF)).claimed) == 1


@pytest.mark.parametrize("same_batch", [True, False])
async def test_who_rings_again_after_a_conversation_is_owed_again(store: Store, same_batch: bool) -> None:
    """From then on: what was owed for the call before it hastens nothing."""
    told = [call("c1"), talk(), call("c2", NOON + minutes(4))]
    for batch in [told] if same_batch else [[one] for one in told]:
        await admit_calls(store, *batch, of=OF, at=NOON + minutes(4))
    assert await states(store) == [CANCELLED, ("planned", None, "owed")]
    assert await rows(store, "SELECT due_at, chain_at FROM actions WHERE id = 4") == [
        (to_us(NOON + minutes(9)), None)
    ]
    assert len((await claim_actions(store, 4, at=NOON + minutes(9), of=OF)).claimed) == 1


async def test_a_call_that_is_told_of_late_meets_the_conversation_at_its_gate(store: Store) -> None:
    await admit_calls(store, talk(), of=OF, at=NOON + minutes(3))
    await admit_calls(store, call("c1"), of=OF, at=NOON + minutes(4))
    (stopped,) = (await claim_actions(store, 2, at=NOON + minutes(5), of=OF)).stopped
    assert (stopped.outcome, stopped.reason) == (Outcome.CANCELLED, Reason.REACHED_OTHERWISE)


async def test_an_answered_callback_ends_the_others_at_once(store: Store) -> None:
    """The caller rings again, and another campaign too, while the callback is on its way."""
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, 2, at=NOON + minutes(5), of=OF)
    await answer_action(store, Accepted("sid-1"), 2)
    ringing = NOON + minutes(5) + seconds(2)
    await admit_calls(
        store, call("c2", ringing), call("c3", ringing, dialled=(SECOND_EXOPHONE,)), of=OF, at=ringing
    )
    applied = await report_outcome(store, Outcome.ANSWERED, 2, at=NOON + minutes(6), of=OF)
    assert [each.id for each in applied.cancelled] == [4]
    assert await states(store) == [
        ("done", "answered", "customer-answered"),
        CANCELLED,
        ("planned", None, "owed"),
    ]
    assert await rows(store, "SELECT callback_outcome FROM leads") == [("answered",)]


async def lost_beside(store: Store, second_at: datetime) -> None:
    """Nobody learnt how the first callback ended. The caller rang a second time at `second_at`, and that was
    told of when the first was out already."""
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, 2, at=NOON + minutes(5), of=OF)
    await answer_action(store, Unknown("read-timeout"), 2)
    await admit_calls(store, call("c2", second_at), of=OF, at=NOON + minutes(6))


@pytest.mark.parametrize(
    ("second_at", "cancelled", "then"),
    [(NOON + minutes(1), [4], CANCELLED), (NOON + minutes(6), [], ("planned", None, "owed"))],
)
async def test_a_callback_that_an_operator_found_to_be_answered_ends_those_of_calls_before_it(
    store: Store, second_at: datetime, cancelled: list[int], then: tuple[object, ...]
) -> None:
    await lost_beside(store, second_at)
    unit = partial(
        resolve_unknown, action_id=2, outcome=Outcome.ANSWERED, note=None, policy=OF, now=NOON + minutes(7)
    )
    settled = await store.write(unit)
    assert settled.resolution is Resolution.SETTLED
    assert [each.id for each in settled.cancelled] == cancelled
    assert await states(store) == [("done", "unknown", "settled-by-operator"), then]


async def test_a_call_of_before_it_that_is_told_of_late_meets_it_at_its_gate(store: Store) -> None:
    await lost_beside(store, NOON + minutes(1))
    unit = partial(
        resolve_unknown, action_id=2, outcome=Outcome.ANSWERED, note=None, policy=OF, now=NOON + minutes(7)
    )
    await store.write(unit)
    await admit_calls(store, call("c0", NOON + minutes(2)), of=OF, at=NOON + minutes(8))
    (stopped,) = (await claim_actions(store, 6, at=NOON + minutes(9), of=OF)).stopped
    assert stopped.reason is Reason.REACHED_OTHERWISE


async def test_one_that_an_operator_found_to_be_unanswered_ends_nothing(store: Store) -> None:
    await lost_beside(store, NOON + minutes(1))
    unit = partial(
        resolve_unknown, action_id=2, outcome=Outcome.BUSY, note=None, policy=OF, now=NOON + minutes(7)
    )
    settled = await store.write(unit)
    assert (settled.resolution, settled.cancelled) == (Resolution.SETTLED, ())
    assert await states(store) == [("done", "unknown", "settled-by-operator"), ("planned", None, "owed")]


async def test_the_retry_of_a_wish_that_was_met_meanwhile_is_none(store: Store) -> None:
    """The conversation takes place while the callback rings in vain."""
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, 2, at=NOON + minutes(5), of=OF)
    await answer_action(store, Accepted("sid-1"), 2)
    await admit_calls(store, talk(NOON + minutes(5)), of=OF, at=NOON + minutes(6))
    assert (await states(store))[0][0] == "placed"
    applied = await report_outcome(store, Outcome.NO_ANSWER, 2, at=NOON + minutes(7), of=OF)
    assert (applied.effect, applied.timers) == ("applied", ())
    assert await states(store) == [("done", "no-answer", "customer-no-answer"), CANCELLED]
    assert await rows(store, "SELECT status, callback_outcome FROM leads") == [("contacted", "no-answer")]


async def test_a_retry_that_waits_is_ended_too(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, 2, at=NOON + minutes(5), of=OF)
    await answer_action(store, Accepted("sid-1"), 2)
    await report_outcome(store, Outcome.BUSY, 2, at=NOON + minutes(6), of=OF)
    assert (await states(store))[1] == ("planned", None, "retry-unanswered")
    await admit_calls(store, talk(NOON + minutes(7)), of=OF, at=NOON + minutes(8))
    assert (await states(store))[1] == CANCELLED


async def test_one_that_was_put_off_is_ended_and_its_request_was_none(store: Store) -> None:
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, 2, at=NOON + minutes(5), of=OF)
    await answer_action(store, Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=60), 2)
    await admit_calls(store, talk(), of=OF, at=NOON + minutes(6))
    assert await states(store) == [CANCELLED]


async def test_what_is_held_for_the_opening_is_ended(store: Store) -> None:
    night = policy(campaign(callback=callback(), hours=office()))
    evening = ist("2026-11-23 20:00")
    await admit_calls(store, call("c1", evening), of=night, at=evening)
    assert (await actions(store))[0][0] == "held"
    await admit_calls(store, talk(evening + minutes(30)), of=night, at=evening + minutes(31))
    assert await actions(store) == [CANCELLED]


async def test_an_answer_from_before_the_call_is_no_answer_to_it(store: Store) -> None:
    """The report of an earlier callback comes late; it was answered before the person rang again."""
    await admit_calls(store, call("c1"), of=OF)
    await claim_actions(store, 2, at=NOON + minutes(5), of=OF)
    await answer_action(store, Accepted("sid-1"), 2)
    await store.write(
        lambda db: db.execute(
            "UPDATE actions SET answered_at = ? WHERE id = 2", (to_us(DUE + timedelta(minutes=5)),)
        )
    )
    await admit_calls(store, call("c2", NOON + minutes(8)), of=OF, at=NOON + minutes(8))
    applied = await report_outcome(store, Outcome.ANSWERED, 2, at=NOON + minutes(9), of=OF)
    assert applied.cancelled == ()
    assert len((await claim_actions(store, 4, at=NOON + minutes(13), of=OF)).claimed) == 1
