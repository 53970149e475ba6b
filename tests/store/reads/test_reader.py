"""Calls, actions, leads and suppressions as the reader returns them, page by page."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import to_builtins

from missedd.base.clock import to_us
from missedd.core.pagination import InvalidCursor, Query, encode_cursor
from missedd.store.reads import reader
from missedd.store.reads.lists import DISPATCH_ORDER
from missedd.store.sqlite.migrate import LATEST_VERSION
from tests.store.database import CALLER, NOON, FilledDatabase

OTHER = "+919812345678"


async def test_a_call_tells_its_whole_story(db: FilledDatabase) -> None:
    call = db.call("abc", redeliveries=2)
    db.done(call, "lead", "recorded", reason="recorded-at-once")
    callback = db.done(
        call, "callback", "answered", reason="customer-answered", placed_at=NOON, provider_sid="out"
    )
    db.put("attempts", action_id=callback, number=1, started_at=NOON, result="unknown", reason="reply-lost")
    db.put(
        "attempts",
        action_id=callback,
        number=2,
        started_at=NOON + timedelta(seconds=2),
        finished_at=NOON + timedelta(seconds=3),
        result="accepted",
        code="200",
        reason="provider-accepted",
        provider_sid="out",
        message="OK",
    )
    db.put(
        "reports",
        action_id=callback,
        provider_sid="out",
        received_at=NOON,
        status="completed",
        source="report",
        effect="applied",
        fields="{}",
    )
    story = await reader.call_trace(db, "abc")
    assert story is not None
    shown = to_builtins(story)
    actions = shown.pop("actions")
    assert shown == {
        "call_sid": "abc",
        "from": CALLER,
        "to": "+918047120001",
        "campaign": "admissions",
        "called_at": "2026-11-23T06:30:00.000Z",
        "received_at": "2026-11-23T06:30:01.000Z",
        "verdict": "accepted",
        "reason": "first-call",
        "reason_words": "the campaign accepted no other call from this caller within its dedup window",
        "shape": "native",
        "redeliveries": 2,
        "reached_at": None,
        "reached_by": None,
        "verification": None,
    }
    assert [each["kind"] for each in actions] == ["lead", "callback"]
    told = actions[1]
    assert {"id", "kind", "state", "outcome", "due_at", "reason", "attempts"} <= set(told)
    assert (told["id"], told["state"], told["outcome"]) == (callback, "done", "answered")
    assert (told["due_at"], told["closed_at"]) == ("2026-11-23T06:30:30.000Z", "2026-11-23T06:30:00.000Z")
    assert told["reason_words"] == "the customer answered"
    assert [each["number"] for each in told["attempts"]] == [1, 2]
    assert told["attempts"][1] == {
        "number": 2,
        "started_at": "2026-11-23T06:30:02.000Z",
        "finished_at": "2026-11-23T06:30:03.000Z",
        "result": "accepted",
        "code": "200",
        "reason": "provider-accepted",
        "reason_words": "the provider accepted the request; its status report is awaited",
        "provider_sid": "out",
        "message": "OK",
    }
    assert told["reports"][0]["status"] == "completed"
    assert actions[0]["attempts"] == actions[0]["reports"] == []


async def test_a_call_without_caller_or_campaign_and_a_reason_of_tomorrow(db: FilledDatabase) -> None:
    db.call("abc", caller=None, campaign=None, verdict="no-caller-id", reason="of-tomorrow")
    story = await reader.call_trace(db, "abc")
    assert story is not None
    assert (story.from_, story.campaign, story.actions) == (None, None, [])
    assert story.reason_words == "of-tomorrow"
    assert await reader.call_trace(db, "other") is None


@pytest.mark.parametrize("spelling", ["+919876543210", "09876543210", " 919876543210", "98765 43210"])
async def test_the_story_of_a_number_in_any_spelling_is_newest_first(
    db: FilledDatabase, spelling: str
) -> None:
    for n in range(25):
        call = db.call(f"c{n}", NOON + timedelta(minutes=n))
        db.action(call)
    db.call("other", caller=OTHER)
    stories = await reader.number_trace(db, spelling)
    assert [each.call_sid for each in stories] == [f"c{n}" for n in range(24, 4, -1)]
    assert all(len(each.actions) == 1 for each in stories)
    assert len(db.statements) == 4


async def test_no_number_has_no_story(db: FilledDatabase) -> None:
    db.call("abc", caller=None)
    assert await reader.number_trace(db, "anonymous") == []


async def _all(db: FilledDatabase, read: Any, field: str, **query: Any) -> list[Any]:
    found, cursor = [], None
    while True:
        page = await read(db, Query(limit=3, cursor=cursor, **query))
        assert len(page.items) <= 3
        found += [getattr(each, field) for each in page.items]
        if page.next is None:
            return found
        cursor = page.next


async def test_pages_of_calls_follow_each_other_without_gap_or_repeat(db: FilledDatabase) -> None:
    for n in range(8):  # four of the same instant, so that the time alone does not order them
        db.call(f"c{n}", NOON + timedelta(seconds=n // 4))
    assert await _all(db, reader.calls, "call_sid") == [f"c{n}" for n in range(7, -1, -1)]


async def test_a_page_stays_where_it_was_while_calls_arrive(db: FilledDatabase) -> None:
    for n in range(6):
        db.call(f"c{n}", NOON + timedelta(seconds=n))
    first = await reader.calls(db, Query(limit=3))
    db.call("new", NOON + timedelta(hours=1))
    second = await reader.calls(db, Query(limit=3, cursor=first.next))
    assert [each.call_sid for each in second.items] == ["c2", "c1", "c0"]
    assert second.next is None


async def test_calls_are_filtered_by_campaign_number_and_time(db: FilledDatabase) -> None:
    for n in range(4):
        db.call(f"a{n}", NOON + timedelta(hours=n))
        db.call(f"b{n}", NOON + timedelta(hours=n), campaign="other", caller=OTHER)
    assert await _all(db, reader.calls, "call_sid", campaign="other") == ["b3", "b2", "b1", "b0"]
    assert await _all(db, reader.calls, "call_sid", number=CALLER) == ["a3", "a2", "a1", "a0"]
    since, until = NOON + timedelta(hours=1), NOON + timedelta(hours=3)
    period = {"since": since, "until": until, "campaign": "admissions"}
    assert await _all(db, reader.calls, "call_sid", **period) == ["a2", "a1"]
    assert await _all(db, reader.calls, "call_sid", campaign="other", number=CALLER) == []


async def test_actions_are_filtered_by_kind_state_and_outcome(db: FilledDatabase) -> None:
    call = db.call("abc")
    one = db.action(call)
    two = db.done(call, "callback", "busy")
    three = db.done(call, "sms", "delivered", number=OTHER, campaign="other", due_at=NOON)
    everything = await reader.actions(db, Query())
    assert [each.id for each in everything.items] == [three, two, one]
    assert everything.items[0].call_sid == "abc"
    assert everything.items[0].number == OTHER
    assert await _all(db, reader.actions, "id", kind="callback") == [two, one]
    assert await _all(db, reader.actions, "id", state="done") == [three, two]
    assert await _all(db, reader.actions, "id", outcome="busy") == [two]
    assert await _all(db, reader.actions, "id", campaign="other") == [three]
    assert await _all(db, reader.actions, "id", number=OTHER, kind="sms") == [three]
    assert await _all(db, reader.actions, "id", until=NOON + timedelta(seconds=1)) == [three]


async def test_leads_and_suppressions(db: FilledDatabase) -> None:
    call = db.call("abc")
    for n in range(5):
        db.lead(call, f"+91987654321{n}")
        db.suppression(f"+91987654321{n}", NOON + timedelta(seconds=n // 2))
    numbers = [f"+91987654321{n}" for n in range(4, -1, -1)]
    assert await _all(db, reader.leads, "number") == numbers
    assert await _all(db, reader.suppressions, "number") == numbers
    assert await _all(db, reader.suppressions, "number", number=numbers[0]) == [numbers[0]]
    lead = (await reader.leads(db, Query(number=numbers[0]))).items[0]
    assert (lead.first_call_sid, lead.count, lead.status) == ("abc", 1, "new")
    suppression = (await reader.suppressions(db, Query(number=numbers[0]))).items[0]
    assert to_builtins(suppression) == {
        "number": numbers[0],
        "reason": "asked",
        "source": "api",
        "since": "2026-11-23T06:30:02.000Z",
        "until": None,
        "channel": "all",
        "class": None,
        "sender": None,
        "call_sid": None,
    }


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "e30",
        "!!!!",
        encode_cursor("leads", (1,)),
        encode_cursor("calls", (1, "x")),
        encode_cursor("calls", (1, 2**63)),
        encode_cursor("calls", (True, 1)),
        "W" * 5000,
    ],
)
async def test_a_cursor_of_something_else_is_refused(db: FilledDatabase, cursor: str) -> None:
    with pytest.raises(InvalidCursor, match="cursor"):
        await reader.calls(db, Query(cursor=cursor))


async def test_gauges_and_what_the_console_shows(db: FilledDatabase) -> None:
    assert await reader.gauges(db, NOON) == reader.StoreGauges(
        open={},
        held={},
        due={},
        next_wake_at=None,
        suppressions=0,
        agents_absent=0,
        attention={"parked": 0, "unknown": 0, "lost": 0},
        quarantined=0,
        paused=[],
        sms_misconfigured={},
        told_early={},
        last_webhook_at=None,
        schema=LATEST_VERSION,
    )
    assert await reader.campaigns(db) == []
    call = db.call("abc")
    late = db.action(call, due_at=NOON + timedelta(hours=1))
    soon = db.action(call, "sms", state="held")
    db.done(call, "lead", "recorded")
    db.call("def", campaign="zebra", at=NOON + timedelta(seconds=1))
    db.call("ghi", campaign=None, at=NOON + timedelta(seconds=2))
    db.suppression(CALLER, until_at=NOON + timedelta(days=1))
    db.suppression("+919876500002", until_at=NOON)  # over
    gauges = await reader.gauges(db, NOON)
    assert gauges.open == {("callback", "planned"): 1, ("sms", "held"): 1}
    assert gauges.next_wake_at == to_us(NOON) + 30_000_000
    assert (gauges.suppressions, gauges.agents_absent) == (1, 0)
    assert await reader.campaigns(db) == ["admissions", "zebra"]
    assert [each.id for each in await reader.next_actions(db, NOON, 5)] == [soon, late]
    latest = await reader.latest_calls(db, 2)
    assert [each.call_sid for each in latest] == ["ghi", "def"]
    assert [len(each.actions) for each in await reader.latest_calls(db, 3)] == [0, 0, 3]


async def test_what_goes_next_is_told_as_the_dispatcher_has_it(db: FilledDatabase) -> None:
    """What is due, the freshest first; who waits for a place, the earliest caller first; then the soonest."""
    call = db.call("abc")

    def at(seconds: int, kind: str = "callback", **values: object) -> int:
        return db.action(call, kind, due_at=NOON + timedelta(seconds=seconds), **values)

    def waiting(reason: str, rang_s: int) -> int:
        base_at = NOON + timedelta(seconds=rang_s)
        return at(-60, state="held", reason=reason, base_at=base_at, wake_at=NOON + timedelta(minutes=9))

    old, later, soon = at(-60), at(600), at(30)
    fresh, text = at(0), at(-5, kind="sms")
    young, long_ago = waiting("agent-busy", -100), waiting("channels-busy", -500)
    closed = at(20, state="held", reason="business-closed")
    unreached = [
        at(seconds, state="held", reason="provider-unreachable", wake_at=NOON + timedelta(minutes=9))
        for seconds in (-300, -200)
    ]
    db.done(call, "sms", "delivered")
    order = [fresh, text, old, *reversed(unreached), long_ago, young, closed, soon, later]
    for most in (len(order) + 1, 4, 2):
        assert [each.id for each in await reader.next_actions(db, NOON, most)] == order[:most]


async def test_what_goes_next_is_found_by_its_indexes(db: FilledDatabase) -> None:
    """A million that wait for their hour are passed over by none of it."""
    used = ("actions_by_wake", "actions_stalled", "callbacks_waiting", "actions_by_wake")
    for which, index in zip(DISPATCH_ORDER, used, strict=True):
        query = f"SELECT id FROM actions WHERE state IN ('planned', 'held') AND {which} LIMIT ?2"
        plan = await db.fetch_all(f"EXPLAIN QUERY PLAN {query}", (to_us(NOON), 50))
        assert plan[0][-1].startswith(f"SEARCH actions USING INDEX {index}")
