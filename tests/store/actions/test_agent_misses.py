"""An agent misses a callback: the next one is tried at once, and the caller waits for an end."""

from __future__ import annotations

from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.admission.concurrent_calls import MAX_CAPACITY_WAIT
from missedd.core.api_types.analytics import WaitsJson
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.store.actions.rows import Timer
from missedd.store.reads.reader import load_analytics
from missedd.store.store import Store
from tests.core.campaigns import INDIA, NOON, OTHER, call, minutes, seconds
from tests.store.actions.agent_team import (
    ALONE,
    FIRST,
    FIRST_CALLBACK,
    SECOND,
    TEAM,
    TICK,
    left_alone,
    misses,
    rang,
    team,
    tried,
)
from tests.store.steps import DUE, actions, admit_calls, claim_actions, end_callback, place_callback, rows

MISSES = [Reason.AGENT_BUSY, Reason.AGENT_NO_ANSWER, Reason.AGENT_FAILED]


# The next agent.
@pytest.mark.parametrize("reason", MISSES)
async def test_the_next_agent_is_tried_at_once(store: Store, reason: Reason) -> None:
    await rang(store)
    await place_callback(store, FIRST_CALLBACK, of=TEAM)
    at = DUE + seconds(31)
    applied = await misses(store, at=at, reason=reason)
    assert (applied.outcome, applied.reason) == (Outcome.FAILED, reason)
    assert applied.timers == (Timer(to_us(at), 3, Lane.VOICE),)
    assert await rows(
        store,
        """SELECT state, reason, due_at, expires_at, base_at, retry_index, origin_id, call_id
           FROM actions WHERE id = 3""",
    ) == [("planned", reason, to_us(DUE), to_us(NOON + minutes(15)), to_us(NOON), 0, FIRST_CALLBACK, 1)]
    await place_callback(store, 3, at=at, of=TEAM)
    assert await tried(store) == [(FIRST, "failed"), (SECOND, None)]


async def test_a_report_that_comes_twice_plans_one(store: Store) -> None:
    await rang(store)
    await place_callback(store, FIRST_CALLBACK, of=TEAM)
    await misses(store)
    assert (await misses(store)).timers == ()
    assert len(await tried(store)) == 2
    assert [in_a_row for _, in_a_row, *_ in await left_alone(store)] == [1]


async def test_tries_of_further_agents_are_outside_the_cap_and_the_figures(store: Store) -> None:
    """One an hour: it is the try that reaches the caller's telephone."""
    action_id, at = await rang(store), DUE
    for _ in range(2):
        await place_callback(store, action_id, at=at, of=TEAM)
        at += seconds(31)
        await misses(store, action_id, at)
        action_id += 1
    counted = partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA)
    found = await store.read(counted)
    assert (found.callbacks_made, found.callback_success_rate, found.agent_misses) == (0, None, 2)
    await place_callback(store, action_id, at=at, of=TEAM)
    await end_callback(store, Outcome.BUSY, action_id, at=at + seconds(40), of=TEAM, agent_came=True)
    found = await store.read(counted)
    assert (found.callbacks_made, found.callback_success_rate, found.agent_misses) == (1, 0.0, 2)
    assert found.seconds_to_callback == WaitsJson(92.0, 92.0)
    assert (await actions(store))[-1] == ("done", "dropped", "max-per-hour"), "the retry of the third"
    await admit_calls(store, call("c2", at + minutes(2)), of=TEAM, at=at + minutes(2))
    assert (await actions(store))[-1] == ("done", "dropped", "max-per-hour")


async def test_a_retry_may_meet_an_agent_who_misses_too(store: Store) -> None:
    """The next agent's try is that very retry: the one after it is the second."""
    of = team(max_per_hour=9, retries=(minutes(5), minutes(7)))
    await rang(store, of)
    await place_callback(store, FIRST_CALLBACK, of=of)
    over = DUE + seconds(40)
    await end_callback(store, Outcome.NO_ANSWER, FIRST_CALLBACK, at=over, of=of, agent_came=True)
    retry_at = over + minutes(5)
    await place_callback(store, 3, at=retry_at, of=of)
    await misses(store, 3, retry_at + seconds(31), of)
    await place_callback(store, 4, at=retry_at + seconds(31), of=of)
    last = retry_at + minutes(2)
    applied = await end_callback(store, Outcome.NO_ANSWER, 4, at=last, of=of, agent_came=True)
    assert await rows(store, "SELECT retry_index FROM actions WHERE kind = 'callback' ORDER BY id") == [
        (0,),
        (1,),
        (1,),
        (2,),
    ]
    assert applied.timers == (Timer(to_us(last + minutes(7)), 5, Lane.VOICE),)


# Everybody was tried.
async def test_when_everybody_was_tried_it_waits_for_the_first_rest_to_end(store: Store) -> None:
    """And its expiry stays."""
    of = team(FIRST, SECOND, max_per_hour=9)
    await rang(store, of)
    await place_callback(store, FIRST_CALLBACK, of=of)
    first_over = DUE + seconds(31)
    await misses(store, at=first_over, of=of, reason=Reason.AGENT_FAILED)
    await place_callback(store, 3, at=first_over, of=of)
    second_over = first_over + seconds(31)
    await misses(store, 3, second_over, of)
    (stopped,) = (await claim_actions(store, 4, at=second_over, of=of)).stopped
    rests_until = first_over + minutes(2)
    assert stopped.reason in (Reason.AGENT_FAILED, Reason.AGENT_NO_ANSWER)
    assert stopped.timer == Timer(to_us(rests_until), 4, Lane.VOICE)
    assert await rows(store, "SELECT expires_at, due_at FROM actions WHERE id = 4") == [
        (to_us(NOON + minutes(15)), to_us(DUE))
    ]
    await place_callback(store, 4, at=rests_until, of=of)
    assert [agent for agent, _ in await tried(store)] == [FIRST, SECOND, FIRST]


@pytest.mark.parametrize("reason", MISSES)
async def test_a_callback_that_no_agent_takes_expires(store: Store, reason: Reason) -> None:
    """An agent who was busy elsewhere is no agent whom we keep busy: that rest moves no expiry either."""
    action_id, at, expiry = await rang(store, ALONE), DUE, NOON + minutes(15)
    for rest in (2, 4, 8):
        await place_callback(store, action_id, at=at, of=ALONE)
        await misses(store, action_id, at + seconds(11), ALONE, reason)
        action_id += 1
        at += seconds(11) + minutes(rest)
        if at > expiry:
            break
    (stopped,) = (await claim_actions(store, action_id, at=at - minutes(8), of=ALONE)).stopped
    assert stopped.timer == Timer(to_us(expiry + TICK), action_id, Lane.VOICE)
    (stopped,) = (await claim_actions(store, action_id, at=expiry + TICK, of=ALONE)).stopped
    assert (stopped.outcome, stopped.reason) == (Outcome.EXPIRED, Reason.TOO_OLD)


async def test_waiting_for_one_agent_after_the_other_has_an_end(store: Store) -> None:
    """The second one talks until after the closing: the day's is that of the first try, whoever missed it."""
    of = team(FIRST, SECOND, max_per_hour=9)
    await rang(store, of)
    talking = await rang(store, of, NOON + seconds(1), OTHER, "c2")
    await place_callback(store, FIRST_CALLBACK, of=of)
    await place_callback(store, talking, at=DUE + seconds(1), of=of)
    over = DUE + minutes(9)
    await misses(store, at=over, of=of)
    await claim_actions(store, 5, at=over, of=of)
    assert await rows(store, "SELECT reason, due_at, expires_at FROM actions WHERE id = 5") == [
        ("agent-busy", to_us(DUE), to_us(DUE + MAX_CAPACITY_WAIT))
    ]


async def test_an_agent_who_talks_is_waited_for_though_another_rests(store: Store) -> None:
    """The end of that call is an event; a rest that ends earlier is looked at too."""
    of = team(FIRST, SECOND, max_per_hour=9)
    await rang(store, of)
    talking = await rang(store, of, NOON + seconds(1), OTHER, "c2")
    await place_callback(store, FIRST_CALLBACK, of=of)
    await place_callback(store, talking, at=DUE + seconds(1), of=of)
    over = DUE + seconds(31)
    await misses(store, at=over, of=of)
    (stopped,) = (await claim_actions(store, 5, at=over, of=of)).stopped
    assert stopped.reason is Reason.AGENT_BUSY
    assert stopped.timer == Timer(to_us(over + minutes(2)), 5, Lane.VOICE)
    applied = await end_callback(
        store, Outcome.ANSWERED, talking, at=over + seconds(9), of=of, agent_came=True
    )
    assert Timer(to_us(over + seconds(9)), 5, Lane.VOICE) in applied.timers
    await place_callback(store, 5, at=over + seconds(9), of=of)
    assert (await tried(store))[-1] == (SECOND, None)
