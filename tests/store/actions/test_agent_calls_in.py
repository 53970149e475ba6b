"""An agent who calls the number too: the callback goes to another agent."""

from __future__ import annotations

from missedd.base.clock import to_us
from missedd.core.agent_rotation import Agent
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.store.actions.rows import Timer
from missedd.store.store import Store
from tests.core.campaigns import NOON, THIRD, call, ist, minutes, seconds
from tests.core.test_agent_rotation import EVENING, MORNING
from tests.store.actions.agent_team import (
    ALONE,
    FIRST,
    FIRST_CALLBACK,
    SECOND,
    TEAM,
    misses,
    rang,
    team,
    tried,
)
from tests.store.steps import (
    DUE,
    actions,
    admit_calls,
    claim_actions,
    end_callback,
    place_callback,
    rows,
    verdict_texts,
)


async def test_an_agent_is_not_connected_with_himself(store: Store) -> None:
    of = team(FIRST, SECOND)
    action_id = await rang(store, of, caller=FIRST)
    await place_callback(store, action_id, of=of)
    assert await tried(store) == [(SECOND, None)]


async def test_where_there_is_no_other_it_is_dropped(store: Store) -> None:
    await rang(store, ALONE, caller=FIRST)
    assert (await actions(store))[-1] == ("done", "dropped", "agent-is-caller")


async def test_the_other_s_hours_count_and_not_the_caller_s_own(store: Store) -> None:
    of = team(Agent(FIRST, MORNING), Agent(SECOND, EVENING))
    evening = ist("2026-11-23 13:00")
    await rang(store, of, ist("2026-11-23 09:30"), FIRST)
    assert await rows(store, "SELECT state, reason, due_at FROM actions WHERE id = 2") == [
        ("held", "no-agent-on-duty", to_us(evening))
    ]
    await place_callback(store, 2, at=evening, of=of)
    assert await tried(store) == [(SECOND, None)]


async def test_the_other_is_waited_for(store: Store) -> None:
    of = team(SECOND, FIRST)
    await rang(store, of, caller=THIRD)
    await place_callback(store, FIRST_CALLBACK, of=of)
    action_id = await rang(store, of, NOON + seconds(1), FIRST, "c2")
    (stopped,) = (await claim_actions(store, action_id, at=DUE + seconds(1), of=of)).stopped
    assert stopped.reason is Reason.AGENT_BUSY
    over = DUE + minutes(1)
    applied = await end_callback(store, Outcome.ANSWERED, FIRST_CALLBACK, at=over, of=of)
    assert Timer(to_us(over), action_id, Lane.VOICE) in applied.timers
    await place_callback(store, action_id, at=over, of=of)
    assert await tried(store) == [(SECOND, "answered"), (SECOND, None)]


async def test_the_caller_s_wish_is_heard_by_the_next_call_too(store: Store) -> None:
    """A caller who rings again while the next agent is tried is owed one callback, as ever."""
    await rang(store)
    await place_callback(store, FIRST_CALLBACK, of=TEAM)
    await misses(store)
    again = DUE + seconds(33)
    found = await admit_calls(store, call("c2", again), of=TEAM, at=again)
    assert verdict_texts(found) == ["accepted"]
    assert (await actions(store))[1:] == [
        ("done", "failed", "agent-no-answer"),
        ("done", "dropped", "already-owed"),
        ("done", "recorded", "recorded-at-once"),
        ("planned", None, "owed"),
    ]
    assert await rows(store, "SELECT due_at, chain_at FROM actions WHERE id = 5") == [
        (to_us(DUE), to_us(NOON))
    ]
