"""One call of ours to a person at a time: what waits for another call, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.config.store_location import StoreLocation
from missedd.core.actions.resolution import Resolution
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused, Unknown
from missedd.store.actions.attempts import recover_in_flight
from missedd.store.actions.concurrent_calls import wake_all_waiting_callbacks
from missedd.store.actions.operator_changes import resolve_unknown
from missedd.store.actions.rows import Timer
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import (
    AGENTS,
    CALLER,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    minutes,
    policy,
    seconds,
)
from tests.store.actions.two_campaigns import (
    HELD,
    PATIENT,
    SECOND_AT,
    SECOND_DUE,
    TWO,
    both_owed,
    second_waits,
    two,
)
from tests.store.steps import (
    DUE,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    end_callback,
    lookup_until_expired,
    place_callback,
    record_answer,
    rows,
)

UNANSWERED_OVER = DUE + seconds(30) + timedelta(hours=1) + minutes(1)
"""Of a request of which nobody knows when it came to the provider."""
OVER = DUE + seconds(1) + seconds(30) + timedelta(hours=1)
"""When a call is surely over that was taken a second after it was due: after a ring and the longest talk."""
WOKEN_LATE = DUE + minutes(2)


def woken(at: datetime) -> Timer:
    return Timer(to_us(at), 2, Lane.VOICE)


async def test_whoever_is_being_rung_is_not_rung_by_another_campaign(store: Store) -> None:
    await both_owed(store)
    await place_callback(store, of=TWO)
    claims = await claim_actions(store, 2, at=SECOND_DUE, of=TWO)
    (stopped,) = claims.stopped
    assert (stopped.reason, stopped.outcome) == (Reason.CALLER_BEING_RUNG, None)
    assert stopped.timer == woken(OVER)
    assert await rows(store, "SELECT due_at, wake_at, expires_at FROM actions WHERE id = 2") == [
        (to_us(SECOND_DUE), to_us(OVER), to_us(SECOND_AT + timedelta(hours=3)))
    ]
    assert await rows(store, "SELECT count(*) FROM attempts WHERE action_id = 2") == [(0,)]


async def test_a_person_is_not_called_twice_in_one_claim_or_while_a_request_is_out(store: Store) -> None:
    await both_owed(store)
    claims = await claim_actions(store, 2, 1, at=SECOND_DUE, of=TWO)
    assert [each.action.id for each in claims.claimed] == [2]
    assert [(each.action.id, each.reason) for each in claims.stopped] == [(1, Reason.CALLER_BEING_RUNG)]
    assert claims.other_timers == (), "its request is out, so there is nothing to look up yet"
    assert (await claim_actions(store, 1, at=SECOND_DUE + seconds(1), of=TWO)).claimed == ()


async def test_another_person_is_rung_meanwhile(store: Store) -> None:
    await second_waits(store)
    other = call("c3", SECOND_AT, caller="+919811100003", dialled=(SECOND_EXOPHONE,))
    await admit_calls(store, other, of=TWO, at=SECOND_AT)
    assert len((await claim_actions(store, 3, at=SECOND_DUE, of=TWO)).claimed) == 1


async def test_who_is_rung_as_an_agent_is_being_rung(store: Store) -> None:
    """An agent of one campaign rang the other; and the other way round."""
    agent = AGENTS[0]
    of = two(callback(flow=None, agents=(agent,)))
    await admit_calls(store, call("c1"), of=of)
    await admit_calls(
        store, call("c2", SECOND_AT, caller=agent, dialled=(SECOND_EXOPHONE,)), of=of, at=SECOND_AT
    )
    await place_callback(store, of=of)
    (stopped,) = (await claim_actions(store, 2, at=SECOND_DUE, of=of)).stopped
    assert stopped.reason is Reason.CALLER_BEING_RUNG
    applied = await end_callback(store, Outcome.NO_ANSWER, at=WOKEN_LATE, of=of)
    assert woken(WOKEN_LATE) in applied.timers
    await place_callback(store, 2, at=WOKEN_LATE, of=of)
    await admit_calls(store, call("c3", WOKEN_LATE, caller="+919811100003"), of=of, at=WOKEN_LATE)
    (stopped,) = (await claim_actions(store, 3, at=WOKEN_LATE + seconds(30), of=of)).stopped
    assert stopped.reason is Reason.AGENT_BUSY


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY, Outcome.FAILED])
async def test_the_outcome_lets_it_go_in_its_own_transaction(store: Store, outcome: Outcome) -> None:
    await second_waits(store)
    applied = await end_callback(store, outcome, at=WOKEN_LATE, of=TWO)
    assert applied.timers == (woken(WOKEN_LATE),)
    assert await rows(store, "SELECT wake_at FROM actions WHERE id = 2") == [(to_us(WOKEN_LATE),)]
    await place_callback(store, 2, at=WOKEN_LATE, of=TWO)


@pytest.mark.parametrize(
    "answer",
    [
        Refused(False, "400", Reason.PROVIDER_REFUSED),
        Refused(True, "connect-error", Reason.CONNECTION_FAILED),
    ],
)
async def test_a_refusal_lets_it_go(store: Store, answer: Refused) -> None:
    """What was refused surely rings nobody."""
    await both_owed(store)
    await claim_actions(store, 1, of=TWO)
    await claim_actions(store, 2, at=SECOND_DUE, of=TWO)
    assert (await actions(store))[1] == HELD
    wakes = await record_answer(store, answer, at=SECOND_DUE + seconds(2), of=TWO)
    assert woken(SECOND_DUE + seconds(2)) in wakes
    assert {wake.action_id for wake in wakes} == ({1, 2} if answer.retryable else {2})
    await place_callback(store, 2, at=SECOND_DUE + seconds(2), of=TWO)


async def test_a_lost_answer_keeps_it_waiting(store: Store) -> None:
    await both_owed(store)
    await claim_actions(store, 1, of=TWO)
    await claim_actions(store, 2, at=SECOND_DUE, of=TWO)
    wakes = await record_answer(store, Unknown("read-timeout"), at=SECOND_DUE + seconds(2), of=TWO)
    assert {wake.action_id for wake in wakes} == {1}
    assert (await claim_actions(store, 2, at=SECOND_DUE + seconds(3), of=TWO)).claimed == ()


async def test_an_outcome_that_nobody_learnt_is_no_end_of_the_call(store: Store) -> None:
    """The provider's list does not show it after ten minutes; it may be up all the same."""
    await both_owed(store)
    await claim_actions(store, 1, of=TWO)
    await answer_action(store, Unknown("read-timeout"), of=TWO)
    await claim_actions(store, 2, at=SECOND_DUE, of=TWO)
    looked = await lookup_until_expired(store, of=TWO)
    assert looked.expired_reason is Reason.NOT_FOUND
    ((closed_us,),) = await rows(store, "SELECT closed_at FROM actions WHERE id = 1")
    assert DUE + minutes(10) < DUE + timedelta(microseconds=closed_us - to_us(DUE)) < DUE + minutes(12)
    at = DUE + minutes(15)
    (stopped,) = (await claim_actions(store, 2, at=at, of=TWO)).stopped
    assert (stopped.reason, stopped.timer) == (Reason.CALLER_BEING_RUNG, woken(UNANSWERED_OVER))
    await place_callback(store, 2, at=UNANSWERED_OVER, of=TWO)


async def test_a_search_that_is_given_up_lets_it_be_judged_again(store: Store) -> None:
    """Nobody told anything for two hours, and the call cannot be up any more."""
    await second_waits(store)
    looked = await lookup_until_expired(store, of=TWO)
    assert looked.expired_reason is Reason.NO_REPORT
    ((closed_us, wake_us),) = await rows(
        store, "SELECT a.closed_at, b.wake_at FROM actions a, actions b WHERE a.id = 1 AND b.id = 2"
    )
    assert closed_us > to_us(OVER)
    assert looked.timers == (Timer(closed_us, 2, Lane.VOICE),)
    assert wake_us == closed_us


async def test_an_operator_who_says_how_it_ended_lets_it_go(store: Store) -> None:
    await both_owed(store)
    await claim_actions(store, 1, of=TWO)
    await answer_action(store, Unknown("read-timeout"), of=TWO)
    await claim_actions(store, 2, at=SECOND_DUE, of=TWO)
    unit = partial(resolve_unknown, action_id=1, outcome=Outcome.BUSY, note=None, policy=TWO, now=WOKEN_LATE)
    assert (await store.write(unit)).resolution is Resolution.SETTLED
    assert await rows(store, "SELECT wake_at FROM actions WHERE id = 2") == [(to_us(WOKEN_LATE),)]
    await place_callback(store, 2, at=WOKEN_LATE, of=TWO)


TICK = timedelta(microseconds=1)
BOUNDS = [
    (PATIENT, OVER),
    (callback(ring_timeout=seconds(45)), OVER + seconds(15)),
    (callback(time_limit=minutes(10)), OVER - minutes(50)),
    (callback(flow=None, agents=AGENTS[:1]), OVER + seconds(30)),
]


@pytest.mark.parametrize(("first", "over"), BOUNDS)
async def test_a_second_callback_waits_no_longer_than_the_longest_call(
    store: Store, first: object, over: datetime
) -> None:
    of = two(first)
    await second_waits(store, of)
    (stopped,) = (await claim_actions(store, 2, at=over - TICK, of=of)).stopped
    assert (stopped.reason, stopped.timer) == (Reason.CALLER_BEING_RUNG, woken(over))
    await place_callback(store, 2, at=over, of=of)
    assert (await actions(store))[0][0] == "placed", "nobody ever told of the first"


async def test_a_waiting_callback_never_goes_after_its_expiry(store: Store) -> None:
    """Waiting for a person moves no expiry."""
    of = two(second=callback())
    await both_owed(store, of)
    await place_callback(store, of=of)
    expiry = SECOND_AT + minutes(15)
    (stopped,) = (await claim_actions(store, 2, at=SECOND_DUE, of=of)).stopped
    assert stopped.timer == woken(expiry + TICK)
    await end_callback(store, Outcome.NO_ANSWER, at=expiry + TICK, of=of)
    (stopped,) = (await claim_actions(store, 2, at=expiry + TICK, of=of)).stopped
    assert (stopped.outcome, stopped.reason) == (Outcome.EXPIRED, Reason.TOO_OLD)
    assert await rows(store, "SELECT expires_at FROM actions WHERE id = 2") == [(to_us(expiry),)]


async def test_a_waiting_callback_may_go_in_its_last_instant(store: Store) -> None:
    of = two(second=callback())
    await second_waits(store, of)
    expiry = SECOND_AT + minutes(15)
    await end_callback(store, Outcome.NO_ANSWER, at=expiry, of=of)
    await place_callback(store, 2, at=expiry, of=of)


async def test_of_two_that_waited_one_goes_and_the_other_waits_for_that_one(store: Store) -> None:
    of = policy(*TWO.campaigns, campaign(name="shop", exophones=("+918047120009",), callback=PATIENT))
    await second_waits(store, of)
    third = call("c3", SECOND_AT, dialled=("+918047120009",))
    await admit_calls(store, third, of=of, at=SECOND_AT)
    await claim_actions(store, 3, at=SECOND_DUE, of=of)
    applied = await end_callback(store, Outcome.NO_ANSWER, at=WOKEN_LATE, of=of)
    assert {wake.action_id for wake in applied.timers} == {2, 3}
    claims = await claim_actions(store, 3, 2, at=WOKEN_LATE, of=of)
    assert [each.action.id for each in claims.claimed] == [3]
    assert [(each.action.id, each.reason) for each in claims.stopped] == [(2, Reason.CALLER_BEING_RUNG)]


@pytest.mark.parametrize(
    ("outcome", "then"),
    [
        (Outcome.BUSY, ("attempting", None, "caller-being-rung")),
        (Outcome.ANSWERED, ("done", "cancelled", "reached-otherwise")),
    ],
)
async def test_the_campaign_s_own_next_callback_waits_too(
    store: Store, outcome: Outcome, then: tuple[object, ...]
) -> None:
    """The caller rings again while the callback is on its way; if they talk in it, that is that."""
    of = policy(campaign(callback=PATIENT, dedup_window=seconds(1)))
    await admit_calls(store, call("c1"), of=of)
    await place_callback(store, of=of)
    again = DUE + seconds(3)
    await admit_calls(store, call("c2", again), of=of, at=again)
    assert (await claim_actions(store, 2, at=again + seconds(30), of=of)).stopped[0].timer == woken(OVER)
    await end_callback(store, outcome, at=WOKEN_LATE, of=of)
    await claim_actions(store, 2, at=WOKEN_LATE, of=of)
    assert (await actions(store))[1] == then


# A restart.
@pytest.mark.parametrize("got_its_answer", [True, False])
async def test_an_attempt_from_before_a_crash_counts(
    driver: Driver, location: StoreLocation, got_its_answer: bool
) -> None:
    over = OVER if got_its_answer else UNANSWERED_OVER
    async with open_store(driver, location, "a test") as store:
        await both_owed(store)
        await claim_actions(store, 1, of=TWO)
        if got_its_answer:
            await answer_action(store, Accepted("sid-1"), of=TWO)
    async with open_store(driver, location, "a test") as store:
        assert await store.write(partial(recover_in_flight, now=SECOND_DUE)) == (not got_its_answer)
        (stopped,) = (await claim_actions(store, 2, at=SECOND_DUE, of=TWO)).stopped
        assert (stopped.reason, stopped.timer) == (Reason.CALLER_BEING_RUNG, woken(over))
    async with open_store(driver, location, "a test") as store:
        await store.write(partial(recover_in_flight, now=DUE + minutes(1)))
        assert await store.write(partial(wake_all_waiting_callbacks, now=DUE + minutes(1))) == 1
        (stopped,) = (await claim_actions(store, 2, at=DUE + minutes(1), of=TWO)).stopped
        assert (stopped.reason, stopped.timer) == (Reason.CALLER_BEING_RUNG, woken(over))
        await end_callback(store, Outcome.NO_ANSWER, at=WOKEN_LATE, of=TWO)
        await place_callback(store, 2, at=WOKEN_LATE, of=TWO)


async def test_a_start_lets_what_waits_be_judged_again(driver: Driver, location: StoreLocation) -> None:
    """The configuration may be another since."""
    async with open_store(driver, location, "a test") as store:
        await second_waits(store)
        await store.write(
            lambda db: db.execute("UPDATE actions SET busy_until = ? WHERE id = 1", (to_us(DUE),))
        )
    async with open_store(driver, location, "a test") as store:
        assert await store.write(partial(wake_all_waiting_callbacks, now=WOKEN_LATE)) == 1
        assert await rows(store, "SELECT wake_at FROM actions WHERE id = 2") == [(to_us(WOKEN_LATE),)]
        assert await rows(store, "SELECT number FROM actions WHERE id = 2") == [(CALLER,)]
        await place_callback(store, 2, at=WOKEN_LATE, of=TWO)
