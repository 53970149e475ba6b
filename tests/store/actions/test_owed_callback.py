"""A second call of the same person: its callback replaces the one that waits."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.api_types.analytics import WaitsJson
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Refused
from missedd.store.actions.rows import Timer
from missedd.store.reads.reader import load_analytics
from missedd.store.store import Store
from tests.core.campaigns import (
    INDIA,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    call,
    callback,
    campaign,
    everything,
    minutes,
    policy,
    seconds,
)
from tests.store.actions.owed import (
    ALREADY_OWED,
    EAGER,
    OWED,
    SECOND,
    instants,
    kept,
    rang,
    replaced_by,
    wakes,
)
from tests.store.steps import (
    DUE,
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    end_callback,
    place_callback,
    record_answer,
    rows,
    verdict_texts,
)


@pytest.mark.parametrize("same_batch", [True, False])
@pytest.mark.parametrize("window", [timedelta(0), seconds(5)])
async def test_a_new_call_s_callback_takes_the_place_of_the_one_that_waits(
    store: Store, window: timedelta, same_batch: bool
) -> None:
    of = policy(campaign(callback=callback(), dedup_window=window))
    calls = [call("c1"), call("c2", SECOND)]
    batches = [calls] if same_batch else [[one] for one in calls]
    told = [one for batch in batches for one in await admit_calls(store, *batch, of=of, at=SECOND)]
    assert verdict_texts(told) == ["accepted", "accepted"]
    assert await actions(store) == [ALREADY_OWED, OWED]
    assert await replaced_by(store) == ["2", None]
    assert await kept(store, 2) == instants(DUE, SECOND + minutes(15), NOON)
    assert await wakes(store) == [Timer(to_us(DUE), 2, Lane.VOICE)]
    assert await rows(store, "SELECT closed_at, wake_at FROM actions WHERE id = 1") == [(to_us(SECOND), None)]
    assert told[1].timers == (Timer(to_us(DUE), 2, Lane.VOICE),)
    assert [(each.id, each.outcome, each.reason) for each in told[1].cancelled] == [
        (1, Outcome.DROPPED, Reason.ALREADY_OWED)
    ]
    claims = await claim_actions(store, 1, 2, of=of)
    assert ([each.action.id for each in claims.claimed], claims.stopped) == ([2], ())


@pytest.mark.parametrize("same_batch", [True, False])
async def test_of_many_calls_the_latest_is_called_back_when_the_first_was_due(
    store: Store, same_batch: bool
) -> None:
    calls = [call(f"c{n}", NOON + seconds(n)) for n in range(5)]
    for batch in [calls] if same_batch else [[one] for one in calls]:
        await admit_calls(store, *batch, of=EAGER, at=NOON + seconds(5))
    assert await actions(store) == [*[ALREADY_OWED] * 4, OWED]
    assert await replaced_by(store) == ["2", "3", "4", "5", None]
    assert await kept(store, 5) == instants(DUE, NOON + seconds(4) + minutes(15), NOON)
    assert await wakes(store) == [Timer(to_us(DUE), 5, Lane.VOICE)]


async def test_other_people_and_other_campaigns_are_owed_their_own(store: Store) -> None:
    of = policy(*EAGER.campaigns, campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=callback()))
    await admit_calls(
        store,
        call("c1"),
        call("c2", SECOND, caller=OTHER),
        call("c3", SECOND, dialled=(SECOND_EXOPHONE,)),
        of=of,
        at=SECOND,
    )
    assert await actions(store) == [OWED, OWED, OWED]


async def test_what_is_on_its_way_is_placed_and_not_owed_any_more(store: Store) -> None:
    await rang(store, "c1", NOON)
    await claim_actions(store, 1, of=EAGER)
    await rang(store, "c2", DUE + seconds(1))
    assert await actions(store) == [("attempting", None, "owed"), OWED]
    assert await kept(store, 2) == instants(DUE + seconds(31), DUE + seconds(1) + minutes(15), None)


async def test_what_was_refused_for_now_is_owed_again(store: Store) -> None:
    """The provider asked for patience: the later call's callback goes no earlier than that either."""
    await rang(store, "c1", NOON)
    await claim_actions(store, 1, of=EAGER)
    wake = await answer_action(store, Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=20), of=EAGER)
    assert wake is not None
    await rang(store, "c2", DUE + seconds(2))
    assert await actions(store) == [ALREADY_OWED, OWED]
    ((due_us, chain_us),) = await rows(store, "SELECT due_at, chain_at FROM actions WHERE id = 2")
    assert (due_us, chain_us) == (wake.at_us, to_us(NOON))


@pytest.mark.parametrize("retry_after_s", [5, 90])
async def test_what_was_refused_for_now_gives_way_to_a_call_that_came_in_meanwhile(
    store: Store, retry_after_s: int
) -> None:
    await rang(store, "c1", NOON)
    assert (await claim_actions(store, 1, of=EAGER)).claimed
    await rang(store, "c2", NOON + seconds(31))
    refused = Refused(True, "429", Reason.RATE_LIMITED, retry_after_s=retry_after_s)
    told = await record_answer(store, refused, of=EAGER)
    ((again_us,),) = await rows(store, "SELECT due_at FROM actions WHERE id = 1")
    due_us = min(again_us, to_us(NOON + seconds(61)))
    assert await actions(store) == [ALREADY_OWED, OWED]
    assert await replaced_by(store) == ["2", None]
    assert await kept(store, 2) == (due_us, to_us(NOON + seconds(31) + minutes(15)), to_us(NOON))
    assert await wakes(store) == [Timer(due_us, 2, Lane.VOICE)]
    assert Timer(due_us, 2, Lane.VOICE) in told


async def test_the_place_under_the_cap_passes_on(store: Store) -> None:
    of = policy(campaign(callback=callback(max_per_hour=1), dedup_window=timedelta(0)))
    for n in range(3):
        await rang(store, f"c{n}", NOON + seconds(n), of)
    assert await actions(store) == [ALREADY_OWED, ALREADY_OWED, OWED]
    await place_callback(store, 3, of=of)


async def test_everything_else_that_the_calls_are_owed_stays(store: Store) -> None:
    of = policy(everything(callback=callback(), dedup_window=timedelta(0), unsubscribe=None, vote=None))
    await rang(store, "c1", NOON, of)
    await rang(store, "c2", SECOND, of)
    for kind in ("sms", "webhook", "lead", "subscribe"):
        found = await rows(store, "SELECT outcome FROM actions WHERE kind = ? ORDER BY id", kind)
        assert len(found) == 2
        assert ("dropped",) not in found


# An earlier call that is told of late.
async def test_an_earlier_call_that_is_told_of_late_hastens_the_one_that_waits(store: Store) -> None:
    await rang(store, "c2", NOON)
    earlier = NOON - seconds(20)
    (told,) = await admit_calls(store, call("c1", earlier), of=EAGER, at=SECOND)
    assert await actions(store) == [OWED, ALREADY_OWED]
    assert await replaced_by(store) == [None, "1"]
    assert await kept(store, 1) == instants(earlier + seconds(30), NOON + minutes(15), earlier)
    assert told.timers == (Timer(to_us(earlier + seconds(30)), 1, Lane.VOICE),)
    assert await wakes(store) == [Timer(to_us(earlier + seconds(30)), 1, Lane.VOICE)]
    await place_callback(store, 1, at=earlier + seconds(30), of=EAGER)


async def test_of_two_calls_of_one_instant_the_one_told_of_last_remains(store: Store) -> None:
    await rang(store, "c1", NOON)
    await rang(store, "c2", NOON)
    assert await actions(store) == [ALREADY_OWED, OWED]
    assert await kept(store, 2) == instants(DUE, NOON + minutes(15), NOON)


async def test_calls_delivered_late_in_one_batch_leave_one_callback(store: Store) -> None:
    """The batch is decided in the order of its arrival, whatever the calls' own times are."""
    told = [call("c2", SECOND), call("c1", NOON), call("c3", NOON + seconds(20))]
    found = await admit_calls(store, *told, of=EAGER, at=NOON + seconds(20))
    assert await actions(store) == [ALREADY_OWED, ALREADY_OWED, OWED]
    assert await replaced_by(store) == ["3", "1", None]
    assert await kept(store, 3) == instants(DUE, NOON + seconds(20) + minutes(15), NOON)
    assert await wakes(store) == [Timer(to_us(DUE), 3, Lane.VOICE)]
    assert Timer(to_us(DUE), 3, Lane.VOICE) in [wake for one in found for wake in one.timers]


# What is told of it.
async def test_the_figures_count_from_the_earliest_call(store: Store) -> None:
    await rang(store, "c1", NOON)
    await rang(store, "c2", NOON + seconds(20))
    await place_callback(store, 2, of=EAGER)
    await end_callback(store, Outcome.ANSWERED, 2, at=DUE + seconds(40), of=EAGER)
    counted = partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA)
    found = await store.read(counted)
    assert (found.callbacks_made, found.callbacks_answered) == (1, 1)
    assert found.seconds_to_callback == WaitsJson(30.0, 30.0)
