"""The one callback that a person is owed, while a gate, a pause, a quarantine or a call holds it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from missedd.base.clock import to_us
from missedd.core.admission.pauses import Pause
from missedd.core.audit import Actor, Source
from missedd.core.model import Lane, Outcome
from missedd.core.policy import AfterHoursCallback
from missedd.core.reasons import Reason
from missedd.store.actions.pauses import pause, resume
from missedd.store.actions.quarantine import release_quarantine, start_quarantine
from missedd.store.actions.rows import Timer
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
from tests.store.steps import DUE, actions, admit_calls, claim_actions, end_callback, place_callback, rows


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


async def test_a_replaced_callback_still_goes_before_closing_time(store: Store) -> None:
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
