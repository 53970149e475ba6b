"""Agents in turn on disk: one after the other in each campaign, across restarts, in their hours."""

from __future__ import annotations

from datetime import datetime

from missedd.config.store_location import StoreLocation
from missedd.core.agent_rotation import Agent
from missedd.core.model import Outcome
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import (
    AGENTS,
    NOON,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    ist,
    minutes,
    policy,
    seconds,
    sms,
)
from tests.core.test_agent_rotation import EVENING, MORNING
from tests.store.steps import admit_calls, answer_action, claim_actions, report_outcome, rows

TWO_TEAMS = policy(
    campaign(callback=callback(flow=None, agents=AGENTS)),
    campaign(
        name="care",
        exophones=(SECOND_EXOPHONE,),
        callback=callback(flow=None, agents=AGENTS[:2], first="customer"),
        sms=sms(),
    ),
)


async def ringing(store: Store, first: int, count: int, of: Policy, exophone: str, at: datetime) -> None:
    """So many callers, each called back half a minute later; then all of these calls end."""
    before = await rows(store, "SELECT coalesce(max(id), 0) FROM actions")
    calls = (
        call(f"c{n}", at, caller=f"+9197{n:08}", dialled=(exophone,)) for n in range(first, first + count)
    )
    await admit_calls(store, *calls, of=of, at=at)
    ids = await rows(store, "SELECT id FROM actions WHERE id > ? AND kind = 'callback'", before[0][0])
    claims = await claim_actions(store, *(each for (each,) in ids), at=at + seconds(30), of=of)
    assert len(claims.claimed) == count, "each of them has an agent"
    for one in claims.claimed:
        sid, over_at = f"sid-{one.action.id}", at + seconds(50)
        await answer_action(store, Accepted(sid), one.action.id, at=at + seconds(31), of=of)
        await report_outcome(store, Outcome.ANSWERED, one.action.id, sid=sid, at=over_at, of=of)


async def rung(store: Store, name: str = "admissions") -> list[tuple[object, ...]]:
    return await rows(
        store,
        """SELECT details ->> 'agent', details ->> 'first' FROM actions
           WHERE kind = 'callback' AND campaign = ? ORDER BY id""",
        name,
    )


async def test_each_campaign_goes_round_its_list_also_after_a_restart(
    driver: Driver, location: StoreLocation
) -> None:
    async with open_store(driver, location, "a test") as store:
        await ringing(store, 0, 2, TWO_TEAMS, "+918047120001", NOON)
        await ringing(store, 10, 1, TWO_TEAMS, SECOND_EXOPHONE, NOON)
    async with open_store(driver, location, "a test") as store:
        await ringing(store, 2, 3, TWO_TEAMS, "+918047120001", NOON + minutes(1))
        await ringing(store, 11, 2, TWO_TEAMS, SECOND_EXOPHONE, NOON + minutes(1))
        assert await rung(store) == [(each, "agent") for each in (*AGENTS, *AGENTS[:2])]
        assert await rung(store, "care") == [(AGENTS[n], "customer") for n in (0, 1, 0)]
        assert await rows(store, "SELECT DISTINCT details FROM actions WHERE kind = 'sms'") == [("{}",)]


async def test_who_is_not_on_duty_is_passed_over(store: Store) -> None:
    first, second, third = AGENTS
    of = policy(
        campaign(
            callback=callback(
                flow=None, agents=(Agent(first, MORNING), Agent(second, EVENING), Agent(third, EVENING))
            )
        )
    )
    for n in range(2):
        await ringing(store, n, 1, of, "+918047120001", ist("2026-11-23 12:30") + minutes(n))
    for n in range(2, 5):
        await ringing(store, n, 1, of, "+918047120001", ist("2026-11-23 14:00") + minutes(n))
    assert [agent for agent, _ in await rung(store)] == [first, first, second, third, second]


async def test_the_agent_of_the_moment_is_asked_for_at_the_claim(store: Store) -> None:
    """Planned while the morning's agent is on duty, due when only the evening's is."""
    first, second, _ = AGENTS
    of = policy(
        campaign(callback=callback(flow=None, agents=(Agent(first, MORNING), Agent(second, EVENING))))
    )
    at = ist("2026-11-23 12:59") + seconds(45)
    await ringing(store, 0, 1, of, "+918047120001", at)
    assert [agent for agent, _ in await rung(store)] == [second]


async def test_a_callback_with_no_agent_on_duty_is_held_and_its_expiry_moves(store: Store) -> None:
    of = policy(campaign(callback=callback(flow=None, agents=(Agent(AGENTS[0], MORNING),))))
    night = ist("2026-11-23 20:00")
    (decided,) = await admit_calls(store, call(at=night), of=of, at=night)
    (planned,) = decided.admission.actions
    opening = ist("2026-11-24 09:00")
    assert (planned.state, planned.reason, planned.due_at) == ("held", Reason.NO_AGENT_ON_DUTY, opening)
    assert planned.expires_at == opening + minutes(15)
    claims = await claim_actions(store, 1, at=opening + minutes(1), of=of)
    assert [each.action.details["agent"] for each in claims.claimed] == [AGENTS[0]]


async def test_a_postponed_callback_is_the_next_agents(store: Store) -> None:
    await admit_calls(store, call(), of=TWO_TEAMS)
    await claim_actions(store, 1, of=TWO_TEAMS)
    await answer_action(store, Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=10))
    assert await rung(store) == [(AGENTS[0], "agent")]
    await claim_actions(store, 1, at=NOON + minutes(2), of=TWO_TEAMS)
    assert await rung(store) == [(AGENTS[1], "agent")]
    assert await rows(store, "SELECT outcome FROM actions WHERE outcome = ?", Outcome.DROPPED) == []


async def test_an_agent_of_an_earlier_attempt_is_forgotten_with_the_configuration(store: Store) -> None:
    await admit_calls(store, call(), of=TWO_TEAMS)
    await claim_actions(store, 1, at=NOON + seconds(30), of=TWO_TEAMS)
    await answer_action(store, Refused(True, "429", Reason.RATE_LIMITED), at=NOON + seconds(31))
    flow = policy(campaign(callback=callback()))
    (again,) = (await claim_actions(store, 1, at=NOON + minutes(2), of=flow)).claimed
    assert (again.attempt, again.action.details) == (2, {})
    assert await rung(store) == [(None, None)]
