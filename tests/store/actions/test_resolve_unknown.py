"""What an operator says of an unknown outcome is kept beside it, once, and counted."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from missedd.config.store_location import StoreLocation
from missedd.core.actions.resolution import Resolution
from missedd.core.explain.call import explain_call
from missedd.core.model import Kind, Outcome
from missedd.exotel.request_result import Accepted, Unknown
from missedd.store.actions.lookups import record_failed_lookup
from missedd.store.actions.operator_changes import resolve_unknown
from missedd.store.admission.catch_up import advance_watermark, load_watermark, unknown_call_sids
from missedd.store.reads.reader import call_trace, load_analytics
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import INDIA, NOON, OTHER, call, minutes, seconds
from tests.store.steps import (
    CALLBACKS,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    lookup_until_expired,
    report_outcome,
    rows,
)

LATER = NOON + timedelta(hours=2)


async def said(store: Store, outcome: Outcome, action_id: int = 1, note: str | None = None) -> Resolution:
    unit = partial(
        resolve_unknown, action_id=action_id, outcome=outcome, note=note, policy=CALLBACKS, now=LATER
    )
    return (await store.write(unit)).resolution


async def lost(store: Store) -> None:
    """A callback whose answer was lost, still looked for."""
    await admit_calls(store, call())
    await claim_actions(store, 1)
    await answer_action(store, Unknown("read-timeout"))


async def not_found(store: Store) -> None:
    await lost(store)
    await lookup_until_expired(store)
    assert await actions(store) == [("done", "unknown", "not-found")]


async def test_a_final_unknown_keeps_its_outcome_and_reason(driver: Driver, location: StoreLocation) -> None:
    async with open_store(driver, location, "a test") as store:
        await not_found(store)
        assert await said(store, Outcome.ANSWERED, note="she told us so") is Resolution.SETTLED
        assert await actions(store, "state, outcome, reason, settled_outcome, settled_note") == [
            ("done", "unknown", "not-found", "answered", "she told us so")
        ]
        told = await store.read(partial(call_trace, call_sid="c1"))
        assert told is not None
        action = told.actions[0]
        assert (action.settled_outcome, action.settled_at) == ("answered", "2026-11-23T08:30:00.000Z")
        words = explain_call(told, LATER, INDIA)
        assert "unknown; the provider's list has no such call" in words
        assert (
            "An operator entered the outcome at 2026-11-23 14:00:00 IST: answered (she told us so)." in words
        )


async def test_it_is_said_once_and_a_late_report_changes_nothing(
    driver: Driver, location: StoreLocation
) -> None:
    async with open_store(driver, location, "a test") as store:
        await not_found(store)
        assert await said(store, Outcome.BUSY) is Resolution.SETTLED
        assert await said(store, Outcome.BUSY, note="again") is Resolution.UNCHANGED
        assert await said(store, Outcome.ANSWERED) is Resolution.SETTLED_OTHERWISE
        assert (await report_outcome(store, Outcome.ANSWERED)).effect == "ignored: already final"
        assert await actions(store, "outcome, settled_outcome, settled_note") == [("unknown", "busy", None)]


async def test_the_figures_count_what_was_said(driver: Driver, location: StoreLocation) -> None:
    async with open_store(driver, location, "a test") as store:
        await not_found(store)
        counted = partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA)
        in_period = partial(load_analytics, campaign="admissions", since=NOON, until=None, timezone=INDIA)
        for count in (counted, in_period):
            before = await store.read(count)
            assert (before.callbacks_answered, before.callback_success_rate) == (0, 0.0)
        await said(store, Outcome.ANSWERED)
        for count in (counted, in_period):
            after = await store.read(count)
            assert (after.callbacks_made, after.callbacks_answered) == (1, 1)
            assert after.callback_success_rate == 1.0


async def test_one_that_is_looked_for_ends_and_its_look_ups_with_it(
    driver: Driver, location: StoreLocation
) -> None:
    async with open_store(driver, location, "a test") as store:
        await lost(store)
        assert await said(store, Outcome.NO_ANSWER) is Resolution.SETTLED
        assert await actions(store, "state, outcome, reason, wake_at, settled_outcome") == [
            ("done", "unknown", "settled-by-operator", None, "no-answer")
        ]
        looked = await store.write(partial(record_failed_lookup, action_id=1, policy=CALLBACKS, now=LATER))
        assert (looked.timers, looked.expired_reason) == ((), None)


async def test_what_is_not_unknown_is_refused(driver: Driver, location: StoreLocation) -> None:
    async with open_store(driver, location, "a test") as store:
        assert await said(store, Outcome.BUSY) is Resolution.NO_SUCH_ACTION
        await admit_calls(store, call())
        assert await said(store, Outcome.BUSY) is Resolution.NOT_UNKNOWN
        await claim_actions(store, 1)
        assert await said(store, Outcome.BUSY) is Resolution.NOT_UNKNOWN, "its request is out"
        await answer_action(store, Accepted("sid-1"))
        assert await said(store, Outcome.BUSY) is Resolution.NOT_UNKNOWN, "its report is awaited"
        await report_outcome(store, Outcome.ANSWERED)
        assert await said(store, Outcome.BUSY) is Resolution.NOT_UNKNOWN


async def test_a_callback_cannot_have_been_delivered(driver: Driver, location: StoreLocation) -> None:
    async with open_store(driver, location, "a test") as store:
        await not_found(store)
        assert await said(store, Outcome.DELIVERED) is Resolution.WRONG_OUTCOME
        assert await actions(store, "kind, settled_outcome") == [(Kind.CALLBACK, None)]


@pytest.mark.parametrize("starts", [1, 3])
async def test_a_new_database_begins_now_and_the_next_start_goes_on(
    driver: Driver, location: StoreLocation, starts: int
) -> None:
    for start in range(starts):
        async with open_store(driver, location, "a test") as store:
            mark = await store.write(partial(load_watermark, now=NOON + minutes(start)))
            assert (mark.responsible_since, mark.covered_until) == (NOON, NOON)


async def test_a_database_without_a_mark_begins_at_its_last_call(
    driver: Driver, location: StoreLocation
) -> None:
    async with open_store(driver, location, "a test") as store:
        await admit_calls(store, call("c1"), at=NOON)
        await admit_calls(store, call("c2"), at=NOON + minutes(9))
        mark = await store.write(partial(load_watermark, now=LATER))
        assert (mark.responsible_since, mark.covered_until) == (NOON, NOON + minutes(9))
        await store.write(partial(advance_watermark, watermark=mark))
        assert await store.write(partial(load_watermark, now=NOON - minutes(60))) != mark, (
            "the clock was set back"
        )


async def test_the_figures_count_what_was_recovered(driver: Driver, location: StoreLocation) -> None:
    async with open_store(driver, location, "a test") as store:
        recovered = call("c1", shape="recovered")
        await admit_calls(
            store, recovered, call("c2", NOON + seconds(1), shape="recovered"), call("c3", caller=OTHER)
        )
        found = await store.read(
            partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA)
        )
        assert (found.total_calls, found.recovered) == (3, 2)
        await admit_calls(store, recovered)
        assert await rows(store, "SELECT sum(redeliveries) FROM calls") == [(0,)]
        assert await store.read(partial(unknown_call_sids, sids=["c1", "c3", "new"])) == {"new"}
