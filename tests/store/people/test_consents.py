"""Lists on disk, over both drivers: consents with their evidence, and numbers that opted out."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from msgspec import to_builtins

from missedd.base.clock import to_us
from missedd.core.model import InboundCall
from missedd.core.pagination import Query
from missedd.core.people.consent import ConsentHistory, SubscribeEvent, UnsubscribeEvent
from missedd.core.people.suppression import (
    BLOCKS_ALL,
    BLOCKS_PROMOTIONAL_SMS,
    BLOCKS_SMS,
    Channel,
    RefusedSmsClass,
    Restriction,
)
from missedd.core.policy import MessageClass, SubscribePolicy, UnsubscribePolicy
from missedd.exotel.request_result import Accepted
from missedd.store.people.consents import unsubscribe
from missedd.store.people.suppressions import suppress, suppress_after_refusal, unsuppress
from missedd.store.reads.reader import subscriptions, suppressions
from missedd.store.store import Store
from tests.core.campaigns import CALLER, NOON, OTHER, call, callback, campaign, minutes, policy, seconds, sms
from tests.store.steps import actions, admit_calls, answer_action, claim_actions, rows, verdict_texts

ON, OFF, STOP, SHOP = (f"+9180471200{each}" for each in (20, 21, 22, 23))
YEAR = timedelta(days=365)
LISTS = policy(
    campaign(
        name="on",
        exophones=(ON,),
        dedup_window=minutes(5),
        subscribe=SubscribePolicy("weather", "daily alerts"),
    ),
    campaign(name="off", exophones=(OFF,), unsubscribe=UnsubscribePolicy("weather")),
    campaign(
        name="stop",
        exophones=(STOP,),
        unsubscribe=UnsubscribePolicy("weather", suppress=True, suppress_for=YEAR),
        sms=sms(body="You will not hear from us again."),
        callback=callback(),
    ),
    campaign(name="shop", exophones=(SHOP,), sms=sms(), callback=callback()),
)


def rung(sid: str, exophone: str, at_minutes: float = 0, caller: str = CALLER) -> InboundCall:
    return call(sid, NOON + minutes(at_minutes), caller=caller, dialled=(exophone,))


async def tell(store: Store, *calls: InboundCall, at: float = 120) -> list[str]:
    """Admit each call in a batch of its own, told at `at` minutes past noon; the reasons of its actions."""
    for each in calls:
        await admit_calls(store, each, of=LISTS, at=NOON + minutes(at))
    return [str(reason) for (reason,) in await actions(store, "reason")]


async def listed(store: Store, **filters: Any) -> list[dict[str, Any]]:
    page = await store.read(partial(subscriptions, query=Query(**filters)))
    return [to_builtins(each) for each in page.items]


async def test_a_consent_is_kept_with_its_evidence_and_its_end(store: Store) -> None:
    assert await tell(store, rung("c1", ON), rung("c2", OFF, 9)) == ["subscribed", "unsubscribed"]
    assert await listed(store, list="weather", number=CALLER) == [
        {
            "list": "weather",
            "number": CALLER,
            "purpose": "daily alerts",
            "state": "withdrawn",
            "campaign": "on",
            "exophone": ON,
            "call_sid": "c1",
            "consented_at": "2026-11-23T06:30:00.000Z",
            "withdrawn_at": "2026-11-23T06:39:00.000Z",
            "withdrawn_by": "missed-call",
            "withdrawal_call_sid": "c2",
        }
    ]


async def test_a_repeat_is_no_consent_of_its_own_also_within_the_window_and_in_one_batch(
    store: Store,
) -> None:
    calls = (rung("c1", ON), rung("c2", ON, 1), rung("c3", ON, 9))
    found = await admit_calls(store, *calls, of=LISTS, at=NOON + minutes(10))
    assert verdict_texts(found) == ["accepted", "duplicate", "accepted"]
    assert [str(each[0]) for each in await actions(store, "reason")] == [
        "subscribed",
        "already-subscribed",
        "already-subscribed",
    ]
    assert [each["call_sid"] for each in await listed(store)] == ["c1"]


async def test_an_earlier_call_that_is_told_of_later_is_the_evidence(store: Store) -> None:
    await tell(store, rung("c2", ON, 9), rung("c1", ON, 0))
    assert [(each["call_sid"], each["state"]) for each in await listed(store)] == [("c1", "in-force")]


async def test_filters_and_pages(store: Store) -> None:
    await tell(store, rung("c1", ON), rung("c2", ON, 1, OTHER), rung("c3", OFF, 2), rung("c4", ON, 3))
    assert [each["call_sid"] for each in await listed(store)] == ["c4", "c2", "c1"]
    assert [each["call_sid"] for each in await listed(store, standing="in-force")] == ["c4", "c2"]
    assert [each["call_sid"] for each in await listed(store, standing="withdrawn")] == ["c1"]
    assert [each["call_sid"] for each in await listed(store, number=OTHER)] == ["c2"]
    assert [each["call_sid"] for each in await listed(store, since=NOON + minutes(1))] == ["c4", "c2"]
    assert await listed(store, list="news") == []
    first = await store.read(partial(subscriptions, query=Query(list="weather", limit=2)))
    rest = await store.read(partial(subscriptions, query=Query(list="weather", limit=2, cursor=first.next)))
    assert [each.call_sid for each in [*first.items, *rest.items]] == ["c4", "c2", "c1"]


async def test_an_operator_takes_a_number_off_once(store: Store) -> None:
    await tell(store, rung("c1", ON), at=1)
    leave = partial(unsubscribe, name="weather", number=CALLER, by="cli", now=NOON - minutes(1))
    assert await store.write(leave)
    assert not await store.write(leave)
    assert not await store.write(partial(unsubscribe, name="news", number=CALLER, by="cli", now=NOON))
    (consent,) = await listed(store)
    assert (consent["state"], consent["withdrawn_by"]) == ("withdrawn", "cli")
    assert consent["withdrawn_at"] == consent["consented_at"], "their call lay ahead of our clock"
    assert consent["withdrawal_call_sid"] is None


def recount(said: list[tuple[str, str, int]]) -> set[tuple[str, str]]:
    """Which calls are consents and how they stand, from all that was said, in the order of its time."""
    ledger = ConsentHistory.from_events(
        SubscribeEvent(NOON + minutes(at), int(sid))
        if exophone == ON
        else UnsubscribeEvent(NOON + minutes(at), "", int(sid))
        for sid, exophone, at in said
    )
    return {(str(each.subscribed_by.call_id), each.status.value) for each in ledger.consents()}


@pytest.mark.parametrize("seed", range(25))
async def test_the_order_of_arrival_does_not_matter(store: Store, seed: int) -> None:
    """Also where the batches are cut, and though a ledger is read only from a consent on."""
    rng = Random(seed)
    # Each at a minute of its own: which of two calls of one instant is the evidence is arrival's to say.
    times = rng.sample(range(60), rng.randint(2, 12))
    said = [(str(index + 1), rng.choice((ON, ON, OFF, STOP)), at) for index, at in enumerate(times)]
    waiting = [rung(sid, exophone, at) for sid, exophone, at in rng.sample(said, len(said))]
    while waiting:
        batch = [waiting.pop() for _ in range(rng.randint(1, min(3, len(waiting))))]
        await admit_calls(store, *batch, of=LISTS, at=NOON + minutes(60))
        # An operator's lifting, so that what opting out bars does not hide the lists from this test.
        await store.write(partial(unsuppress, number=CALLER))
    found = await rows(
        store,
        """SELECT call_sid, standing FROM subscriptions s JOIN calls c ON c.id = s.call_id""",
    )
    assert set(found) == recount(said)


async def test_who_opts_out_is_texted_the_confirmation_of_that_call_and_nothing_else(store: Store) -> None:
    shop, stop = await admit_calls(store, rung("c1", SHOP), rung("c2", STOP, 0.1), of=LISTS)
    assert verdict_texts([shop, stop]) == ["accepted", "accepted"]
    assert await actions(store, "kind, state, reason") == [
        ("sms", "planned", "owed"),
        ("callback", "planned", "owed"),
        ("unsubscribe", "done", "not-subscribed"),
        ("sms", "planned", "owed"),
        ("callback", "done", "suppressed-since"),
    ]
    claims = await claim_actions(store, 1, 2, 4, at=NOON + minutes(1), of=LISTS)
    assert [each.action.id for each in claims.claimed] == [4]
    assert [(each.action.id, each.reason) for each in claims.stopped] == [
        (1, "suppressed-since"),
        (2, "suppressed-since"),
    ]
    assert await rows(store, "SELECT number, source, until_at, asked_at, call_id FROM suppressions") == [
        (CALLER, "opt-out", to_us(NOON + minutes(0.1) + YEAR), to_us(NOON + minutes(0.1)), 2)
    ]
    page = await store.read(partial(suppressions, query=Query()))
    assert [(each.source, each.call_sid) for each in page.items] == [("opt-out", "c2")]


async def test_a_further_opting_out_is_recorded_prolongs_and_is_confirmed_no_more(store: Store) -> None:
    first, again = await admit_calls(
        store, rung("c1", STOP), rung("c2", STOP, 30), of=LISTS, at=NOON + minutes(31)
    )
    assert verdict_texts([first, again]) == ["accepted", "suppressed"]
    assert await rows(store, "SELECT until_at, call_id FROM suppressions") == [
        (to_us(NOON + minutes(30) + YEAR), 1)
    ]
    claims = await claim_actions(store, 2, at=NOON + minutes(31), of=LISTS)
    assert [each.action.call_id for each in claims.claimed] == [1], "the first is confirmed all the same"


@pytest.mark.parametrize(
    ("source", "bar", "reason"),
    [
        ("api", BLOCKS_ALL, "suppressed-since"),
        ("provider", Restriction(Channel.SMS), "refuses-sms"),
        ("provider", Restriction(Channel.SMS, RefusedSmsClass.SENDER, "EXAMPL"), "refuses-sms"),
        ("provider", BLOCKS_SMS, "takes-no-sms"),
    ],
)
async def test_the_confirmation_passes_no_other_suppression(
    store: Store, source: str, bar: Restriction, reason: str
) -> None:
    await admit_calls(store, rung("c1", STOP), of=LISTS)
    await store.write(
        partial(suppress, number=CALLER, reason="x", source=source, now=NOON, until=None, restriction=bar)
    )
    claims = await claim_actions(store, 2, at=NOON, of=LISTS)
    assert [(each.reason) for each in claims.stopped] == [reason]


async def test_the_confirmation_passes_the_register_whatever_its_class(store: Store) -> None:
    promotional = policy(
        campaign(
            sms=sms(message_class=MessageClass.PROMOTIONAL), unsubscribe=UnsubscribePolicy("x", suppress=True)
        )
    )
    await store.write(
        partial(
            suppress_after_refusal,
            number=CALLER,
            restriction=BLOCKS_PROMOTIONAL_SMS,
            reason="sms 23005",
            now=NOON,
        )
    )
    await admit_calls(store, call(), of=promotional)
    assert [
        each.action.kind for each in (await claim_actions(store, 2, at=NOON, of=promotional)).claimed
    ] == ["sms"]


async def test_who_joins_again_after_opting_out_may_be_contacted(store: Store) -> None:
    await tell(store, rung("c1", STOP), at=0)
    joined, later = await admit_calls(
        store, rung("c2", ON, 10), rung("c3", SHOP, 11), of=LISTS, at=NOON + minutes(12)
    )
    assert (joined.admission.verdict, joined.admission.actions[0].reason) == ("suppressed", "subscribed")
    assert later.admission.verdict == "accepted"
    assert await rows(store, "SELECT * FROM suppressions") == []


async def test_a_call_from_before_the_opting_out_lifts_nothing(store: Store) -> None:
    await tell(store, rung("c1", STOP, 10), rung("c2", ON, 5))
    assert len(await rows(store, "SELECT * FROM suppressions")) == 1
    assert await listed(store, standing="in-force") == []


async def test_an_opting_out_from_before_the_joining_bars_nobody(store: Store) -> None:
    await tell(store, rung("c1", ON, 5), rung("c2", STOP, 0))
    assert await rows(store, "SELECT * FROM suppressions") == []
    assert len(await listed(store, standing="in-force")) == 1


async def test_joining_lifts_nobody_elses_suppression(store: Store) -> None:
    await store.write(partial(suppress, number=CALLER, reason="x", source="api", now=NOON, until=None))
    await tell(store, rung("c1", STOP), rung("c2", ON, 10))
    assert await actions(store, "kind") == [("unsubscribe",)]
    assert await rows(store, "SELECT source FROM suppressions ORDER BY 1") == [("api",), ("opt-out",)]
    await store.write(partial(unsuppress, number=CALLER))
    assert await rows(store, "SELECT * FROM suppressions") == []


async def test_an_opting_out_ends_with_its_time_and_a_new_one_is_confirmed_again(store: Store) -> None:
    await tell(store, rung("c1", STOP), at=0)
    late = YEAR / minutes(1) + 1
    found = await admit_calls(store, rung("c2", STOP, late), of=LISTS, at=NOON + minutes(late))
    assert verdict_texts(found) == ["accepted"]
    assert await rows(store, "SELECT call_id FROM suppressions") == [(2,)]
    (sms_action,) = (wake.action_id for wake in found[0].timers)
    claims = await claim_actions(store, sms_action, at=NOON + minutes(late), of=LISTS)
    assert len(claims.claimed) == 1
    await answer_action(store, Accepted("sid-1"), sms_action, at=NOON + minutes(late) + seconds(1))


async def test_sources_stand_for_themselves(store: Store) -> None:
    """What one source lets run out, another may still want."""
    for source, until in (("api", NOON + minutes(1)), ("cli", NOON + minutes(9))):
        await store.write(partial(suppress, number=CALLER, reason="x", source=source, now=NOON, until=until))
    assert verdict_texts(await admit_calls(store, rung("c1", SHOP), of=LISTS, at=NOON + minutes(5))) == [
        "suppressed"
    ]
    assert verdict_texts(await admit_calls(store, rung("c2", SHOP), of=LISTS, at=NOON + minutes(9))) == [
        "accepted"
    ]
