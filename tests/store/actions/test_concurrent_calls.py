"""How many calls go on at once: with an agent, in a flow, on the account; and who gets the next place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from missedd.base.clock import to_us
from missedd.core.admission.pauses import Pause
from missedd.core.agent_rotation import UNLIMITED_CALLS, Agent
from missedd.core.audit import Actor, Source
from missedd.core.model import Lane, Outcome
from missedd.core.policy import AfterHoursCallback, Policy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Refused
from missedd.store.actions import claims as claiming
from missedd.store.actions.attempts import recover_in_flight
from missedd.store.actions.concurrent_calls import earliest_competitor
from missedd.store.actions.pauses import pause
from missedd.store.actions.rows import ActionRow, Timer
from missedd.store.db.database import Database
from missedd.store.people.suppressions import suppress
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import (
    AGENTS,
    EXOPHONE,
    NOON,
    SECOND_EXOPHONE,
    after_hours,
    call,
    callback,
    campaign,
    ist,
    minutes,
    office,
    policy,
    seconds,
)
from tests.core.test_agent_rotation import EVENING, MORNING
from tests.store.steps import (
    DUE,
    actions,
    admit_calls,
    claim_actions,
    end_callback,
    place_callback,
    record_answer,
    rows,
)

AGENT, OTHER_AGENT, _ = AGENTS
LANDLINE, TOLL_FREE = "+912266001234", "+9118001234567"
THIRD_EXOPHONE = "+918047120009"
HOUR = timedelta(hours=1)
TICK = timedelta(microseconds=1)
OVER = DUE + minutes(1)
LONGEST = seconds(1) + HOUR + minutes(1)
"""Two rings of half a minute, the longest talk, and the way there."""


def caller(n: int) -> str:
    return f"+9197000000{n:02}"


def with_agents(*agents: str | Agent, **changes: object) -> object:
    return callback(flow=None, agents=agents, **changes)


def of_agents(*agents: str | Agent, **changes: object) -> Policy:
    return policy(campaign(callback=with_agents(*agents, **changes)))


def shared(first: object, second: object, channels: int | None = None) -> Policy:
    """Two campaigns, `admissions` and `care`."""
    both = policy(
        campaign(callback=first), campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=second)
    )
    return replace(both, channels=channels)


ONE = of_agents(AGENT)


async def rings(
    store: Store, of: Policy, *numbers: int, at: datetime = NOON, exophone: str = EXOPHONE, gap_s: float = 1
) -> None:
    """Callers, a second apart; each of the campaigns here owes a callback and nothing else."""
    for n, number in enumerate(numbers):
        when = at + seconds(n * gap_s)
        inbound = call(f"c{number}-{exophone}", when, caller=caller(number), dialled=(exophone,))
        await admit_calls(store, inbound, of=of, at=when)


async def try_all(store: Store, *ids: int, of: Policy, at: datetime, limit: int = 64) -> list[int]:
    """Which of these callbacks go."""
    return [each.action.id for each in (await claim_actions(store, *ids, at=at, of=of, limit=limit)).claimed]


async def waits(store: Store, action_id: int) -> str | None:
    """What a held one waits for."""
    ((state, reason),) = await rows(store, "SELECT state, reason FROM actions WHERE id = ?", action_id)
    return str(reason) if state == "held" else None


def woken(at: datetime, *ids: int) -> list[Timer]:
    return [Timer(to_us(at), action_id, Lane.VOICE) for action_id in ids]


# Agents.
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


async def test_it_waits_for_the_agent_and_is_woken_by_the_end_of_that_call(store: Store) -> None:
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


async def test_it_waits_at_the_latest_until_that_call_cannot_be_up(store: Store) -> None:
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


async def test_an_attempt_from_before_a_crash_counts(driver: Driver, path: Path) -> None:
    async with open_store(driver, path, "a test") as store:
        await rings(store, ONE, 1, 2)
        await claim_actions(store, 1, of=ONE)
    async with open_store(driver, path, "a test") as store:
        await store.write(partial(recover_in_flight, now=DUE + seconds(5)))
        assert await try_all(store, 2, of=ONE, at=DUE + seconds(5)) == []
        assert await waits(store, 2) == "agent-busy"


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


# Its expiry.
OPEN_ALL_DAY = policy(campaign(callback=with_agents(AGENT), hours=office()))


@pytest.mark.parametrize(
    ("of", "expires_at"),
    [
        (OPEN_ALL_DAY, ist("2026-11-23 18:30")),
        (ONE, NOON + seconds(31) + 2 * HOUR),
        (of_agents(AGENT, give_up_after=5 * HOUR), NOON + seconds(1) + 5 * HOUR),
        (
            policy(
                campaign(
                    callback=with_agents(AGENT, give_up_after=9 * HOUR),
                    hours=office(),
                )
            ),
            NOON + seconds(1) + 9 * HOUR,
        ),
        (
            policy(
                campaign(
                    callback=with_agents(AGENT),
                    hours=office(),
                    after_hours=after_hours(AfterHoursCallback.SAME),
                )
            ),
            NOON + seconds(31) + 2 * HOUR,
        ),
        (policy(campaign(callback=callback(calls_at_once=1))), NOON + seconds(31) + 2 * HOUR),
        (replace(policy(campaign(callback=callback())), channels=1), NOON + seconds(31) + 2 * HOUR),
    ],
)
async def test_waiting_for_a_place_moves_the_expiry(store: Store, of: Policy, expires_at: datetime) -> None:
    """To the day's closing, or to two hours where there are none; never nearer."""
    await rings(store, of, 1, 2)
    await place_callback(store, 1, of=of)
    await claim_actions(store, 2, at=DUE + seconds(1), of=of)
    assert await rows(store, "SELECT due_at, expires_at FROM actions WHERE id = 2") == [
        (to_us(DUE + seconds(1)), to_us(expires_at))
    ]
    await claim_actions(store, 2, at=DUE + minutes(30), of=of)
    assert await rows(store, "SELECT expires_at FROM actions WHERE id = 2") == [(to_us(expires_at),)]


async def test_then_it_expires(store: Store) -> None:
    """The agent talks for longer than anybody waits."""
    of = of_agents(AGENT, time_limit=4 * HOUR)
    await rings(store, of, 1, 2)
    await place_callback(store, 1, of=of)
    expiry = DUE + seconds(1) + 2 * HOUR
    (stopped,) = (await claim_actions(store, 2, at=DUE + seconds(1), of=of)).stopped
    assert stopped.timer == woken(expiry + TICK, 2)[0]
    (stopped,) = (await claim_actions(store, 2, at=expiry + TICK, of=of)).stopped
    assert (stopped.outcome, stopped.reason) == (Outcome.EXPIRED, Reason.TOO_OLD)


# Oldest first.
async def test_at_an_opening_the_oldest_go_first(store: Store) -> None:
    """As many as there are agents; in whatever order, and by however many, they are asked for."""
    of = policy(campaign(callback=with_agents(AGENT, OTHER_AGENT), hours=office()))
    night, opening = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")
    await rings(store, of, 1, 2, 3, 4, at=night)
    assert await try_all(store, 4, of=of, at=opening, limit=1) == [1]
    assert await try_all(store, 3, 4, of=of, at=opening, limit=1) == [2]
    assert await try_all(store, 4, 3, of=of, at=opening, limit=1) == []
    assert [await waits(store, n) for n in (3, 4)] == ["agent-busy"] * 2


async def test_without_a_limit_the_freshest_go_first(store: Store) -> None:
    of = policy(campaign(callback=callback(), hours=office()))
    night, opening = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")
    await rings(store, of, 1, 2, 3, 4, at=night)
    assert await try_all(store, 4, 3, 2, 1, of=of, at=opening, limit=2) == [4, 3]


@pytest.mark.parametrize(
    "of",
    [
        policy(campaign(callback=callback(calls_at_once=1), hours=office())),
        replace(policy(campaign(callback=callback(), hours=office())), channels=1),
    ],
)
async def test_so_do_those_that_wait_for_a_line(store: Store, of: Policy) -> None:
    night, opening = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")
    await rings(store, of, 1, 2, 3, at=night)
    assert await try_all(store, 3, 2, of=of, at=opening, limit=2) == [1]
    await claim_actions(store, 3, 2, at=opening, of=of)
    assert await waits(store, 3) == await waits(store, 2) in ("calls-at-once", "channels-busy")


async def test_whoever_rang_first_of_a_chain_counts(store: Store) -> None:
    """The second caller rang again since, and is no younger for it."""
    of = policy(campaign(callback=with_agents(AGENT), hours=office(), dedup_window=timedelta(0)))
    night, opening = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")
    await rings(store, of, 2, 1, at=night)
    again = night + minutes(5)
    await admit_calls(store, call("again", again, caller=caller(2)), of=of, at=again)
    assert await try_all(store, 2, 3, of=of, at=opening) == [3]


async def test_a_fresh_one_does_not_overtake_one_that_was_just_woken(store: Store) -> None:
    await rings(store, ONE, 1, 2)
    await place_callback(store, 1, of=ONE)
    await claim_actions(store, 2, at=DUE + seconds(1), of=ONE)
    await rings(store, ONE, 3, at=OVER - seconds(30))
    await end_callback(store, Outcome.ANSWERED, at=OVER, of=ONE)
    assert await try_all(store, 3, of=ONE, at=OVER) == [2]
    assert await waits(store, 3) == "agent-busy"


async def three_wait(store: Store, of: Policy = ONE) -> None:
    """One call goes on, callers 2, 3 and 4 wait."""
    await rings(store, of, 1, 2, 3, 4)
    await place_callback(store, 1, of=of)
    assert await try_all(store, 4, 3, 2, of=of, at=DUE + seconds(4)) == []


@pytest.mark.parametrize(
    "of", [ONE, policy(campaign(callback=callback(calls_at_once=1))),
           replace(policy(campaign(callback=callback())), channels=1)]
)  # fmt: skip
async def test_a_place_that_comes_free_is_the_oldest_s(store: Store, of: Policy) -> None:
    await three_wait(store, of)
    at, done = OVER, 1
    for n in (2, 3, 4):
        applied = await end_callback(store, Outcome.ANSWERED, done, at=at, of=of)
        assert list(applied.timers) == woken(at, n)
        await place_callback(store, n, at=at, of=of)
        at, done = at + minutes(1), n


async def suppressed(store: Store) -> None:
    unit = partial(suppress, number=caller(2), reason="asked", source="api", now=DUE, until=None)
    await store.write(unit)


async def expired(store: Store) -> None:
    await store.write(
        lambda db: db.execute("UPDATE actions SET expires_at = ? WHERE id = 2", (to_us(OVER - seconds(1)),))
    )


async def rung_by_care(store: Store) -> None:
    await rings(store, BOTH, 2, at=NOON + seconds(5), exophone=THIRD_EXOPHONE)
    await place_callback(store, 5, at=DUE + seconds(5), of=BOTH)


BOTH = policy(
    *ONE.campaigns, campaign(name="flow", exophones=(THIRD_EXOPHONE,), callback=callback(calls_at_once=9))
)


@pytest.mark.parametrize(
    ("why", "instead"),
    [
        (suppressed, ("done", "dropped", "suppressed-since")),
        (expired, ("done", "expired", "too-old")),
        (rung_by_care, ("held", None, "caller-being-rung")),
    ],
)
async def test_a_place_that_the_oldest_cannot_take_is_passed_on(
    store: Store, why: object, instead: tuple[object, ...]
) -> None:
    await three_wait(store, BOTH)
    await why(store)  # type: ignore[operator]
    applied = await end_callback(store, Outcome.ANSWERED, at=OVER, of=BOTH)
    assert list(applied.timers) == woken(OVER, 2)
    claims = await claim_actions(store, 2, at=OVER, of=BOTH)
    assert claims.claimed == ()
    assert (await actions(store))[1] == instead
    assert set(woken(OVER, 3)) <= set(claims.other_timers)
    await place_callback(store, 3, at=OVER, of=BOTH)


async def test_a_place_that_a_paused_campaign_cannot_take_is_passed_on(store: Store) -> None:
    of = shared(with_agents(AGENT), with_agents(AGENT))
    await rings(store, of, 1, 2)
    await rings(store, of, 3, at=NOON + seconds(2), exophone=SECOND_EXOPHONE)
    await place_callback(store, 1, of=of)
    assert await try_all(store, 2, 3, of=of, at=DUE + seconds(4)) == []
    begun = Pause("admissions", DUE + seconds(5), None, "lunch", Actor(Source.API, "127.0.0.1"))
    await store.write(partial(pause, new_pause=begun))
    applied = await end_callback(store, Outcome.ANSWERED, at=OVER, of=of)
    assert list(applied.timers) == woken(OVER, 2)
    claims = await claim_actions(store, 2, at=OVER, of=of)
    assert await waits(store, 2) == "campaign-paused"
    assert set(woken(OVER, 3)) <= set(claims.other_timers)
    await place_callback(store, 3, at=OVER, of=of)


async def test_a_place_that_the_oldest_s_campaign_has_no_use_for_is_passed_on(store: Store) -> None:
    """In the afternoon the agent who comes free is off duty for the campaign of the oldest, whose other agent
    talks on: it goes on waiting for that one, and the next takes the place."""
    of = shared(with_agents(Agent(AGENT, MORNING), OTHER_AGENT), with_agents(AGENT))
    one_o_clock = ist("2026-11-23 13:00")
    at = one_o_clock - minutes(5)
    await rings(store, of, 1, at=at)
    await rings(store, of, 2, at=at + seconds(1))
    assert await try_all(store, 1, 2, of=of, at=at + seconds(31)) == [1, 2]
    later = one_o_clock + minutes(1)
    await rings(store, of, 3, at=later)
    await rings(store, of, 4, at=later + seconds(1), exophone=SECOND_EXOPHONE)
    assert await try_all(store, 3, 4, of=of, at=later + seconds(31)) == []
    assert [await waits(store, n) for n in (3, 4)] == ["agent-busy"] * 2
    over = later + minutes(1)
    await ended_as_placed(store, 1, over, of)
    went = await woken_go(store, over, of)
    assert went == [4]
    assert await waits(store, 3) == "agent-busy"


async def ended_as_placed(store: Store, action_id: int, at: datetime, of: Policy) -> None:
    await store.write(
        lambda db: db.execute(
            "UPDATE actions SET state = 'placed', provider_sid = ? WHERE id = ?",
            (f"sid-{action_id}", action_id),
        )
    )
    await end_callback(store, Outcome.ANSWERED, action_id, at=at, of=of)


async def woken_go(store: Store, at: datetime, of: Policy) -> list[int]:
    """Claim what is to be woken, as its timers would, until nothing more is."""
    went: list[int] = []
    for _ in range(10):
        due = await rows(
            store,
            """SELECT id FROM actions WHERE wake_at <= ? AND state IN ('planned', 'held')
               ORDER BY wake_at DESC, id DESC""",
            to_us(at),
        )
        if not due:
            break
        went += await try_all(store, *(action_id for (action_id,) in due), of=of, at=at, limit=1)
    return went


async def test_the_oldest_goes_first_though_each_wants_another_agent(store: Store) -> None:
    """The youngest gives way to the second, and that one to the first, of whom nobody was asked."""
    of = policy(
        campaign(callback=with_agents(OTHER_AGENT)),
        campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=with_agents(OTHER_AGENT, AGENT)),
        campaign(name="shop", exophones=(THIRD_EXOPHONE,), callback=with_agents(AGENT)),
    )
    await rings(store, of, 1, at=NOON)
    await rings(store, of, 2, at=NOON + seconds(1), exophone=SECOND_EXOPHONE)
    await rings(store, of, 3, at=NOON + seconds(2), exophone=THIRD_EXOPHONE)
    assert await try_all(store, 3, of=of, at=DUE + seconds(5), limit=1) == [1]
    assert await woken_go(store, DUE + seconds(5), of) == [2]
    assert await waits(store, 3) == "agent-busy"


async def test_a_clock_set_back_ends_no_claim_in_a_circle(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older one waits for the agent and is not due any more by the clock."""
    asked = 0

    async def counting(
        db: Database,
        action: ActionRow,
        agent: str | None,
        policy: Policy,
        now: datetime,
        judged: Sequence[int],
    ) -> int | None:
        nonlocal asked
        asked += 1
        assert asked < 50, "it asks for ever"
        return await earliest_competitor(db, action, agent, policy, now, judged)

    monkeypatch.setattr(claiming, "earliest_competitor", counting)
    of = shared(with_agents(AGENT), with_agents(AGENT, delay=seconds(0)))
    await rings(store, of, 1, at=NOON - minutes(1))
    await place_callback(store, 1, at=DUE - minutes(1), of=of)
    await rings(store, of, 2, at=NOON)
    assert await try_all(store, 2, of=of, at=DUE) == []
    await end_callback(store, Outcome.ANSWERED, at=DUE + seconds(1), of=of)
    set_back = DUE - seconds(10)
    await rings(store, of, 3, at=set_back, exophone=SECOND_EXOPHONE)
    assert await try_all(store, 3, of=of, at=set_back) == [3]
    assert await waits(store, 2) == "agent-busy"
