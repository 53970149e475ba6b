"""A retry, or the next agent's try, and the callback for a later call of the same person."""

from __future__ import annotations

from datetime import timedelta

from missedd.base.clock import to_us
from missedd.core.model import Lane, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.actions.rows import Timer
from missedd.store.store import Store
from tests.core.campaigns import AGENTS, NOON, callback, campaign, minutes, policy, seconds
from tests.store.actions.owed import (
    ALREADY_OWED,
    EAGER,
    OWED,
    SECOND,
    instants,
    kept,
    rang,
    replaced_by,
    wakes,
)
from tests.store.steps import DUE, actions, end_callback, place_callback, rows


# Retries.
async def unanswered(store: Store) -> None:
    await rang(store, "c1", NOON)
    await place_callback(store, of=EAGER)
    await end_callback(store, Outcome.NO_ANSWER, at=DUE + seconds(40), of=EAGER)


async def test_a_retry_gives_way_to_a_new_call_s_callback(store: Store) -> None:
    """Nobody has waited since the call that was called back already: the new call's own delay applies."""
    await unanswered(store)
    assert (await actions(store))[1] == ("planned", None, "retry-unanswered")
    again = DUE + minutes(5)
    await rang(store, "c2", again)
    assert (await actions(store))[1:] == [ALREADY_OWED, OWED]
    assert (await replaced_by(store))[1] == "3"
    assert await kept(store, 3) == instants(again + seconds(30), again + minutes(15), None)
    assert await rows(store, "SELECT retry_index, origin_id FROM actions WHERE id = 3") == [(0, None)]


async def test_a_retry_that_is_due_later_does_not_hold_the_new_one_back(store: Store) -> None:
    await unanswered(store)
    again = DUE + minutes(1)
    await rang(store, "c2", again)
    assert await kept(store, 3) == instants(again + seconds(30), again + minutes(15), None)


async def test_what_remains_begins_the_retries_anew(store: Store) -> None:
    await unanswered(store)
    again = DUE + minutes(1)
    await rang(store, "c2", again)
    await place_callback(store, 3, at=again + seconds(30), of=EAGER)
    over = again + minutes(1)
    applied = await end_callback(store, Outcome.BUSY, 3, at=over, of=EAGER)
    assert applied.timers == (Timer(to_us(over + minutes(5)), 4, Lane.VOICE),)
    assert await rows(store, "SELECT retry_index, origin_id, reason FROM actions WHERE id = 4") == [
        (1, 3, "retry-unanswered")
    ]


async def test_no_retry_beside_the_callback_for_a_later_call(store: Store) -> None:
    """The caller rang again while the callback was on its way."""
    await rang(store, "c1", NOON)
    await place_callback(store, of=EAGER)
    again = DUE + seconds(20)
    await rang(store, "c2", again)
    applied = await end_callback(store, Outcome.NO_ANSWER, at=DUE + seconds(40), of=EAGER)
    assert await actions(store) == [("done", "no-answer", "customer-no-answer"), OWED, ALREADY_OWED]
    assert (await replaced_by(store))[2] == "2"
    assert await kept(store, 2) == instants(again + seconds(30), again + minutes(15), None)
    assert applied.timers == ()
    assert await wakes(store) == [Timer(to_us(again + seconds(30)), 2, Lane.VOICE)]


# The next agent.
TEAM = policy(
    campaign(
        callback=callback(flow=None, agents=AGENTS[:2], max_per_hour=9, retries=(minutes(5),)),
        dedup_window=timedelta(0),
    )
)


async def test_the_next_agent_s_try_gives_way_to_a_later_call_s_and_hastens_it(store: Store) -> None:
    await rang(store, "c1", NOON, TEAM)
    await place_callback(store, of=TEAM)
    again = DUE + seconds(20)
    await rang(store, "c2", again, TEAM)
    missed_at = DUE + seconds(31)
    applied = await end_callback(
        store, Outcome.FAILED, at=missed_at, of=TEAM, reason=Reason.AGENT_NO_ANSWER, ended_at=missed_at
    )
    assert await actions(store) == [("done", "failed", "agent-no-answer"), OWED, ALREADY_OWED]
    assert await kept(store, 2) == instants(DUE, again + minutes(15), NOON)
    assert applied.timers == (Timer(to_us(DUE), 2, Lane.VOICE),)
    await place_callback(store, 2, at=missed_at, of=TEAM)
    assert await rows(store, "SELECT details ->> 'agent' FROM actions WHERE id = 2") == [(AGENTS[1],)]


async def test_the_next_agent_s_try_keeps_since_when_somebody_waits(store: Store) -> None:
    await rang(store, "c1", NOON, TEAM)
    await rang(store, "c2", SECOND, TEAM)
    await place_callback(store, 2, of=TEAM)
    missed_at = DUE + seconds(31)
    await end_callback(store, Outcome.FAILED, 2, at=missed_at, of=TEAM, reason=Reason.AGENT_BUSY)
    assert await kept(store, 3) == instants(DUE, SECOND + minutes(15), NOON)
    assert await rows(store, "SELECT retry_index, origin_id, state FROM actions WHERE id = 3") == [
        (0, 2, State.PLANNED)
    ]


async def test_a_retry_counts_from_no_call_at_all(store: Store) -> None:
    await rang(store, "c1", NOON)
    await rang(store, "c2", SECOND)
    await place_callback(store, 2, of=EAGER)
    await end_callback(store, Outcome.NO_ANSWER, 2, at=DUE + seconds(40), of=EAGER)
    retry_at = DUE + seconds(40) + minutes(5)
    assert await kept(store, 3) == instants(retry_at, retry_at + minutes(15), None)
