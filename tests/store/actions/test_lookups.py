"""Lookups of a lost answer: the call that is found is adopted once, and a search in vain ends."""

from __future__ import annotations

from functools import partial

import pytest

from missedd.base.clock import from_us, to_us
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Answer
from missedd.store.actions.lookups import adopt_found_call, claimed_sids, record_failed_lookup
from missedd.store.actions.rows import Timer
from missedd.store.store import Store
from tests.core.campaigns import seconds
from tests.store.steps import CALLBACKS, DUE, LOST, actions, placed, report_outcome


async def test_a_found_call_is_adopted_once(store: Store) -> None:
    await placed(store, LOST)
    at = DUE + seconds(10)
    wake = await store.write(
        partial(adopt_found_call, action_id=1, provider_sid="out-1", policy=CALLBACKS, now=at)
    )
    assert wake == Timer(to_us(at + seconds(180)), 1, Lane.LOOKUP)
    assert await actions(store, "state, provider_sid, looks") == [("placed", "out-1", 0)]
    assert (
        await store.write(
            partial(adopt_found_call, action_id=1, provider_sid="out-2", policy=CALLBACKS, now=at)
        )
        is None
    )
    assert await actions(store, "provider_sid") == [("out-1",)]
    assert await store.read(partial(claimed_sids, sids=["out-1", "x"], except_action_id=2)) == {"out-1"}
    assert await store.read(partial(claimed_sids, sids=["out-1", "x"], except_action_id=1)) == set()


@pytest.mark.parametrize(
    ("answer", "looks", "reason"), [(LOST, 4, Reason.NOT_FOUND), (Accepted("sid-1"), 6, Reason.NO_REPORT)]
)
async def test_looking_in_vain_ends(store: Store, answer: Answer, looks: int, reason: Reason) -> None:
    await placed(store, answer)
    ((wake_us,),) = await actions(store, "wake_at")
    for left in range(looks, 0, -1):
        at = from_us(wake_us)
        looked = await store.write(partial(record_failed_lookup, action_id=1, policy=CALLBACKS, now=at))
        assert (looked.timers == ()) is (left == 1)
        ((wake_us,),) = await actions(store, "wake_at")
        assert [wake.at_us for wake in looked.timers] == ([wake_us] if wake_us else [])
    assert looked.expired_reason is reason
    assert await actions(store) == [("done", "unknown", str(reason))]
    late = await store.write(partial(record_failed_lookup, action_id=1, policy=CALLBACKS, now=at))
    assert (late.timers, late.expired_reason) == ((), None)
    assert (await report_outcome(store, Outcome.ANSWERED)).effect == "ignored: already final"
