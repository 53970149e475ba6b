"""Admission on disk, over both drivers: what a batch of calls leaves behind."""

from __future__ import annotations

import json
from functools import partial

import pytest

from missedd.base.clock import to_us
from missedd.core.model import Lane, Outcome
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted, Refused
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import timers_between
from missedd.store.people.suppressions import suppress
from missedd.store.store import Store
from tests.core.campaigns import (
    CALLER,
    EXOPHONE,
    NOON,
    OTHER,
    STRANGE,
    call,
    callback,
    campaign,
    everything,
    minutes,
    policy,
    seconds,
)
from tests.store.steps import (
    actions,
    admit_calls,
    answer_action,
    claim_actions,
    report_outcome,
    rows,
    verdict_texts,
)

ALL = policy(everything())


async def test_a_call_and_all_that_it_leads_to_are_kept(store: Store) -> None:
    (found,) = await admit_calls(store, call(fields={"CallSid": "c1", "Digits": "é"}), of=ALL)
    kinds = ["lead", "vote", "subscribe", "unsubscribe", "verify", "webhook", "sms", "callback"]
    assert [each[0] for each in await actions(store, "kind")] == kinds
    assert found.timers == (
        Timer(to_us(NOON), 6, Lane.WEBHOOK),
        Timer(to_us(NOON), 7, Lane.SMS),
        Timer(to_us(NOON + seconds(30)), 8, Lane.VOICE),
    )
    ((fields, caller),) = await rows(store, "SELECT fields, caller FROM calls")
    assert (json.loads(fields), caller) == ({"CallSid": "c1", "Digits": "é"}, CALLER)
    assert await store.read(partial(timers_between, after_us=0, until_us=to_us(NOON + minutes(1)))) == list(
        found.timers
    )


async def test_a_call_sid_twice_in_one_batch_is_a_redelivery(store: Store) -> None:
    found = await admit_calls(store, call("c1"), call("c1"), call("c1"), of=ALL)
    assert verdict_texts(found) == ["accepted", "redelivered", "redelivered"]
    assert await rows(store, "SELECT call_sid, redeliveries FROM calls") == [("c1", 2)]
    assert len(await actions(store)) == 8


async def test_a_redelivery_is_counted_and_changes_nothing(store: Store) -> None:
    await admit_calls(store, call("c1"), of=ALL)
    before = await actions(store, "*")
    again = await admit_calls(store, call("c1", NOON + minutes(20)), at=NOON + minutes(20), of=ALL)
    assert verdict_texts(again) == ["redelivered"]
    assert again[0].timers == ()
    assert await actions(store, "*") == before
    assert await rows(store, "SELECT max(redeliveries), count(*) FROM calls") == [(1, 1)]


@pytest.mark.parametrize("same_batch", [True, False])
async def test_a_call_that_was_not_missed_yet_may_be_later(store: Store, same_batch: bool) -> None:
    early, late = call("c1", not_missed=Reason.AGENT_EVENT), call("c1")
    if same_batch:
        found = await admit_calls(store, early, early, late, late)
    else:
        found = [each for inbound in (early, early, late, late) for each in await admit_calls(store, inbound)]
    assert verdict_texts(found) == ["not-missed", "redelivered", "accepted", "redelivered"]
    assert await rows(store, "SELECT verdict, reason, redeliveries FROM calls") == [
        ("accepted", "first-call", 2)
    ]
    assert await actions(store) == [("planned", None, "owed")]


async def test_a_later_call_of_the_batch_sees_the_earlier_ones(store: Store) -> None:
    found = await admit_calls(store, call("c1"), call("c2", NOON + seconds(9)), call("c3", caller=OTHER))
    assert verdict_texts(found) == ["accepted", "duplicate", "accepted"]
    assert verdict_texts(await admit_calls(store, call("c4", NOON + minutes(4)), at=NOON + minutes(4))) == [
        "duplicate"
    ]
    assert verdict_texts(await admit_calls(store, call("c5", NOON + minutes(5)), at=NOON + minutes(5))) == [
        "accepted"
    ]


async def test_an_older_call_that_comes_late_is_a_duplicate_too(store: Store) -> None:
    found = await admit_calls(store, call("c2"), at=NOON)
    found += await admit_calls(store, call("c1", NOON - minutes(4)), at=NOON + seconds(5))
    assert verdict_texts(found) == ["accepted", "duplicate"]


async def test_a_lead_is_one_person_with_the_span_and_the_number_of_its_calls(store: Store) -> None:
    await admit_calls(store, call("c1"), call("c2", NOON - minutes(1)), of=ALL)
    await admit_calls(store, call("c3", NOON + minutes(30)), at=NOON + minutes(30), of=ALL)
    await admit_calls(store, call("c3", NOON + minutes(30)), at=NOON + minutes(31), of=ALL)
    await admit_calls(store, call("c4", caller=OTHER), at=NOON, of=ALL)
    assert await rows(
        store, "SELECT number, count, first_seen_at, last_seen_at, source FROM leads ORDER BY id"
    ) == [
        (CALLER, 3, to_us(NOON - minutes(1)), to_us(NOON + minutes(30)), "missed_call"),
        (OTHER, 1, to_us(NOON), to_us(NOON), "missed_call"),
    ]


async def test_what_leads_nowhere_is_kept_all_the_same(store: Store) -> None:
    found = await admit_calls(store, call("c1", caller=None), call("c2", dialled=(STRANGE,)), of=ALL)
    assert verdict_texts(found) == ["no-caller-id", "unknown-exophone"]
    assert await rows(store, "SELECT verdict, campaign, caller FROM calls ORDER BY id") == [
        ("no-caller-id", "admissions", None),
        ("unknown-exophone", None, CALLER),
    ]
    assert await actions(store) == []
    assert await rows(store, "SELECT * FROM leads") == []


async def test_an_exophone_of_ours_is_counted_by_its_verdict_and_is_nobody(store: Store) -> None:
    found = await admit_calls(store, call("c1", caller=EXOPHONE), call("c2", caller=EXOPHONE), of=ALL)
    assert verdict_texts(found) == ["own-number", "own-number"]
    assert await rows(store, "SELECT verdict, reason, campaign, caller FROM calls WHERE id = 1") == [
        ("own-number", "own-number", "admissions", EXOPHONE)
    ]
    for table in ("actions", "leads", "votes", "subscriptions", "verifications", "suppressions"):
        assert await rows(store, f"SELECT * FROM {table}") == []


@pytest.mark.parametrize(
    ("until_minutes", "verdict"), [(None, "suppressed"), (1, "suppressed"), (0, "accepted"), (-1, "accepted")]
)
async def test_a_suppression_holds_until_it_ends(
    store: Store, until_minutes: int | None, verdict: str
) -> None:
    until = None if until_minutes is None else NOON + minutes(until_minutes)
    await store.write(
        partial(suppress, number=CALLER, reason="asked", source="api", now=NOON - minutes(9), until=until)
    )
    assert verdict_texts(await admit_calls(store, call(), of=ALL)) == [verdict]
    kinds = [each[0] for each in await actions(store, "kind")]
    assert (kinds == ["vote", "unsubscribe", "verify"]) is (verdict == "suppressed")
    assert len(await rows(store, "SELECT * FROM leads")) == (verdict == "accepted")


async def test_the_cap_remembers_what_was_placed_but_not_what_never_rang(store: Store) -> None:
    """What waits gives its place to the later call's callback, so it never stands in its way."""
    of = policy(campaign(callback=callback(max_per_hour=1), dedup_window=seconds(1)))

    async def at(sid: str, offset: float) -> str:
        when = NOON + minutes(offset)
        await admit_calls(store, call(sid, when), at=when, of=of)
        return str((await actions(store, "reason"))[-1][0])

    assert await at("c1", 0) == "owed"
    assert await at("c2", 1) == "owed", "the first is pending, and its place is the second's now"
    assert await actions(store) == [("done", "dropped", "already-owed"), ("planned", None, "owed")]
    await claim_actions(store, 2, at=NOON + minutes(1), of=of)
    await answer_action(store, Accepted("sid-1"), 2, at=NOON + minutes(1))
    assert await at("c3", 2) == "max-per-hour", "the second was placed"
    await report_outcome(store, Outcome.NO_ANSWER, 2, at=NOON + minutes(3), of=of)
    assert await at("c4", 60.4) == "max-per-hour", "it would go out just within the hour"
    assert await at("c5", 61) == "owed", "an hour later it is forgotten"
    await claim_actions(store, 5, at=NOON + minutes(62), of=of)
    await answer_action(store, Refused(False, "400", Reason.PROVIDER_REFUSED), 5, at=NOON + minutes(62))
    assert await at("c6", 63) == "owed", "what was refused never rang"


@pytest.mark.sqlite
async def test_an_action_id_is_never_used_twice(store: Store) -> None:
    await admit_calls(store, call("c1"))
    await store.write(lambda db: db.execute("DELETE FROM actions"))
    await admit_calls(store, call("c2", caller=OTHER))
    assert await actions(store, "id") == [(2,)]


async def test_a_request_about_a_callback_of_ours_is_known(store: Store) -> None:
    await admit_calls(store, call("c1"))
    await claim_actions(store, 1)
    await answer_action(store, Accepted("out-1"))
    ours, other = await admit_calls(
        store,
        call("out-1", not_missed=Reason.OUTBOUND_LEG),
        call("out-2", not_missed=Reason.OUTBOUND_LEG),
        at=NOON + minutes(1),
    )
    assert (ours.own_callback_id, other.own_callback_id) == (1, None)


async def test_an_empty_batch_is_nothing(store: Store) -> None:
    assert await admit_calls(store) == []
