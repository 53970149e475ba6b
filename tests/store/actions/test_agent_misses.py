"""Agents who do not take their call: the next one at once, and for how long each is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from missedd.base.clock import to_us
from missedd.core.admission.concurrent_calls import MAX_CAPACITY_WAIT
from missedd.core.agent_rotation import Agent
from missedd.core.model import Kind, Lane, Outcome, StatusReport
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.engine.reconciliation.status_reports import interpret_report
from missedd.store.actions.rows import Timer
from missedd.store.actions.status_reports import ReportResult, apply_report
from missedd.store.reads.reader import load_analytics
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import (
    AGENTS,
    CALLER,
    INDIA,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    THIRD,
    call,
    callback,
    campaign,
    ist,
    minutes,
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
    rows,
    verdict_texts,
)

FIRST, SECOND, LAST = AGENTS
MISSES = [Reason.AGENT_BUSY, Reason.AGENT_NO_ANSWER, Reason.AGENT_FAILED]
TICK = timedelta(microseconds=1)


def team(*agents: str | Agent, **changes: object) -> Policy:
    return policy(
        campaign(
            lead_source="x",
            callback=callback(flow=None, agents=agents or AGENTS, **changes),
            dedup_window=TICK,
        )
    )


TEAM = team(max_per_hour=1, retries=(minutes(5),))
ALONE = team(FIRST, max_per_hour=9)
FIRST_CALLBACK = 2
"""After the lead of the call."""
MISSED_AT = DUE + seconds(31)


async def rang(
    store: Store, of: Policy = TEAM, at: datetime = NOON, caller: str = CALLER, sid: str = "c1"
) -> int:
    """A call; the id of its callback."""
    await admit_calls(store, call(sid, at, caller=caller), of=of, at=at)
    ((action_id,),) = await rows(store, "SELECT max(id) FROM actions WHERE kind = 'callback'")
    return int(action_id)


async def misses(
    store: Store,
    action_id: int = FIRST_CALLBACK,
    at: datetime = MISSED_AT,
    of: Policy = TEAM,
    reason: Reason = Reason.AGENT_NO_ANSWER,
    ended_at: datetime | None = None,
) -> ReportResult:
    """The agent of a callback that is out does not take it, of which is told at `at`."""
    return await end_callback(
        store, Outcome.FAILED, action_id, at=at, of=of, reason=reason, ended_at=ended_at or at
    )


async def tried(store: Store) -> list[tuple[object, ...]]:
    return await rows(
        store, "SELECT details ->> 'agent', outcome FROM actions WHERE kind = 'callback' ORDER BY id"
    )


async def left_alone(store: Store) -> list[tuple[object, ...]]:
    return await rows(store, "SELECT agent, in_a_row, rests_until, reason FROM agent_misses ORDER BY agent")


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


async def test_such_tries_are_outside_the_cap_and_the_figures(store: Store) -> None:
    """One an hour: it is the try that reaches the caller's telephone."""
    action_id, at = await rang(store), DUE
    for _ in range(2):
        await place_callback(store, action_id, at=at, of=TEAM)
        at += seconds(31)
        await misses(store, action_id, at)
        action_id += 1
    counted = partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA)
    found = await store.read(counted)
    assert (found["callbacks_made"], found["callback_success_rate"], found["agent_misses"]) == (0, None, 2)
    await place_callback(store, action_id, at=at, of=TEAM)
    await end_callback(store, Outcome.BUSY, action_id, at=at + seconds(40), of=TEAM, agent_came=True)
    found = await store.read(counted)
    assert (found["callbacks_made"], found["callback_success_rate"], found["agent_misses"]) == (1, 0.0, 2)
    assert found["seconds_to_callback"] == {"median": 92.0, "p95": 92.0}
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


# How long an agent is left alone.
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
async def test_one_call_that_they_take_ends_it(store: Store, outcome: Outcome) -> None:
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
    driver: Driver, path: Path
) -> None:
    of = policy(
        *ALONE.campaigns,
        campaign(
            name="care", exophones=(SECOND_EXOPHONE,), callback=callback(flow=None, agents=(FIRST, SECOND))
        ),
    )
    over = DUE + seconds(31)
    async with open_store(driver, path, "a test") as store:
        await rang(store, of)
        await place_callback(store, FIRST_CALLBACK, of=of)
        await misses(store, at=over, of=of)
    async with open_store(driver, path, "a test") as store:
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
async def test_nobody_comes_and_it_expires(store: Store, reason: Reason) -> None:
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


# What the legs say.
async def told(
    store: Store, fields: Mapping[str, str], action_id: int = FIRST_CALLBACK, of: Policy = TEAM
) -> ReportResult:
    """The provider's own report."""
    report = StatusReport(f"sid-{action_id}", fields["Status"], fields=fields)
    unit = partial(
        apply_report,
        action_id=action_id,
        kind=Kind.CALLBACK,
        report=report,
        interpret=interpret_report,
        policy=of,
        now=DUE + seconds(40),
    )
    return await store.write(unit)


@pytest.mark.parametrize(
    ("leg", "reason"),
    [
        ("busy", "agent-busy"),
        ("no-answer", "agent-no-answer"),
        ("canceled", "agent-no-answer"),
        ("failed", "agent-failed"),
    ],
)
@pytest.mark.parametrize("second", [{}, {"Legs[1][Status]": ""}, {"Legs[1][Status]": "null"}])
async def test_a_leg_that_names_the_agent_is_believed(
    store: Store, leg: str, reason: str, second: dict[str, str]
) -> None:
    await rang(store)
    await place_callback(store, FIRST_CALLBACK, of=TEAM)
    await told(store, {"Status": "failed", "Legs[0][Status]": leg} | second)
    assert (await actions(store))[1:] == [("done", "failed", reason), ("planned", None, reason)]
    assert [agent for agent, *_ in await left_alone(store)] == [FIRST]


@pytest.mark.parametrize(
    ("fields", "end"),
    [
        ({"Status": "failed"}, ("done", "failed", "call-failed")),
        ({"Status": "no-answer"}, ("done", "no-answer", "customer-no-answer")),
        ({"Status": "busy"}, ("done", "busy", "customer-busy")),
        (
            {"Status": "busy", "Legs[0][Status]": "completed", "Legs[1][Status]": "busy"},
            ("done", "busy", "customer-busy"),
        ),
        (
            {"Status": "no-answer", "Legs[0][Status]": "no-answer", "Legs[1][Status]": "no-answer"},
            ("done", "no-answer", "customer-no-answer"),
        ),
    ],
)
async def test_where_the_legs_are_silent_or_the_caller_was_rung_the_try_is_the_caller_s(
    store: Store, fields: dict[str, str], end: tuple[object, ...]
) -> None:
    """It counts against the cap and in the figures, and follows `retries`: there is no next agent."""
    await rang(store)
    await place_callback(store, FIRST_CALLBACK, of=TEAM)
    await told(store, fields)
    retry = [] if end[1] == "failed" else [("done", "dropped", "max-per-hour")]
    assert (await actions(store))[1:] == [end, *retry]
    assert await left_alone(store) == []
    found = await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA))
    assert (found["callbacks_made"], found["agent_misses"]) == (1, 0)
    again = DUE + minutes(3)
    await admit_calls(store, call("c2", again), of=TEAM, at=again)
    assert (await actions(store))[-1] == ("done", "dropped", "max-per-hour")


@pytest.mark.parametrize("leg", ["busy", "no-answer", "failed"])
async def test_a_customer_who_waited_for_no_agent_was_rung(store: Store, leg: str) -> None:
    """Customer first: no success, no contacted lead, retried as unanswered; the agent is left alone."""
    of = team(FIRST, SECOND, first="customer", max_per_hour=2, retries=(minutes(5),))
    await rang(store, of)
    await place_callback(store, FIRST_CALLBACK, of=of)
    fields = {"Status": "completed", "Legs[0][Status]": "completed", "Legs[1][Status]": leg}
    applied = await told(store, fields, of=of)
    assert applied.timers == (Timer(to_us(DUE + seconds(40) + minutes(5)), 3, Lane.VOICE),)
    assert (await actions(store))[1:] == [
        ("done", "no-answer", f"agent-{leg}"),
        ("planned", None, "retry-unanswered"),
    ]
    assert await rows(store, "SELECT status FROM leads") == [("new",)]
    assert [agent for agent, *_ in await left_alone(store)] == [FIRST]
    found = await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA))
    assert (found["callbacks_made"], found["callback_success_rate"], found["agent_misses"]) == (1, 0.0, 0)


# An agent who is the caller.
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
