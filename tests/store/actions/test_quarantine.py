"""After a restore nothing from before it is sent, until somebody says what is to become of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from missedd.base.clock import to_us
from missedd.core.api_types.campaigns import QuarantineJson
from missedd.core.model import Lane, Outcome, State
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted
from missedd.store.actions.attempts import repair_missing_timers
from missedd.store.actions.quarantine import IDS_SKIPPED, quarantine, release_quarantine, start_quarantine
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import count_timers, timers_between
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import NOON, call, callback, campaign, minutes, policy
from tests.store.steps import DUE, actions, admit_calls, answer_action, claim_actions, report_outcome, rows

RESTORED = NOON + timedelta(seconds=10)
FOR_EVER = 2**62


async def imposed(store: Store) -> int:
    return await store.write(partial(start_quarantine, now=RESTORED))


async def test_what_was_pending_waits_without_an_instant(store: Store) -> None:
    await admit_calls(store, call("c1"), call("c2", caller="+919876500002"))
    assert await imposed(store) == 2
    assert await actions(store) == [(State.HELD, None, Reason.QUARANTINED)] * 2
    assert await store.read(partial(count_timers, until_us=FOR_EVER)) == 0
    assert await store.read(quarantine) == QuarantineJson("2026-11-23T06:30:10.000Z", 2)
    assert await store.write(partial(repair_missing_timers, now=DUE)) == 0


async def test_a_call_from_before_that_comes_in_late_waits_at_its_gate(store: Store) -> None:
    await imposed(store)
    (late,) = await admit_calls(store, call("late", at=NOON), at=RESTORED + timedelta(seconds=5))
    (new,) = await admit_calls(store, call("new", at=RESTORED + timedelta(seconds=5), caller="+919876500002"))
    ids = [each.timers[0].action_id for each in (late, new)]
    claims = await claim_actions(store, *ids, at=DUE + timedelta(minutes=1))
    assert [each.action.id for each in claims.claimed] == ids[1:]
    assert [(each.reason, each.timer) for each in claims.stopped] == [(Reason.QUARANTINED, None)]
    assert await actions(store) == [
        (State.HELD, None, Reason.QUARANTINED),
        (State.ATTEMPTING, None, Reason.OWED),
    ]


async def test_released_it_goes_when_it_is_due_or_ends_as_too_old(store: Store) -> None:
    await admit_calls(store, call("c1"))
    await imposed(store)
    released = await store.write(partial(release_quarantine, now=DUE, drop=False))
    assert released.actions == 1
    assert list(released.timers) == await store.read(partial(timers_between, after_us=-1, until_us=FOR_EVER))
    assert await actions(store) == [(State.PLANNED, None, Reason.RELEASED)]
    assert (await claim_actions(store, 1, at=DUE + timedelta(days=1))).stopped[0].reason is Reason.TOO_OLD
    assert await store.read(quarantine) == QuarantineJson(None, 0)


async def test_released_in_time_it_is_sent_once(store: Store) -> None:
    await admit_calls(store, call("c1"))
    await imposed(store)
    await store.write(partial(release_quarantine, now=DUE, drop=False))
    assert [each.attempt for each in (await claim_actions(store, 1)).claimed] == [1]
    assert (await store.write(partial(release_quarantine, now=DUE, drop=False))).actions == 0


TWICE = policy(campaign(callback=callback(max_per_hour=9), dedup_window=timedelta(seconds=1)))


async def two_quarantined(store: Store) -> None:
    """The caller rang twice before the restore, and an earlier release owed a callback for each call."""
    await admit_calls(store, call("c1"), call("c2", at=NOON + timedelta(seconds=5)), of=TWICE, at=RESTORED)
    await store.write(
        lambda db: db.execute(
            """UPDATE actions SET state = 'planned', outcome = NULL, reason = 'owed', wake_at = due_at,
                                  closed_at = NULL, details = '{}', chain_at = NULL"""
        )
    )
    await store.write(
        lambda db: db.execute("UPDATE actions SET due_at = due_at + 5000000, wake_at = due_at WHERE id = 2")
    )
    assert await imposed(store) == 2


@pytest.mark.parametrize("released_at", [DUE + minutes(1), RESTORED])
async def test_who_rang_twice_before_it_gets_one_of_two_callbacks(
    store: Store, released_at: datetime
) -> None:
    """Overdue or not: the later call's, when the first of them was due."""
    await two_quarantined(store)
    released = await store.write(partial(release_quarantine, now=released_at, drop=False))
    assert released.actions == 2
    waits = [Timer(to_us(DUE), 2, Lane.VOICE)]
    assert await store.read(partial(timers_between, after_us=-1, until_us=FOR_EVER)) == waits
    assert set(waits) <= set(released.timers)
    assert await actions(store, "state, outcome, reason, details ->> 'replaced_by', chain_at") == [
        (State.DONE, Outcome.DROPPED, Reason.ALREADY_OWED, "2", None),
        (State.PLANNED, None, Reason.RELEASED, None, to_us(NOON)),
    ]
    claims = await claim_actions(store, 1, 2, at=max(released_at, DUE), of=TWICE)
    assert [each.action.id for each in claims.claimed] == [2]
    assert claims.stopped == ()


async def test_a_retry_that_waited_too_does_not_hasten_what_remains(store: Store) -> None:
    await two_quarantined(store)
    await store.write(lambda db: db.execute("UPDATE actions SET retry_index = 1 WHERE id = 1"))
    await store.write(partial(release_quarantine, now=RESTORED, drop=False))
    assert await actions(store, "state, due_at, chain_at") == [
        (State.DONE, to_us(DUE), None),
        (State.PLANNED, to_us(DUE + timedelta(seconds=5)), None),
    ]


async def test_dropped_it_ends_with_what_had_not_come_to_its_gate(store: Store) -> None:
    await admit_calls(store, call("c1"))
    await imposed(store)
    await admit_calls(store, call("c2", caller="+919876500002"), at=RESTORED)
    await admit_calls(store, call("c3", at=DUE, caller="+919876500003"), at=DUE)
    assert (await store.write(partial(release_quarantine, now=DUE, drop=True))).actions == 2
    dropped = (State.DONE, Outcome.DROPPED, Reason.DROPPED_AT_RELEASE)
    assert await actions(store) == [dropped, dropped, (State.PLANNED, None, Reason.OWED)]


async def test_what_was_out_is_left_to_the_look_ups(store: Store) -> None:
    await admit_calls(store, call("c1"))
    await claim_actions(store, 1)
    await answer_action(store, Accepted("sid-1"))
    assert await imposed(store) == 0
    assert await actions(store) == [(State.PLACED, None, Reason.PROVIDER_ACCEPTED)]


@pytest.mark.sqlite
async def test_a_retry_of_what_was_out_waits_as_well(store: Store) -> None:
    of = policy(campaign(callback=callback(retries=(minutes(5),))))
    await admit_calls(store, call("c1"), of=of)
    await claim_actions(store, 1, of=of)
    await answer_action(store, Accepted("sid-1"))
    await imposed(store)
    after = RESTORED + minutes(1)
    assert (await report_outcome(store, Outcome.NO_ANSWER, at=after, of=of)).timers[0].action_id > IDS_SKIPPED
    claims = await claim_actions(store, IDS_SKIPPED + 2, at=after + minutes(5), of=of)
    assert [(each.reason, each.timer) for each in claims.stopped] == [(Reason.QUARANTINED, None)]


@pytest.mark.sqlite
async def test_no_id_that_was_given_out_since_the_backup_is_given_again(driver: Driver, path: Path) -> None:
    async with open_store(driver, path, "a test") as store:
        await imposed(store)
        await admit_calls(store, call("c1", at=DUE), at=DUE)
        assert await rows(store, "SELECT id FROM actions") == [(IDS_SKIPPED + 1,)]
        await imposed(store)
        await admit_calls(store, call("c2", at=DUE, caller="+919876500002"), at=DUE)
        assert (await rows(store, "SELECT max(id) FROM actions"))[0][0] == 2 * IDS_SKIPPED + 2


async def test_a_forgotten_action_is_woken_for(store: Store) -> None:
    await admit_calls(store, call("c1"))
    await store.write(lambda db: db.execute("UPDATE actions SET wake_at = NULL"))
    assert await store.write(partial(repair_missing_timers, now=NOON)) == 1
    assert await store.read(partial(count_timers, until_us=FOR_EVER)) == 1
