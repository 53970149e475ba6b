"""A call whose end somebody waits for is looked up earlier than the schedule says."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Unknown
from missedd.store.actions.lookups import adopt_found_call, record_failed_lookup
from missedd.store.store import Store
from tests.core.campaigns import SECOND_EXOPHONE, call, callback, minutes, seconds
from tests.store.actions.two_campaigns import SECOND_AT, SECOND_DUE, TWO, both_owed, look, second_waits, two
from tests.store.steps import DUE, actions, admit_calls, answer_action, claim_actions, place_callback, rows

FIRST_LOOK = DUE + seconds(60)
"""A ring in vain, and half a minute."""


async def looks(store: Store) -> list[tuple[object, ...]]:
    return await rows(store, "SELECT looks, wake_at FROM actions WHERE id = 1")


async def test_what_nobody_waits_for_is_looked_up_by_the_schedule(store: Store) -> None:
    await both_owed(store)
    await place_callback(store, of=TWO)
    assert await looks(store) == [(0, to_us(DUE + seconds(1 + 180)))]


@pytest.mark.parametrize(
    ("waits_at", "looked_at"),
    [
        (SECOND_DUE, FIRST_LOOK),
        (FIRST_LOOK, FIRST_LOOK),
        (FIRST_LOOK + seconds(1), FIRST_LOOK + minutes(1)),
        (DUE + seconds(170), DUE + seconds(180)),
    ],
)
async def test_what_somebody_waits_for_is_looked_up_earlier(
    store: Store, waits_at: datetime, looked_at: datetime
) -> None:
    await both_owed(store)
    await place_callback(store, of=TWO)
    claims = await claim_actions(store, 2, at=waits_at, of=TWO)
    assert claims.other_timers == (look(looked_at),)
    assert await looks(store) == [(0, to_us(looked_at))]
    assert (await claim_actions(store, 2, at=waits_at, of=TWO)).other_timers == (), "once"


@pytest.mark.parametrize("ring_timeout", [seconds(10), seconds(45)])
async def test_the_ring_of_that_very_call_counts(store: Store, ring_timeout: timedelta) -> None:
    of = two(callback(ring_timeout=ring_timeout))
    await both_owed(store, of)
    await place_callback(store, of=of)
    claims = await claim_actions(store, 2, at=SECOND_DUE, of=of)
    assert claims.other_timers == (look(DUE + ring_timeout + seconds(30)),)


async def test_an_answer_that_comes_when_somebody_waits_already_is_looked_up_earlier_too(
    store: Store,
) -> None:
    await both_owed(store)
    await claim_actions(store, 1, of=TWO)
    await claim_actions(store, 2, at=SECOND_DUE, of=TWO)
    assert await answer_action(store, Accepted("sid-1"), at=SECOND_DUE + seconds(1), of=TWO) == look(
        FIRST_LOOK
    )


async def test_a_call_that_was_lost_and_found_is_looked_up_earlier_too(store: Store) -> None:
    await both_owed(store)
    await claim_actions(store, 1, of=TWO)
    await answer_action(store, Unknown("read-timeout"), of=TWO)
    await claim_actions(store, 2, at=SECOND_DUE, of=TWO)
    unit = partial(adopt_found_call, action_id=1, provider_sid="out-1", policy=TWO, now=DUE + seconds(36))
    assert await store.write(unit) == look(FIRST_LOOK)


async def test_early_lookups_come_every_minute_and_do_not_count(store: Store) -> None:
    """The schedule asks after 3, 6, 16 minutes; whoever waits does not bring its end nearer."""
    await second_waits(store)
    seen = []
    for minute in range(1, 8):
        at = DUE + minutes(minute)
        assert await looks(store) == [(len([m for m in (3, 6) if m < minute]), to_us(at))]
        looked = await store.write(partial(record_failed_lookup, action_id=1, policy=TWO, now=at))
        assert looked.timers == (look(at + minutes(1)),)
        seen += await rows(store, "SELECT looks FROM actions WHERE id = 1")
    assert seen == [(0,), (0,), (1,), (1,), (1,), (2,), (2,)]


async def test_lookups_return_to_the_schedule_when_nobody_waits(store: Store) -> None:
    await second_waits(store)
    at = DUE + minutes(1)
    taken = call("c2", SECOND_AT, dialled=(SECOND_EXOPHONE,), not_missed=Reason.CONVERSATION)
    await admit_calls(store, taken, of=TWO, at=at)
    assert (await actions(store))[1] == ("done", "cancelled", "reached-otherwise")
    looked = await store.write(partial(record_failed_lookup, action_id=1, policy=TWO, now=at))
    assert looked.timers == (look(at + seconds(180)),)
