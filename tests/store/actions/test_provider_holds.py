"""What waits for the provider, on disk: held, found for a probe, let go; and what else may happen to it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.admission.pauses import Pause
from missedd.core.audit import Actor, Source
from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Refused
from missedd.store.actions.claims import ClaimResult, claim
from missedd.store.actions.pauses import pause
from missedd.store.actions.provider_holds import choose_probe_actions, release_lane
from missedd.store.actions.quarantine import release_quarantine, start_quarantine
from missedd.store.actions.rows import Timer
from missedd.store.people.suppressions import suppress
from missedd.store.store import Store
from tests.core.campaigns import NOON, call, minutes
from tests.store.steps import CALLBACKS, DUE, actions, admit_calls, answer_action, claim_actions, rows

UNAUTHORISED = Refused(False, "401", Reason.PROVIDER_AUTH)
EXPIRES = NOON + minutes(15)
TICK = timedelta(microseconds=1)
STALLED = ("held", None, "provider-auth")


async def held(store: Store, *ids: int, reason: Reason = Reason.PROVIDER_UNREACHABLE) -> ClaimResult:
    unit = partial(claim, ids=ids, policy=CALLBACKS, now=DUE, limit=0, hold_reason=reason)
    return await store.write(unit)


async def three_callers(store: Store) -> None:
    for index in range(3):
        await admit_calls(store, call(f"c{index}", caller=f"+91987650000{index}"))
    await store.write(lambda db: db.execute("UPDATE actions SET due_at = due_at - id"))


async def test_what_may_go_is_held_until_it_grows_too_old(store: Store) -> None:
    await three_callers(store)
    await store.write(
        partial(suppress, number="+919876500002", reason="asked", source=Source.CLI, now=NOON, until=None)
    )
    claims = await held(store, 1, 2, 3)
    assert (claims.claimed, claims.unjudged_ids) == ((), ())
    assert [each.reason for each in claims.stopped] == [
        *[Reason.PROVIDER_UNREACHABLE] * 2,
        Reason.SUPPRESSED_SINCE,
    ]
    assert claims.stopped[0].timer == Timer(to_us(EXPIRES + TICK), 1, Lane.VOICE)
    assert await actions(store, "due_at") == [(to_us(DUE) - index,) for index in (1, 2, 3)]
    too_old = await claim_actions(store, 1, 2, at=EXPIRES + TICK)
    assert [each.reason for each in too_old.stopped] == [Reason.TOO_OLD] * 2


async def test_by_a_clock_that_may_be_ahead_it_is_looked_at_as_it_grows_too_old_by_the_other(
    store: Store,
) -> None:
    await admit_calls(store, call())
    unit = partial(
        claim, ids=[1], policy=CALLBACKS, limit=0, hold_reason=Reason.PROVIDER_AUTH, clock_ahead=minutes(60)
    )
    (stopped,) = (await store.write(partial(unit, now=EXPIRES + minutes(45)))).stopped
    wake = Timer(to_us(EXPIRES + minutes(60) + TICK), 1, Lane.VOICE)
    assert (stopped.outcome, stopped.timer) == (None, wake), "not now, and again, and again"


async def test_what_met_the_refusal_is_held_too_and_counts_against_no_cap(store: Store) -> None:
    await admit_calls(store, call())
    await claim_actions(store, 1)
    assert await answer_action(store, UNAUTHORISED) == Timer(to_us(EXPIRES + TICK), 1, Lane.VOICE)
    assert await actions(store, "state, outcome, reason, due_at, placed_at") == [(*STALLED, to_us(DUE), None)]
    assert await rows(store, "SELECT result, reason FROM attempts") == [("refused", "provider-auth")]


async def test_the_freshest_that_was_not_tried_is_the_next_probe(store: Store) -> None:
    await three_callers(store)
    await held(store, 1, 2, 3)

    async def found(*tried: int, lane: Lane = Lane.VOICE, at: datetime = DUE, most: int = 9) -> list[int]:
        return await store.read(partial(choose_probe_actions, lane=lane, tried_ids=tried, now=at, limit=most))

    assert await found() == [1, 2, 3]
    assert await found(1, most=1) == [2]
    assert await found(1, 2, 3) == [1, 2, 3], "each has had its turn"
    assert await found(lane=Lane.SMS) == []
    assert await found(at=DUE - 2 * TICK) == [2, 3], "the clock was set back, and the first could not go"


async def test_let_go_each_is_due_when_it_was(store: Store) -> None:
    await three_callers(store)
    await held(store, 1, 2)
    released = await store.write(partial(release_lane, lane=Lane.VOICE))
    assert set(released) == {Timer(to_us(DUE) - each, each, Lane.VOICE) for each in (1, 2)}
    assert await actions(store) == [("planned", None, "provider-reachable")] * 2 + [("planned", None, "owed")]
    assert await store.write(partial(release_lane, lane=Lane.SMS)) == []


@pytest.mark.sqlite
async def test_provider_holds_are_found_by_an_index(store: Store) -> None:
    for statement in (
        "SELECT id FROM actions WHERE {} AND kind = 'sms' ORDER BY due_at DESC, id DESC LIMIT 3",
        "UPDATE actions SET state = 'planned' WHERE {} AND kind = 'sms'",
    ):
        where = "state = 'held' AND reason IN ('provider-unreachable', 'provider-auth', 'account-problem')"
        plan = await rows(store, f"EXPLAIN QUERY PLAN {statement.format(where)}")
        assert any("actions_stalled" in step[3] for step in plan), plan
        assert not any("TEMP B-TREE" in step[3] for step in plan), plan


async def test_a_pause_a_quarantine_and_a_later_call_go_before(store: Store) -> None:
    await admit_calls(store, call())
    await claim_actions(store, 1)
    await answer_action(store, UNAUTHORISED)
    # A later call's callback takes its place, and waits for its own instant.
    await admit_calls(store, call("later", at=NOON + minutes(6)), at=NOON + minutes(6))
    assert await actions(store) == [("done", "dropped", "already-owed"), ("planned", None, "owed")]
    await held(store, 2, reason=Reason.ACCOUNT_PROBLEM)
    paused = Pause("admissions", NOON, None, "lunch", Actor(Source.CLI))
    await store.write(partial(pause, new_pause=paused))
    again = await claim_actions(store, 2, at=NOON + minutes(7))
    assert [each.reason for each in again.stopped] == [Reason.CAMPAIGN_PAUSED]
    await store.write(partial(start_quarantine, now=NOON + minutes(8)))
    assert await store.write(partial(release_lane, lane=Lane.VOICE)) == []
    await store.write(partial(release_quarantine, now=NOON + minutes(9), drop=False))
    assert (await actions(store))[1] == ("planned", None, "released")
