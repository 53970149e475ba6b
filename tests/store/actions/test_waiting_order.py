"""What waits for a place: when it expires, and which callback gets the next place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.admission.pauses import Pause
from missedd.core.agent_rotation import Agent
from missedd.core.audit import Actor, Source
from missedd.core.model import Outcome
from missedd.core.policy import AfterHoursCallback, Policy
from missedd.core.reasons import Reason
from missedd.store.actions import claims as claiming
from missedd.store.actions.concurrent_calls import earliest_competitor
from missedd.store.actions.pauses import pause
from missedd.store.actions.rows import ActionRow
from missedd.store.db.database import Database
from missedd.store.people.suppressions import suppress
from missedd.store.store import Store
from tests.core.campaigns import (
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
from tests.core.test_agent_rotation import MORNING
from tests.store.actions.call_places import (
    AGENT,
    HOUR,
    ONE,
    OTHER_AGENT,
    OVER,
    TICK,
    caller,
    ended_as_placed,
    of_agents,
    rings,
    shared,
    try_all,
    waits,
    with_agents,
    woken,
    woken_go,
)
from tests.store.steps import DUE, actions, admit_calls, claim_actions, end_callback, place_callback, rows

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


async def test_a_callback_that_waits_for_a_place_expires(store: Store) -> None:
    """The agent talks for longer than anybody waits."""
    of = of_agents(AGENT, time_limit=4 * HOUR)
    await rings(store, of, 1, 2)
    await place_callback(store, 1, of=of)
    expiry = DUE + seconds(1) + 2 * HOUR
    (stopped,) = (await claim_actions(store, 2, at=DUE + seconds(1), of=of)).stopped
    assert stopped.timer == woken(expiry + TICK, 2)[0]
    (stopped,) = (await claim_actions(store, 2, at=expiry + TICK, of=of)).stopped
    assert (stopped.outcome, stopped.reason) == (Outcome.EXPIRED, Reason.TOO_OLD)


THIRD_EXOPHONE = "+918047120009"


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
async def test_callbacks_that_wait_for_a_line_go_oldest_first(store: Store, of: Policy) -> None:
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
