"""Conversions on disk: one a reference, put down to a call, told to their lead; over both drivers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from msgspec import to_builtins

from missedd.base.clock import to_us
from missedd.core.pagination import Query
from missedd.core.people.conversions import ConversionInput, ConversionResult, StoredConversion, UnknownCaller
from missedd.core.policy import Policy
from missedd.core.reasons import Reason
from missedd.store.people.conversions import record_conversions
from missedd.store.reads.reader import conversions, load_analytics
from missedd.store.store import Store
from tests.core.campaigns import CALLER, INDIA, NOON, OTHER, THIRD, call, campaign, minutes, policy
from tests.store.steps import admit_calls, rows

SHOP = policy(
    campaign(lead_source="missed_call"),
    campaign(name="news", exophones=("+918047120002",)),
)
LATER = NOON + timedelta(hours=3)


async def rung(store: Store, of: Policy = SHOP) -> None:
    """One who made a lead and then rang the news, and one who rang the news only."""
    await admit_calls(
        store,
        call("c1"),
        call("c2", NOON + minutes(10), dialled=("+918047120002",)),
        call("c3", caller=OTHER, dialled=("+918047120002",)),
        call("c4", caller=THIRD, not_missed=Reason.CONVERSATION),
        of=of,
    )


async def said(store: Store, *each: ConversionInput, dry_run: bool = False) -> list[ConversionResult]:
    return await store.write(partial(record_conversions, conversions=each, now=LATER, dry_run=dry_run))


async def kept(store: Store) -> list[tuple[object, ...]]:
    return await rows(
        store,
        "SELECT id, reference, campaign, number, call_id, lead_id, at, value FROM conversions ORDER BY id",
    )


async def test_a_batch_is_answered_in_its_order(store: Store) -> None:
    await rung(store)
    at = NOON + minutes(30)
    answers = await said(
        store,
        ConversionInput("o1", CALLER, value=2500.5, at=at),
        ConversionInput("o2", "+919000000009"),
        ConversionInput("o3", OTHER),
        ConversionInput("o4", call_sid="c2"),
        ConversionInput("o5", THIRD),
        ConversionInput("o6", call_sid="nobody's"),
        ConversionInput("o7", CALLER, campaign="news"),
        ConversionInput("o8", OTHER, campaign="admissions"),
        ConversionInput("o1", CALLER, value=9),
    )
    assert [each.field if isinstance(each, UnknownCaller) else each.is_repeated for each in answers] == [
        *(False, "number", False, False, "number", "call_sid", False, "campaign", True),
    ]
    assert await kept(store) == [
        (1, "o1", "admissions", CALLER, 1, 1, to_us(at), 2500.5),
        (2, "o3", "news", OTHER, 3, None, to_us(LATER), None),
        (3, "o4", "news", CALLER, 2, None, to_us(LATER), None),
        (4, "o7", "news", CALLER, 2, None, to_us(LATER), None),
    ]
    first = answers[0]
    assert isinstance(first, StoredConversion)
    assert to_builtins(first.conversion) == {
        "id": 1,
        "reference": "o1",
        "campaign": "admissions",
        "number": CALLER,
        "call_sid": "c1",
        "at": "2026-11-23T07:00:00.000Z",
        "value": 2500.5,
        "lead": 1,
        "created_at": "2026-11-23T09:30:00.000Z",
    }
    assert answers[-1] == StoredConversion(first.conversion, is_repeated=True, conflicting_fields=("value",))


async def test_the_same_reference_again_changes_nothing(store: Store) -> None:
    await rung(store)
    (first,) = await said(store, ConversionInput("o1", CALLER, value=10))
    before = await kept(store), await rows(store, "SELECT * FROM leads")
    for again in (
        ConversionInput("o1", CALLER, value=10),
        ConversionInput("o1", OTHER, value=11, at=NOON),
        ConversionInput("o1", "+919000000009"),
    ):
        (answer,) = await said(store, again)
        assert isinstance(answer, StoredConversion)
        assert isinstance(first, StoredConversion)
        assert answer.is_repeated
        assert answer.conversion == first.conversion
    assert (await kept(store), await rows(store, "SELECT * FROM leads")) == before


async def test_a_lead_keeps_its_first_conversion(store: Store) -> None:
    await rung(store)
    await said(store, ConversionInput("o1", CALLER, at=NOON + minutes(20)))
    await said(store, ConversionInput("o2", CALLER, at=NOON + minutes(15)), ConversionInput("o3", CALLER))
    assert await rows(store, "SELECT status, converted_at, updated_at FROM leads") == [
        ("converted", to_us(NOON + minutes(20)), to_us(LATER))
    ]
    counted = await store.read(
        partial(load_analytics, campaign="admissions", since=None, until=None, timezone=INDIA)
    )
    assert (counted.leads, counted.conversions, counted.conversion_rate) == (1, 3, 1.0)


async def test_a_dry_run_answers_and_keeps_nothing(store: Store) -> None:
    await rung(store)
    first, second = await said(
        store, ConversionInput("o1", CALLER), ConversionInput("o1", CALLER), dry_run=True
    )
    assert isinstance(first, StoredConversion)
    assert isinstance(second, StoredConversion)
    assert (first.is_repeated, second.is_repeated) == (False, True)
    assert await kept(store) == []
    assert await rows(store, "SELECT status, converted_at FROM leads") == [("new", None)]


async def test_the_list_has_its_filters(store: Store) -> None:
    await rung(store)
    await said(
        store,
        ConversionInput("o1", CALLER, at=NOON + minutes(20)),
        ConversionInput("o2", OTHER, at=NOON + minutes(25)),
        ConversionInput("o3", CALLER, at=NOON + minutes(30)),
    )

    async def references(query: Query) -> list[str]:
        page = await store.read(partial(conversions, query=query))
        return [each.reference for each in page.items]

    assert await references(Query()) == ["o3", "o2", "o1"]
    assert await references(Query(number=CALLER)) == ["o3", "o1"]
    assert await references(Query(campaign="news")) == ["o2"]
    assert await references(Query(reference="o2")) == ["o2"]
    assert await references(Query(since=NOON + minutes(25), until=NOON + minutes(30))) == ["o2"]
