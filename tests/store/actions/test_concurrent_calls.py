"""How many calls at a time go through a flow, and how many channels the account has."""

from __future__ import annotations

from functools import partial

import pytest

from missedd.core.agent_rotation import UNLIMITED_CALLS
from missedd.core.model import Outcome
from missedd.store.people.suppressions import suppress
from missedd.store.store import Store
from tests.core.campaigns import NOON, SECOND_EXOPHONE, call, callback, campaign, policy, seconds
from tests.store.actions.call_places import (
    AGENT,
    OTHER_AGENT,
    OVER,
    caller,
    ended_as_placed,
    rings,
    shared,
    try_all,
    waits,
    with_agents,
    woken,
    woken_go,
)
from tests.store.steps import DUE, admit_calls, claim_actions, end_callback, place_callback


# A flow.
async def test_a_flow_has_as_many_calls_as_it_says(store: Store) -> None:
    """Of that campaign's own: another's do not count."""
    of = shared(callback(calls_at_once=2), callback())
    await rings(store, of, 1, 2, exophone=SECOND_EXOPHONE)
    await rings(store, of, 3, 4, 5, at=NOON + seconds(2))
    assert await try_all(store, 1, 2, 3, 4, 5, of=of, at=DUE + seconds(5)) == [1, 2, 3, 4]
    assert await waits(store, 5) == "calls-at-once"
    assert (await end_callback(store, Outcome.NO_ANSWER, 1, at=OVER, of=of)).timers == ()
    applied = await end_callback(store, Outcome.NO_ANSWER, 3, at=OVER, of=of)
    assert list(applied.timers) == woken(OVER, 5)
    assert await try_all(store, 5, of=of, at=OVER) == [5]


@pytest.mark.parametrize("at_once", [None, UNLIMITED_CALLS])
async def test_a_flow_has_no_limit_unless_it_says_so(store: Store, at_once: int | None) -> None:
    of = policy(campaign(callback=callback(calls_at_once=at_once)))
    await rings(store, of, *range(20), gap_s=0)
    assert len(await try_all(store, *range(1, 21), of=of, at=DUE)) == 20


async def test_an_agent_who_is_called_back_by_a_flow_takes_a_place_of_it(store: Store) -> None:
    """Its end frees that place, not only the agent."""
    of = shared(with_agents(AGENT), callback(calls_at_once=1))
    await admit_calls(store, call("c1", caller=AGENT, dialled=(SECOND_EXOPHONE,)), of=of)
    await rings(store, of, 1, at=NOON + seconds(1), exophone=SECOND_EXOPHONE)
    await place_callback(store, 1, of=of)
    await claim_actions(store, 2, at=DUE + seconds(1), of=of)
    assert await waits(store, 2) == "calls-at-once"
    applied = await end_callback(store, Outcome.NO_ANSWER, at=OVER, of=of)
    assert list(applied.timers) == woken(OVER, 2)


# Channels.
async def test_two_numbers_take_two_channels(store: Store) -> None:
    of = shared(callback(), with_agents(AGENT, OTHER_AGENT), channels=3)
    await rings(store, of, 1)
    await rings(store, of, 2, 3, at=NOON + seconds(1), exophone=SECOND_EXOPHONE)
    await rings(store, of, 4, at=NOON + seconds(3))
    assert await try_all(store, 1, 2, 3, 4, of=of, at=DUE + seconds(5)) == [1, 2]
    assert [await waits(store, n) for n in (3, 4)] == ["channels-busy"] * 2
    applied = await end_callback(store, Outcome.ANSWERED, 2, at=OVER, of=of)
    assert list(applied.timers) == woken(OVER, 3, 4), "as many as there are channels free"
    assert await try_all(store, 4, 3, of=of, at=OVER) == [3], "who rang first"
    assert await waits(store, 4) == "channels-busy"


async def test_who_needs_two_channels_is_not_overtaken_by_those_who_need_one(store: Store) -> None:
    of = shared(callback(), with_agents(AGENT), channels=2)
    await rings(store, of, 1, 2)
    await rings(store, of, 3, at=NOON + seconds(2), exophone=SECOND_EXOPHONE)
    await rings(store, of, 4, 5, at=NOON + seconds(3))
    assert await try_all(store, 1, 2, 3, 4, 5, of=of, at=DUE + seconds(5)) == [1, 2]
    await end_callback(store, Outcome.ANSWERED, 1, at=OVER, of=of)
    assert await try_all(store, 4, 5, of=of, at=OVER) == [], "one channel is free, and the other is awaited"
    assert [await waits(store, n) for n in (3, 4, 5)] == ["channels-busy"] * 3
    later = OVER + seconds(9)
    await end_callback(store, Outcome.ANSWERED, 2, at=later, of=of)
    assert await woken_go(store, later, of) == [3]
    await ended_as_placed(store, 3, later + seconds(9), of)
    assert await woken_go(store, later + seconds(9), of) == [4, 5]


async def test_a_channel_that_was_kept_for_one_who_is_gone_is_taken(store: Store) -> None:
    of = shared(callback(), with_agents(AGENT), channels=2)
    await rings(store, of, 1, 2)
    await rings(store, of, 3, at=NOON + seconds(2), exophone=SECOND_EXOPHONE)
    await rings(store, of, 4, 5, at=NOON + seconds(3))
    assert await try_all(store, 1, 2, 3, 4, 5, of=of, at=DUE + seconds(5)) == [1, 2]
    await ended_as_placed(store, 1, OVER, of)
    assert await woken_go(store, OVER, of) == []
    await store.write(partial(suppress, number=caller(3), reason="asked", source="api", now=OVER, until=None))
    later = OVER + seconds(9)
    await ended_as_placed(store, 2, later, of)
    assert await woken_go(store, later, of) == [4, 5]


async def test_channels_are_the_account_s(store: Store) -> None:
    of = shared(callback(), callback(), channels=2)
    await rings(store, of, 1, 2)
    await rings(store, of, 3, at=NOON + seconds(2), exophone=SECOND_EXOPHONE)
    assert await try_all(store, 1, 2, 3, of=of, at=DUE + seconds(5)) == [1, 2]
    assert await waits(store, 3) == "channels-busy"
    applied = await end_callback(store, Outcome.NO_ANSWER, 1, at=OVER, of=of)
    assert list(applied.timers) == woken(OVER, 3)
