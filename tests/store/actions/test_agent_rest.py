"""For how long an agent who missed a call is left alone, and what ends that rest."""

from __future__ import annotations

from datetime import timedelta

import pytest

from missedd.base.clock import to_us
from missedd.config.store_location import StoreLocation
from missedd.core.agent_rotation import Agent
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.store.actions.rows import Timer
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import (
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    minutes,
    policy,
    seconds,
)
from tests.store.actions.agent_team import (
    ALONE,
    FIRST,
    FIRST_CALLBACK,
    LAST,
    MISSED_AT,
    SECOND,
    TICK,
    left_alone,
    misses,
    rang,
    team,
    tried,
)
from tests.store.steps import DUE, admit_calls, claim_actions, end_callback, place_callback, rows


async def test_who_missed_is_left_alone_from_the_end_of_the_try(store: Store) -> None:
    """The report came a minute after the call had ended."""
    await rang(store, ALONE)
    await place_callback(store, FIRST_CALLBACK, of=ALONE)
    over = DUE + seconds(31)
    await misses(store, at=over + minutes(1), of=ALONE, ended_at=over)
    rests_until = over + minutes(2)
    assert await left_alone(store) == [(FIRST, 1, to_us(rests_until), "agent-no-answer")]
    (stopped,) = (await claim_actions(store, 3, at=over + minutes(1), of=ALONE)).stopped
    assert (stopped.reason, stopped.timer) == (
        Reason.AGENT_NO_ANSWER,
        Timer(to_us(rests_until), 3, Lane.VOICE),
    )
    (stopped,) = (await claim_actions(store, 3, at=rests_until - TICK, of=ALONE)).stopped
    assert stopped.timer == Timer(to_us(rests_until), 3, Lane.VOICE)
    await place_callback(store, 3, at=rests_until, of=ALONE)


@pytest.mark.parametrize(
    ("agent_retry", "rests"),
    [
        (minutes(2), [2, 4, 8, 16, 30, 30]),
        (seconds(30), [0.5, 1, 2, 4, 8, 16]),
        (minutes(20), [20, 30, 30, 30, 30, 30]),
        (minutes(45), [45, 45, 45, 45, 45, 45]),
    ],
)
async def test_each_miss_in_a_row_doubles_it_up_to_half_an_hour(
    store: Store, agent_retry: timedelta, rests: list[float]
) -> None:
    of = team(FIRST, max_per_hour=99, agent_retry=agent_retry, give_up_after=timedelta(hours=9))
    action_id, at = await rang(store, of), DUE
    for n, rest in enumerate(rests):
        await place_callback(store, action_id, at=at, of=of)
        over = at + seconds(31)
        await misses(store, action_id, over, of)
        at = over + minutes(rest)
        assert await left_alone(store) == [(FIRST, n + 1, to_us(at), "agent-no-answer")]
        action_id += 1


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.NO_ANSWER, Outcome.BUSY])
async def test_a_call_that_the_agent_takes_ends_the_rest(store: Store, outcome: Outcome) -> None:
    """Whatever became of the caller's side."""
    await rang(store, ALONE)
    await place_callback(store, FIRST_CALLBACK, of=ALONE)
    over = DUE + seconds(31)
    await misses(store, at=over, of=ALONE)
    at = over + minutes(2)
    await place_callback(store, 3, at=at, of=ALONE)
    await end_callback(store, outcome, 3, at=at + minutes(1), of=ALONE, agent_came=True)
    assert await left_alone(store) == []
    at += minutes(5)
    again = await rang(store, ALONE, at, OTHER, "c2")
    await place_callback(store, again, at=at + seconds(30), of=ALONE)
    over = at + minutes(1)
    await misses(store, again, over, ALONE)
    assert await left_alone(store) == [(FIRST, 1, to_us(over + minutes(2)), "agent-no-answer")]


async def test_a_call_that_says_nothing_of_the_agent_leaves_it_as_it_is(store: Store) -> None:
    await rang(store, ALONE)
    await place_callback(store, FIRST_CALLBACK, of=ALONE)
    over = DUE + seconds(31)
    await misses(store, at=over, of=ALONE)
    before, at = await left_alone(store), over + minutes(2)
    await place_callback(store, 3, at=at, of=ALONE)
    await end_callback(store, Outcome.NO_ANSWER, 3, at=at + minutes(1), of=ALONE)
    assert await left_alone(store) == before


async def test_who_missed_is_left_alone_by_every_campaign_and_after_a_restart(
    driver: Driver, location: StoreLocation
) -> None:
    of = policy(
        *ALONE.campaigns,
        campaign(
            name="care", exophones=(SECOND_EXOPHONE,), callback=callback(flow=None, agents=(FIRST, SECOND))
        ),
    )
    over = DUE + seconds(31)
    async with open_store(driver, location, "a test") as store:
        await rang(store, of)
        await place_callback(store, FIRST_CALLBACK, of=of)
        await misses(store, at=over, of=of)
    async with open_store(driver, location, "a test") as store:
        await admit_calls(store, call("c2", caller=OTHER, dialled=(SECOND_EXOPHONE,)), of=of)
        await place_callback(store, 4, at=over + seconds(1), of=of)
        assert await rows(store, "SELECT details ->> 'agent' FROM actions WHERE id = 4") == [(SECOND,)]


async def test_who_missed_goes_last_in_the_turn(store: Store) -> None:
    """When the rest is over: as long as they have not taken a call since."""
    of = team(max_per_hour=9)
    await rang(store, of)
    await place_callback(store, FIRST_CALLBACK, of=of)
    over = DUE + seconds(31)
    await misses(store, at=over, of=of)
    await place_callback(store, 3, at=over, of=of)
    await end_callback(store, Outcome.ANSWERED, 3, at=over + minutes(1), of=of, agent_came=True)
    at = over + minutes(5)
    ids = [await rang(store, of, at + seconds(n), f"+9197000000{n:02}", f"d{n}") for n in range(3)]
    for n, action_id in enumerate(ids):
        await place_callback(store, action_id, at=at + seconds(30 + n), of=of)
    assert [agent for agent, _ in (await tried(store))[2:]] == [LAST, SECOND, FIRST]


async def test_an_answer_that_ends_a_rest_lets_those_go_who_wait_for_it(store: Store) -> None:
    """An agent who takes two calls misses the second while the first is on its way, and takes that."""
    of = team(Agent(FIRST, None, 2), max_per_hour=9)
    await rang(store, of)
    other = await rang(store, of, NOON + seconds(1), OTHER, "c2")
    await place_callback(store, FIRST_CALLBACK, of=of)
    await place_callback(store, other, at=DUE + seconds(1), of=of)
    await misses(store, other, of=of)
    (stopped,) = (await claim_actions(store, 5, at=MISSED_AT, of=of)).stopped
    assert stopped.timer == Timer(to_us(MISSED_AT + minutes(2)), 5, Lane.VOICE)
    over = MISSED_AT + seconds(20)
    applied = await end_callback(store, Outcome.ANSWERED, FIRST_CALLBACK, at=over, of=of, agent_came=True)
    assert Timer(to_us(over), 5, Lane.VOICE) in applied.timers
    await place_callback(store, 5, at=over, of=of)
