"""Claims: which due actions go out, and what the gates close at that instant."""

from __future__ import annotations

from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import recent_attempt_times
from missedd.store.people.suppressions import suppress
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, call, callback, campaign, ist, minutes, office, policy, seconds
from tests.store.steps import (
    DUE,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    placed,
    report_outcome,
    rows,
)


async def test_a_claim_is_on_disk_with_its_attempt(store: Store) -> None:
    await admit_calls(store, call())
    claims = await claim_actions(store, 1)
    assert [(each.action.id, each.attempt, each.action.placed_at) for each in claims.claimed] == [(1, 1, DUE)]
    assert await actions(store, "state, wake_at, placed_at") == [("attempting", None, to_us(DUE))]
    assert await rows(store, "SELECT action_id, number, started_at, result FROM attempts") == [
        (1, 1, to_us(DUE), None)
    ]


async def test_claiming_twice_is_harmless(store: Store) -> None:
    await admit_calls(store, call())
    assert len((await claim_actions(store, 1, 1)).claimed) == 1
    assert (await claim_actions(store, 1)).claimed == ()
    await answer_action(store, Accepted("sid-1"))
    assert (await claim_actions(store, 1)).claimed == ()
    await report_outcome(store, Outcome.ANSWERED)
    again = await claim_actions(store, 1, 99)
    assert (again.claimed, again.stopped, again.unjudged_ids, again.early_timers) == ((), (), (), ())
    assert await rows(store, "SELECT count(*) FROM attempts") == [(1,)]


async def test_what_is_not_due_yet_is_left_to_its_timer(store: Store) -> None:
    await admit_calls(store, call())
    claims = await claim_actions(store, 1, at=NOON)
    assert (claims.claimed, claims.stopped) == ((), ())
    assert claims.early_timers == (Timer(to_us(DUE), 1, Lane.VOICE),)
    assert await actions(store) == [("planned", None, "owed")]


async def test_what_was_woken_too_early_is_found_on_disk_when_it_is_due(store: Store) -> None:
    """A start looks at all who wait for an agent, also where the clock was set back since they came."""
    await admit_calls(store, call())
    woken_us = to_us(NOON - minutes(90))
    await store.write(
        lambda db: db.execute(
            "UPDATE actions SET state = 'held', reason = 'agent-busy', wake_at = ?", (woken_us,)
        )
    )
    claims = await claim_actions(store, 1, at=NOON - minutes(90))
    assert claims.early_timers == (Timer(to_us(DUE), 1, Lane.VOICE),)
    assert await actions(store, "wake_at") == [(to_us(DUE),)], "it may lie beyond what is in memory"


async def test_a_limit_leaves_the_rest_untouched_and_unjudged(store: Store) -> None:
    await admit_calls(store, *(call(f"c{n}", caller=f"+9198{n:08}") for n in range(5)))
    claims = await claim_actions(store, 5, 4, 3, 2, 1, limit=2)
    assert [each.action.id for each in claims.claimed] == [5, 4]
    assert claims.unjudged_ids == (3, 2, 1)
    assert [each[0] for each in await actions(store)] == ["planned"] * 3 + ["attempting"] * 2


async def test_what_a_gate_closes_does_not_count_against_the_limit(store: Store) -> None:
    await admit_calls(
        store, *(call(f"c{n}", NOON - minutes(20 * (n != 2)), caller=f"+9198{n:08}") for n in range(3))
    )
    await store.write(
        lambda db: db.execute("UPDATE actions SET state='planned', outcome=NULL, wake_at=due_at")
    )
    claims = await claim_actions(store, 1, 2, 3, limit=1)
    assert [each.action.id for each in claims.claimed] == [3]
    assert [(each.action.id, each.outcome, each.reason) for each in claims.stopped] == [
        (1, Outcome.EXPIRED, Reason.TOO_OLD),
        (2, Outcome.EXPIRED, Reason.TOO_OLD),
    ]


async def test_a_suppression_since_is_seen_at_the_claim(store: Store) -> None:
    await admit_calls(store, call())
    await store.write(partial(suppress, number=CALLER, reason="asked", source="api", now=NOON, until=None))
    (stopped,) = (await claim_actions(store, 1)).stopped
    assert (stopped.outcome, stopped.reason, stopped.timer) == (
        Outcome.DROPPED,
        Reason.SUPPRESSED_SINCE,
        None,
    )
    assert await actions(store, "state, outcome, wake_at") == [("done", "dropped", None)]


async def test_the_cap_is_held_whatever_was_planned(store: Store) -> None:
    """Three wishes in turn, planned under a cap of nine; the operator has lowered it to two since."""
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=seconds(1)))
    tight = policy(campaign(callback=callback(max_per_hour=2)))
    for n in (1, 2, 3):
        at = NOON + minutes(n)
        await admit_calls(store, call(f"c{n}", at), of=of, at=at)
        claims = await claim_actions(store, n, at=at + seconds(30), of=tight)
        if n < 3:
            assert [each.action.id for each in claims.claimed] == [n]
            await answer_action(store, Accepted(f"sid-{n}"), n, at=at + seconds(31))
            await report_outcome(store, Outcome.BUSY, n, sid=f"sid-{n}", at=at + seconds(40), of=of)
    assert [(each.action.id, each.outcome, each.reason) for each in claims.stopped] == [
        (3, Outcome.DROPPED, Reason.MAX_PER_HOUR)
    ]


@pytest.mark.parametrize(("limit", "reason"), [(1, Reason.MAX_PER_HOUR), (2, Reason.CALLER_BEING_RUNG)])
async def test_what_was_just_claimed_counts_within_the_same_claim(
    store: Store, limit: int, reason: Reason
) -> None:
    """Several that wait for one person are left by a mistake of ours at most; even so one is rung."""
    of = policy(campaign(callback=callback(max_per_hour=9), dedup_window=seconds(1)))
    await admit_calls(store, *(call(f"c{n}", NOON - seconds(60 - 2 * n)) for n in range(4)), of=of)
    await store.write(
        lambda db: db.execute("UPDATE actions SET state='planned', outcome=NULL, wake_at=due_at")
    )
    claims = await claim_actions(
        store, 4, 3, 2, 1, of=policy(campaign(callback=callback(max_per_hour=limit)))
    )
    assert [each.action.id for each in claims.claimed] == [4]
    assert [(each.action.id, each.reason) for each in claims.stopped] == [(n, reason) for n in (3, 2, 1)]


async def test_what_closes_while_it_waits_is_held_at_the_claim(store: Store) -> None:
    of = policy(campaign(callback=callback(), hours=office()))
    afternoon = ist("2026-11-23 18:29")
    await admit_calls(store, call(at=afternoon), of=of, at=afternoon)
    opening = ist("2026-11-24 09:30")
    (stopped,) = (await claim_actions(store, 1, at=ist("2026-11-23 18:31"), of=of)).stopped
    assert (stopped.outcome, stopped.timer) == (None, Timer(to_us(opening), 1, Lane.VOICE))
    assert await actions(store, "state, reason, due_at, wake_at, expires_at") == [
        ("held", "business-closed", to_us(opening), to_us(opening), to_us(opening + minutes(15)))
    ]
    assert len((await claim_actions(store, 1, at=opening, of=of)).claimed) == 1


async def test_the_budget_remembers_the_last_minute(store: Store) -> None:
    assert await store.read(partial(recent_attempt_times, lane=Lane.VOICE, now=NOON)) == []
    await placed(store)
    assert await store.read(partial(recent_attempt_times, lane=Lane.VOICE, now=DUE + seconds(59))) == [DUE]
    assert await store.read(partial(recent_attempt_times, lane=Lane.SMS, now=DUE + seconds(59))) == []
    assert await store.read(partial(recent_attempt_times, lane=Lane.VOICE, now=DUE + seconds(61))) == []
