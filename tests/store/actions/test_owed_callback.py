"""A campaign owes a person one callback: what becomes of a second, however it arises; over both drivers."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.admission.pauses import Pause
from missedd.core.audit import Actor, Source
from missedd.core.model import Lane, Outcome, State
from missedd.core.policy import AfterHoursCallback, Policy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Refused
from missedd.store.actions.pauses import pause, resume
from missedd.store.actions.quarantine import release_quarantine, start_quarantine
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import timers_between
from missedd.store.reads.reader import load_analytics
from missedd.store.store import Store
from tests.core.campaigns import (
    AGENTS,
    INDIA,
    NOON,
    OTHER,
    SECOND_EXOPHONE,
    after_hours,
    call,
    callback,
    campaign,
    everything,
    ist,
    minutes,
    office,
    policy,
    seconds,
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

EAGER = policy(campaign(callback=callback(max_per_hour=9, retries=(minutes(5),)), dedup_window=timedelta(0)))
ALREADY_OWED = ("done", "dropped", "already-owed")
OWED = ("planned", None, "owed")
FOR_EVER = 2**62


async def rang(
    store: Store, sid: str, at: datetime, of: Policy = EAGER, told_at: datetime | None = None
) -> None:
    await admit_calls(store, call(sid, at), of=of, at=told_at or at)


async def kept(store: Store, action_id: int) -> tuple[object, ...]:
    """When it is due, until when it is worth making, and since when somebody waits for it."""
    (found,) = await rows(store, "SELECT due_at, expires_at, chain_at FROM actions WHERE id = ?", action_id)
    return found


async def replaced_by(store: Store) -> list[str | None]:
    return [by for (by,) in await rows(store, "SELECT details ->> 'replaced_by' FROM actions ORDER BY id")]


async def wakes(store: Store) -> list[Timer]:
    return await store.read(partial(timers_between, after_us=-1, until_us=FOR_EVER))


def instants(due_at: datetime, expires_at: datetime, chain_at: datetime | None) -> tuple[object, ...]:
    return to_us(due_at), to_us(expires_at), None if chain_at is None else to_us(chain_at)


# A new call.
SECOND = NOON + seconds(10)


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


async def test_late_and_in_one_batch(store: Store) -> None:
    """The batch is decided in the order of its arrival, whatever the calls' own times are."""
    told = [call("c2", SECOND), call("c1", NOON), call("c3", NOON + seconds(20))]
    found = await admit_calls(store, *told, of=EAGER, at=NOON + seconds(20))
    assert await actions(store) == [ALREADY_OWED, ALREADY_OWED, OWED]
    assert await replaced_by(store) == ["3", "1", None]
    assert await kept(store, 3) == instants(DUE, NOON + seconds(20) + minutes(15), NOON)
    assert await wakes(store) == [Timer(to_us(DUE), 3, Lane.VOICE)]
    assert Timer(to_us(DUE), 3, Lane.VOICE) in [wake for one in found for wake in one.timers]


# Retries.
async def unanswered(store: Store) -> None:
    await rang(store, "c1", NOON)
    await place_callback(store, of=EAGER)
    await end_callback(store, Outcome.NO_ANSWER, at=DUE + seconds(40), of=EAGER)


async def test_a_retry_gives_way_to_a_new_call_s_callback(store: Store) -> None:
    """Nobody has waited since the call that was called back already: the new call's own delay applies."""
    await unanswered(store)
    assert (await actions(store))[1] == ("planned", None, "retry-unanswered")
    again = DUE + minutes(5)
    await rang(store, "c2", again)
    assert (await actions(store))[1:] == [ALREADY_OWED, OWED]
    assert (await replaced_by(store))[1] == "3"
    assert await kept(store, 3) == instants(again + seconds(30), again + minutes(15), None)
    assert await rows(store, "SELECT retry_index, origin_id FROM actions WHERE id = 3") == [(0, None)]


async def test_a_retry_that_is_due_later_does_not_hold_the_new_one_back(store: Store) -> None:
    await unanswered(store)
    again = DUE + minutes(1)
    await rang(store, "c2", again)
    assert await kept(store, 3) == instants(again + seconds(30), again + minutes(15), None)


async def test_what_remains_begins_the_retries_anew(store: Store) -> None:
    await unanswered(store)
    again = DUE + minutes(1)
    await rang(store, "c2", again)
    await place_callback(store, 3, at=again + seconds(30), of=EAGER)
    over = again + minutes(1)
    applied = await end_callback(store, Outcome.BUSY, 3, at=over, of=EAGER)
    assert applied.timers == (Timer(to_us(over + minutes(5)), 4, Lane.VOICE),)
    assert await rows(store, "SELECT retry_index, origin_id, reason FROM actions WHERE id = 4") == [
        (1, 3, "retry-unanswered")
    ]


async def test_no_retry_beside_the_callback_for_a_later_call(store: Store) -> None:
    """The caller rang again while the callback was on its way."""
    await rang(store, "c1", NOON)
    await place_callback(store, of=EAGER)
    again = DUE + seconds(20)
    await rang(store, "c2", again)
    applied = await end_callback(store, Outcome.NO_ANSWER, at=DUE + seconds(40), of=EAGER)
    assert await actions(store) == [("done", "no-answer", "customer-no-answer"), OWED, ALREADY_OWED]
    assert (await replaced_by(store))[2] == "2"
    assert await kept(store, 2) == instants(again + seconds(30), again + minutes(15), None)
    assert applied.timers == ()
    assert await wakes(store) == [Timer(to_us(again + seconds(30)), 2, Lane.VOICE)]


# The next agent.
TEAM = policy(
    campaign(
        callback=callback(flow=None, agents=AGENTS[:2], max_per_hour=9, retries=(minutes(5),)),
        dedup_window=timedelta(0),
    )
)


async def test_the_next_agent_s_try_gives_way_to_a_later_call_s_and_hastens_it(store: Store) -> None:
    await rang(store, "c1", NOON, TEAM)
    await place_callback(store, of=TEAM)
    again = DUE + seconds(20)
    await rang(store, "c2", again, TEAM)
    missed_at = DUE + seconds(31)
    applied = await end_callback(
        store, Outcome.FAILED, at=missed_at, of=TEAM, reason=Reason.AGENT_NO_ANSWER, ended_at=missed_at
    )
    assert await actions(store) == [("done", "failed", "agent-no-answer"), OWED, ALREADY_OWED]
    assert await kept(store, 2) == instants(DUE, again + minutes(15), NOON)
    assert applied.timers == (Timer(to_us(DUE), 2, Lane.VOICE),)
    await place_callback(store, 2, at=missed_at, of=TEAM)
    assert await rows(store, "SELECT details ->> 'agent' FROM actions WHERE id = 2") == [(AGENTS[1],)]


async def test_the_next_agent_s_try_keeps_since_when_somebody_waits(store: Store) -> None:
    await rang(store, "c1", NOON, TEAM)
    await rang(store, "c2", SECOND, TEAM)
    await place_callback(store, 2, of=TEAM)
    missed_at = DUE + seconds(31)
    await end_callback(store, Outcome.FAILED, 2, at=missed_at, of=TEAM, reason=Reason.AGENT_BUSY)
    assert await kept(store, 3) == instants(DUE, SECOND + minutes(15), NOON)
    assert await rows(store, "SELECT retry_index, origin_id, state FROM actions WHERE id = 3") == [
        (0, 2, State.PLANNED)
    ]


async def test_a_retry_counts_from_no_call_at_all(store: Store) -> None:
    await rang(store, "c1", NOON)
    await rang(store, "c2", SECOND)
    await place_callback(store, 2, of=EAGER)
    await end_callback(store, Outcome.NO_ANSWER, 2, at=DUE + seconds(40), of=EAGER)
    retry_at = DUE + seconds(40) + minutes(5)
    assert await kept(store, 3) == instants(retry_at, retry_at + minutes(15), None)


# Gates.
async def test_a_new_one_that_its_gates_close_leaves_the_old_one(store: Store) -> None:
    """Rung just before the closing, due after it; and again at night, when the campaign calls nobody back."""
    of = policy(
        campaign(
            callback=callback(),
            hours=office(),
            dedup_window=timedelta(0),
            after_hours=after_hours(AfterHoursCallback.DEFER),
        )
    )
    strict = policy(
        campaign(
            callback=callback(),
            hours=office(),
            dedup_window=timedelta(0),
            after_hours=after_hours(AfterHoursCallback.SKIP),
        )
    )
    evening, opening = ist("2026-11-23 18:29:45"), ist("2026-11-24 09:30")
    await rang(store, "c1", evening, of)
    held = ("held", None, "business-closed")
    assert await actions(store) == [held]
    await rang(store, "c2", evening + minutes(10), strict)
    assert await actions(store) == [held, ("done", "dropped", "skipped-after-hours")]
    assert await replaced_by(store) == [None, None]
    assert await kept(store, 1) == instants(opening, opening + minutes(15), None)


async def test_a_new_one_that_is_too_old_already_leaves_the_old_one(store: Store) -> None:
    """It waits for the opening, and so does not grow old; the later call was told of late."""
    of = policy(campaign(callback=callback(), hours=office(), dedup_window=timedelta(0)))
    evening, opening = ist("2026-11-23 18:29:45"), ist("2026-11-24 09:30")
    await rang(store, "c1", evening, of)
    await rang(store, "c2", evening + seconds(1), of, told_at=opening)
    assert await actions(store) == [("held", None, "business-closed"), ("done", "expired", "too-old")]
    await place_callback(store, 1, at=opening, of=of)


OFFICE = policy(campaign(callback=callback(delay=minutes(2)), hours=office(), dedup_window=timedelta(0)))


async def test_it_goes_before_the_closing_as_the_earlier_one_would_have(store: Store) -> None:
    first, second = ist("2026-11-23 18:27:30"), ist("2026-11-23 18:28:40")
    await rang(store, "c1", first, OFFICE)
    await rang(store, "c2", second, OFFICE)
    assert await actions(store) == [ALREADY_OWED, OWED]
    due_at = first + minutes(2)
    assert (await kept(store, 2))[0] == to_us(due_at)
    assert await wakes(store) == [Timer(to_us(due_at), 2, Lane.VOICE)]
    await place_callback(store, 2, at=due_at, of=OFFICE)


async def test_calls_of_one_night_share_the_opening(store: Store) -> None:
    evening, opening = ist("2026-11-23 20:00"), ist("2026-11-24 09:30")
    for n in range(3):
        await rang(store, f"c{n}", evening + minutes(n), OFFICE)
    assert await actions(store) == [ALREADY_OWED, ALREADY_OWED, ("held", None, "business-closed")]
    assert await kept(store, 3) == instants(opening, opening + minutes(15), evening)


# A pause, and a restore.
async def paused(store: Store) -> None:
    begun = Pause("admissions", NOON, None, "lunch", Actor(Source.API, "127.0.0.1"))
    await store.write(partial(pause, new_pause=begun))


async def test_of_what_waits_for_the_end_of_a_pause_one_remains(store: Store) -> None:
    await paused(store)
    await rang(store, "c1", NOON)
    await rang(store, "c2", SECOND)
    assert await actions(store) == [ALREADY_OWED, ("held", None, "campaign-paused")]
    assert await kept(store, 2) == instants(DUE, SECOND + minutes(15), NOON)
    assert await wakes(store) == [Timer(to_us(SECOND + minutes(15)) + 1, 2, Lane.VOICE)]
    assert await store.write(partial(resume, campaign="admissions", now=NOON + seconds(20))) == [
        Timer(to_us(DUE), 2, Lane.VOICE)
    ]
    await place_callback(store, 2, of=EAGER)


async def test_a_call_told_of_late_hastens_nothing_out_of_a_pause(store: Store) -> None:
    await paused(store)
    await rang(store, "c2", SECOND)
    await rang(store, "c1", NOON, told_at=SECOND)
    assert await actions(store) == [("held", None, "campaign-paused"), ALREADY_OWED]
    assert await kept(store, 1) == instants(DUE, SECOND + minutes(15), NOON)
    assert await wakes(store) == [Timer(to_us(SECOND + minutes(15)) + 1, 1, Lane.VOICE)]


async def test_a_new_call_takes_the_place_of_what_is_under_quarantine(store: Store) -> None:
    await rang(store, "c1", NOON)
    await store.write(partial(start_quarantine, now=NOON + seconds(5)))
    await admit_calls(store, call("c2", SECOND), of=EAGER, at=SECOND)
    states = await rows(
        store, "SELECT state, reason, due_at, details ->> 'replaced_by' FROM actions ORDER BY id"
    )
    ((new_id,),) = await rows(store, "SELECT max(id) FROM actions")
    assert states == [
        ("done", "already-owed", to_us(DUE), str(new_id)),
        ("planned", "owed", to_us(DUE), None),
    ]
    await place_callback(store, new_id, of=EAGER)
    assert (await store.write(partial(release_quarantine, now=DUE, drop=False))).actions == 0


async def test_an_earlier_call_that_is_told_of_late_hastens_nothing_out_of_a_quarantine(store: Store) -> None:
    await rang(store, "c2", SECOND)
    await store.write(partial(start_quarantine, now=SECOND + seconds(1)))
    await rang(store, "c1", NOON, told_at=SECOND + seconds(2))
    assert await actions(store) == [("held", None, "quarantined"), ALREADY_OWED]
    assert await wakes(store) == []
    released = await store.write(partial(release_quarantine, now=SECOND + seconds(3), drop=False))
    assert released.timers == (Timer(to_us(DUE), 1, Lane.VOICE),)


# What waits for a call of ours.
async def test_what_waits_for_the_end_of_a_call_goes_on_waiting_for_it(store: Store) -> None:
    """Whichever remains: the new one comes to its gates and finds the caller being rung."""
    of = policy(*EAGER.campaigns, campaign(name="care", exophones=(SECOND_EXOPHONE,), callback=callback()))
    await admit_calls(store, call("c0", dialled=(SECOND_EXOPHONE,)), of=of)
    await place_callback(store, of=of)
    await rang(store, "c1", NOON + seconds(5), of)
    held = ("held", None, "caller-being-rung")
    await claim_actions(store, 2, at=DUE + seconds(5), of=of)
    assert (await actions(store))[1] == held
    again = DUE + seconds(10)
    await rang(store, "c2", again, of)
    assert (await actions(store))[1:] == [ALREADY_OWED, OWED]
    assert await kept(store, 3) == instants(DUE + seconds(5), again + minutes(15), NOON + seconds(5))
    assert [each.reason for each in (await claim_actions(store, 3, at=again, of=of)).stopped] == [
        Reason.CALLER_BEING_RUNG
    ]
    await rang(store, "c1b", NOON + seconds(1), of, told_at=again + seconds(1))
    assert (await actions(store))[2:] == [held, ALREADY_OWED]
    ((wake_us,),) = await rows(store, "SELECT wake_at FROM actions WHERE id = 3")
    assert wake_us > to_us(again + seconds(1)), "no sooner than that call ends"
    applied = await end_callback(store, Outcome.NO_ANSWER, at=DUE + minutes(1), of=of)
    assert Timer(to_us(DUE + minutes(1)), 3, Lane.VOICE) in applied.timers


# What is told of it.
async def test_the_figures_count_from_the_earliest_call(store: Store) -> None:
    await rang(store, "c1", NOON)
    await rang(store, "c2", NOON + seconds(20))
    await place_callback(store, 2, of=EAGER)
    await end_callback(store, Outcome.ANSWERED, 2, at=DUE + seconds(40), of=EAGER)
    counted = partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA)
    found = await store.read(counted)
    assert (found["callbacks_made"], found["callbacks_answered"]) == (1, 1)
    assert found["seconds_to_callback"] == {"median": 30.0, "p95": 30.0}
