"""How many calls at a time one agent takes, and what a callback does while its agent is busy."""

from __future__ import annotations

from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.config.store_location import StoreLocation
from missedd.core.agent_rotation import UNLIMITED_CALLS, Agent
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Refused
from missedd.store.actions.attempts import recover_in_flight
from missedd.store.actions.rows import Timer
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import NOON, SECOND_EXOPHONE, call, callback, ist, minutes, seconds
from tests.core.test_agent_rotation import EVENING, MORNING
from tests.store.actions.call_places import (
    AGENT,
    HOUR,
    ONE,
    OTHER_AGENT,
    OVER,
    TICK,
    of_agents,
    rings,
    shared,
    try_all,
    waits,
    with_agents,
    woken,
)
from tests.store.steps import (
    DUE,
    admit_calls,
    claim_actions,
    end_callback,
    place_callback,
    record_answer,
    rows,
)

LANDLINE, TOLL_FREE = "+912266001234", "+9118001234567"
LONGEST = seconds(1) + HOUR + minutes(1)
"""Two rings of half a minute, the longest talk, and the way there."""


@pytest.mark.parametrize(
    ("agent", "of_campaign", "limit"),
    [
        (AGENT, None, 1),
        (AGENT, 2, 2),
        (AGENT, UNLIMITED_CALLS, 4),
        (Agent(AGENT, None, 3), None, 3),
        (Agent(AGENT, None, 3), 1, 3),
        (Agent(AGENT, None, 1), UNLIMITED_CALLS, 1),
        (LANDLINE, None, 4),
        (TOLL_FREE, None, 4),
        (LANDLINE, 2, 2),
        (Agent(LANDLINE, None, 1), None, 1),
    ],
)
async def test_how_many_calls_an_agent_takes_at_once(
    store: Store, agent: str | Agent, of_campaign: int | None, limit: int
) -> None:
    """A mobile one and a landline any, unless the campaign or the agent's own table says otherwise."""
    of = of_agents(agent, calls_at_once=of_campaign)
    await rings(store, of, 1, 2, 3, 4)
    at = DUE + seconds(5)
    assert await try_all(store, 1, 2, 3, 4, of=of, at=at) == list(range(1, limit + 1))
    assert [await waits(store, n) for n in range(limit + 1, 5)] == ["agent-busy"] * (4 - limit)


async def test_a_callback_for_a_busy_agent_waits_and_is_woken_by_the_end_of_the_call(store: Store) -> None:
    await rings(store, ONE, 1, 2)
    await place_callback(store, 1, of=ONE)
    (stopped,) = (await claim_actions(store, 2, at=DUE + seconds(1), of=ONE)).stopped
    assert (stopped.reason, stopped.outcome) == (Reason.AGENT_BUSY, None)
    assert stopped.timer == woken(DUE + LONGEST, 2)[0]
    applied = await end_callback(store, Outcome.ANSWERED, at=OVER, of=ONE)
    assert list(applied.timers) == woken(OVER, 2)
    await place_callback(store, 2, at=OVER, of=ONE)


@pytest.mark.parametrize("is_final", [True, False])
async def test_a_refusal_frees_the_agent(store: Store, is_final: bool) -> None:
    await rings(store, ONE, 1, 2)
    await claim_actions(store, 1, of=ONE)
    await claim_actions(store, 2, at=DUE + seconds(1), of=ONE)
    refused = Refused(not is_final, "400", Reason.PROVIDER_REFUSED)
    wakes = await record_answer(store, refused, at=DUE + seconds(2), of=ONE)
    assert set(woken(DUE + seconds(2), 2)) <= set(wakes)
    assert await try_all(store, 2, of=ONE, at=DUE + seconds(2)) == [2]


async def test_a_callback_for_a_busy_agent_waits_no_longer_than_the_longest_call(store: Store) -> None:
    of = of_agents(AGENT, time_limit=minutes(10))
    await rings(store, of, 1, 2)
    await place_callback(store, 1, of=of)
    over = DUE + seconds(1) + minutes(11)
    (stopped,) = (await claim_actions(store, 2, at=DUE + seconds(1), of=of)).stopped
    assert stopped.timer == woken(over, 2)[0]
    assert await try_all(store, 2, of=of, at=over - TICK) == []
    assert await try_all(store, 2, of=of, at=over) == [2]


async def test_the_call_that_it_waits_for_is_looked_up_earlier(store: Store) -> None:
    await rings(store, ONE, 1, 2)
    await place_callback(store, 1, of=ONE)
    claims = await claim_actions(store, 2, at=DUE + seconds(1), of=ONE)
    assert claims.other_timers == (Timer(to_us(DUE + seconds(60)), 1, Lane.LOOKUP),)
    assert await rows(store, "SELECT wake_at FROM actions WHERE id = 1") == [(to_us(DUE + seconds(60)),)]


@pytest.mark.parametrize(
    ("first", "second", "limit"),
    [
        (None, None, 1),
        (2, 1, 1),
        (1, 2, 1),
        (2, 2, 2),
        (UNLIMITED_CALLS, 2, 2),
        (UNLIMITED_CALLS, UNLIMITED_CALLS, 4),
    ],
)
async def test_an_agent_of_two_campaigns_is_one_person(
    store: Store, first: int | None, second: int | None, limit: int
) -> None:
    """Where they differ the smallest counts, for both."""
    of = shared(with_agents(AGENT, calls_at_once=first), with_agents(AGENT, calls_at_once=second))
    await rings(store, of, 1, 2)
    await rings(store, of, 3, 4, at=NOON + seconds(2), exophone=SECOND_EXOPHONE)
    went = await try_all(store, 1, 3, 2, 4, of=of, at=DUE + seconds(5))
    assert len(went) == limit
    held = [n for n in range(1, 5) if await waits(store, n) == "agent-busy"]
    assert sorted([*went, *held]) == [1, 2, 3, 4]


@pytest.mark.parametrize("at_once", [None, UNLIMITED_CALLS])
async def test_an_agent_who_is_called_back_as_a_caller_is_busy(store: Store, at_once: int | None) -> None:
    """He rang another campaign, which has a flow. As a caller he has one call, whatever he takes else."""
    of = shared(with_agents(AGENT, calls_at_once=at_once), callback())
    await admit_calls(store, call("c1", caller=AGENT, dialled=(SECOND_EXOPHONE,)), of=of)
    await rings(store, of, 1, at=NOON + seconds(1))
    await place_callback(store, 1, of=of)
    await claim_actions(store, 2, at=DUE + seconds(1), of=of)
    assert await waits(store, 2) == "agent-busy"
    applied = await end_callback(store, Outcome.NO_ANSWER, at=OVER, of=of)
    assert list(applied.timers) == woken(OVER, 2)


async def test_a_free_agent_is_rung_whosever_turn_it_is(store: Store) -> None:
    of = of_agents(AGENT, OTHER_AGENT)
    await rings(store, of, 1, 2, 3, 4)
    assert await try_all(store, 1, 2, 3, of=of, at=DUE + seconds(5)) == [1, 2]
    await end_callback(store, Outcome.ANSWERED, 2, at=OVER, of=of)
    assert await try_all(store, 3, of=of, at=OVER) == [3]
    found = await rows(store, "SELECT details ->> 'agent' FROM actions WHERE id <= 3 ORDER BY id")
    assert [agent for (agent,) in found] == [AGENT, OTHER_AGENT, OTHER_AGENT]


async def test_an_agent_who_comes_on_duty_is_not_missed(store: Store) -> None:
    """The morning's agent talks on at one o'clock; the evening's takes whoever waits for him."""
    of = of_agents(Agent(AGENT, MORNING), Agent(OTHER_AGENT, EVENING))
    one_o_clock = ist("2026-11-23 13:00")
    await rings(store, of, 1, 2, at=one_o_clock - minutes(5))
    due = one_o_clock - minutes(5) + seconds(31)
    assert await try_all(store, 1, of=of, at=due) == [1]
    (stopped,) = (await claim_actions(store, 2, at=due, of=of)).stopped
    assert (stopped.reason, stopped.timer) == (Reason.AGENT_BUSY, woken(one_o_clock, 2)[0])
    assert await try_all(store, 2, of=of, at=one_o_clock) == [2]


async def test_an_attempt_from_before_a_crash_counts(driver: Driver, location: StoreLocation) -> None:
    async with open_store(driver, location, "a test") as store:
        await rings(store, ONE, 1, 2)
        await claim_actions(store, 1, of=ONE)
    async with open_store(driver, location, "a test") as store:
        await store.write(partial(recover_in_flight, now=DUE + seconds(5)))
        assert await try_all(store, 2, of=ONE, at=DUE + seconds(5)) == []
        assert await waits(store, 2) == "agent-busy"
