"""While a campaign is paused what would contact somebody waits; its end lets the rest go."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.admission.pauses import Pause
from missedd.core.api_types.campaigns import ByJson, InForceJson
from missedd.core.audit import Actor, Source
from missedd.core.model import Kind, Lane, Outcome, State
from missedd.core.reasons import Reason
from missedd.store.actions.pauses import pause, pauses_in_force, pauses_json, resume
from missedd.store.actions.quarantine import release_quarantine, start_quarantine
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import timers_between
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    NOON,
    OTHER,
    call,
    callback,
    campaign,
    everything,
    minutes,
    policy,
    seconds,
)
from tests.store.steps import CALLBACKS, DUE, actions, admit_calls, claim_actions, rows

BY = Actor(Source.API, "127.0.0.1")
WAITS = (State.HELD, None, Reason.CAMPAIGN_PAUSED)
TICK = timedelta(microseconds=1)
EXPIRY = NOON + minutes(15)


async def paused(
    store: Store, at: datetime = NOON, until: datetime | None = None, name: str = "admissions"
) -> list[Timer]:
    return await store.write(partial(pause, new_pause=Pause(name, at, until, "lunch", BY)))


async def resumed(store: Store, at: datetime, name: str = "admissions") -> list[Timer] | None:
    return await store.write(partial(resume, campaign=name, now=at))


async def wakes(store: Store) -> list[Timer]:
    return await store.read(partial(timers_between, after_us=-1, until_us=2**62))


async def test_what_is_planned_in_a_pause_waits_and_stays_due_when_it_was(store: Store) -> None:
    await paused(store)
    (found,) = await admit_calls(store, call("c1"))
    assert await actions(store) == [WAITS]
    assert await rows(store, "SELECT due_at, wake_at FROM actions") == [(to_us(DUE), to_us(EXPIRY) + 1)]
    assert list(found.timers) == await wakes(store) == [Timer(to_us(EXPIRY) + 1, 1, Lane.VOICE)]


async def test_what_is_due_in_a_pause_waits_at_its_gate(store: Store) -> None:
    await admit_calls(store, call("c1"), call("c2", caller=OTHER))
    await paused(store, until=NOON + minutes(5))
    claims = await claim_actions(store, 1)
    assert not claims.claimed
    (stopped,) = claims.stopped
    assert (stopped.reason, stopped.outcome) == (Reason.CAMPAIGN_PAUSED, None)
    assert stopped.timer == Timer(to_us(NOON + minutes(5)), 1, Lane.VOICE)
    assert await actions(store) == [WAITS, (State.PLANNED, None, Reason.OWED)]


async def test_a_callback_that_is_paused_past_its_expiry_expires(store: Store) -> None:
    await paused(store)
    await admit_calls(store, call("c1"))
    assert not (await claim_actions(store, 1, at=EXPIRY)).claimed
    assert await actions(store) == [WAITS]
    await claim_actions(store, 1, at=EXPIRY + TICK)
    assert await actions(store) == [(State.DONE, Outcome.EXPIRED, Reason.TOO_OLD)]


@pytest.mark.parametrize("after", [seconds(10), minutes(2)])
async def test_ended_it_goes_at_once_or_when_it_is_due(store: Store, after: timedelta) -> None:
    await paused(store)
    await admit_calls(store, call("c1"))
    goes_at = max(NOON + after, DUE)
    assert await resumed(store, NOON + after) == [Timer(to_us(goes_at), 1, Lane.VOICE)] == await wakes(store)
    assert await actions(store) == [(State.PLANNED, None, Reason.RESUMED)]
    assert [each.attempt for each in (await claim_actions(store, 1, at=goes_at)).claimed] == [1]


async def test_a_pause_with_an_end_lets_waiting_callbacks_go(store: Store) -> None:
    await paused(store, until=NOON + minutes(5))
    await admit_calls(store, call("c1"))
    assert await wakes(store) == [Timer(to_us(NOON + minutes(5)), 1, Lane.VOICE)]
    assert len((await claim_actions(store, 1, at=NOON + minutes(5))).claimed) == 1
    assert await resumed(store, NOON + minutes(6)) is None


async def test_what_is_due_after_its_end_is_not_held(store: Store) -> None:
    await paused(store, until=NOON + seconds(20))
    await admit_calls(store, call("c1"))
    assert await actions(store) == [(State.PLANNED, None, Reason.OWED)]


async def test_another_end_moves_what_waits(store: Store) -> None:
    await paused(store)
    await admit_calls(store, call("c1"))
    assert await paused(store, DUE, NOON + minutes(3)) == [Timer(to_us(NOON + minutes(3)), 1, Lane.VOICE)]
    assert await paused(store, DUE, NOON + minutes(60)) == [Timer(to_us(EXPIRY) + 1, 1, Lane.VOICE)]
    in_force = await store.read(partial(pauses_in_force, now=DUE))
    assert [each.until for each in in_force.values()] == [NOON + minutes(60)]
    assert await rows(store, "SELECT count(*) FROM pauses WHERE ended_at IS NULL") == [(1,)]


async def test_only_this_campaign_and_only_what_contacts_somebody(store: Store) -> None:
    both = policy(everything(), campaign(name="other", exophones=("+918047120009",), callback=callback()))
    await paused(store)
    await admit_calls(store, call("c1"), call("c2", caller=OTHER, dialled=("+918047120009",)), of=both)
    held = await rows(store, "SELECT kind, campaign FROM actions WHERE state = 'held' ORDER BY id")
    assert held == [(Kind.SMS, "admissions"), (Kind.CALLBACK, "admissions")]
    await resumed(store, NOON, "other")
    assert await rows(store, "SELECT count(*) FROM actions WHERE state = 'held'") == [(2,)]


async def test_who_rang_twice_is_called_back_once(store: Store) -> None:
    eager = policy(campaign(dedup_window=timedelta(0), callback=callback()))
    await paused(store)
    for n in range(2):
        await admit_calls(store, call(f"c{n}", at=NOON + seconds(n)), of=eager, at=NOON + seconds(n))
    await admit_calls(store, call("other", caller=OTHER), of=eager)
    await resumed(store, DUE + minutes(1))
    claims = await claim_actions(store, 3, 2, 1, at=DUE + minutes(1), of=eager)
    assert [each.action.number for each in claims.claimed] == [OTHER, CALLER]
    assert claims.stopped == ()
    assert await rows(
        store, "SELECT outcome, reason, details ->> 'replaced_by' FROM actions WHERE id = 1"
    ) == [(Outcome.DROPPED, Reason.ALREADY_OWED, "2")]


async def test_a_quarantine_goes_before(store: Store) -> None:
    await paused(store)
    await admit_calls(store, call("c1"))
    await store.write(partial(start_quarantine, now=DUE))
    assert await resumed(store, DUE) == []
    await store.write(partial(release_quarantine, now=DUE, drop=False))
    assert len((await claim_actions(store, 1)).claimed) == 1


async def test_how_it_is_shown(store: Store) -> None:
    await paused(store, until=NOON + minutes(5))
    assert await store.read(partial(pauses_json, now=NOON)) == {
        "admissions": InForceJson(
            "2026-11-23T06:30:00.000Z",
            "2026-11-23T06:35:00.000Z",
            "lunch",
            ByJson("api", "127.0.0.1"),
        )
    }
    assert await store.read(partial(pauses_json, now=NOON + minutes(5))) == {}


async def test_without_a_pause_there_is_none_to_end(store: Store) -> None:
    await admit_calls(store, call("c1"), of=CALLBACKS)
    assert await resumed(store, NOON) is None
    assert await actions(store) == [(State.PLANNED, None, Reason.OWED)]
