"""What waits for a person, and for its turn: parked webhooks, unknown outcomes, backlogs; the audit."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from msgspec import to_builtins

from missedd.core.analytics.backlog_forecast import FORECAST_MINUTES, DueGroup
from missedd.core.api_types.campaigns import PendingJson
from missedd.core.audit import Actor, Source
from missedd.core.model import Kind, Lane
from missedd.core.pagination import Query
from missedd.core.reasons import Reason
from missedd.store.actions.operator_changes import resend_parked_webhooks, resend_webhook
from missedd.store.actions.rows import Timer
from missedd.store.reads.attention import attention_counts, lost_answers, parked_webhooks, unknown_outcomes
from missedd.store.reads.audit import audit, record_audit
from missedd.store.reads.backlog import backlogs, open_action_counts
from missedd.store.reads.lists import actions as listed_actions
from missedd.store.reads.refused_sms import RefusedSms, refused_sms
from missedd.store.store import Store
from tests.core.campaigns import NOON, call, everything, minutes, policy
from tests.store.database import FilledDatabase
from tests.store.steps import actions, admit_calls, claim_actions, rows


def park(db: FilledDatabase, sid: str, outcome: str = "failed", **values: object) -> int:
    action = db.done(db.call(sid), "webhook", outcome, reason="retries-exhausted", **values)
    for number, code in ((1, None), (2, "503")):
        db.put("attempts", action_id=action, number=number, started_at=NOON, result="refused", code=code)
    return action


async def test_parked_are_those_that_were_not_sent_again(db: FilledDatabase) -> None:
    first, second = park(db, "a"), park(db, "b", "refused")
    db.done(db.call("c"), "webhook", "delivered")
    db.done(db.call("d"), "callback", "failed")
    page = await parked_webhooks(db, Query())
    assert [each.id for each in page.items] == [second, first]
    assert (page.items[0].attempts, page.items[0].code, page.items[0].call_sid) == (2, "503", "b")
    again = db.done(1, "webhook", "failed", origin_id=first, reason="retries-exhausted")
    assert [each.id for each in (await parked_webhooks(db, Query())).items] == [again, second]
    db.action(1, "webhook", origin_id=first)
    assert [each.id for each in (await parked_webhooks(db, Query())).items] == [second]
    assert await attention_counts(db) == {"parked": 1, "unknown": 0, "lost": 0}


async def test_unknown_are_those_that_nobody_settled(db: FilledDatabase) -> None:
    action = db.done(db.call("a"), "callback", "unknown", placed_at=NOON)
    db.done(db.call("b"), "callback", "unknown", settled_outcome="answered")
    out = db.action(db.call("c"), state="attempting")
    db.put("attempts", action_id=out, number=1, started_at=NOON, result="unknown")
    in_flight = db.action(db.call("d"), state="attempting")
    db.put("attempts", action_id=in_flight, number=1, started_at=NOON)
    assert [each.id for each in (await unknown_outcomes(db, Query())).items] == [action]
    assert [each.id for each in (await lost_answers(db, Query())).items] == [out]
    assert await attention_counts(db) == {"parked": 0, "unknown": 1, "lost": 1}
    elsewhere = Query(campaign="other")
    assert (await unknown_outcomes(db, elsewhere)).items == (await lost_answers(db, elsewhere)).items == []


async def test_parked_and_unknown_actions_are_found_by_indexes(db: FilledDatabase) -> None:
    await attention_counts(db)
    await parked_webhooks(db, Query())
    await unknown_outcomes(db, Query())
    for query in (Query(parked=True), Query(parked=False), Query(settled=False)):
        await listed_actions(db, query)
    await refused_sms(db, NOON)
    used = set[str]()
    for statement in list(db.statements):
        params = (1,) * statement.count("?")
        plan = [step[3] for step in await db.fetch_all(f"EXPLAIN QUERY PLAN {statement}", params)]
        assert not any(step == "SCAN a" or "TEMP B-TREE" in step for step in plan), plan
        used.update(
            word for step in plan for word in step.split() if word.startswith(("actions_", "attempts_"))
        )
    assert used >= {"actions_parked", "actions_unknown", "actions_open"}
    assert "actions_misconfigured" in used


async def test_an_sms_that_needs_a_person_is_told_of_for_a_day(db: FilledDatabase) -> None:
    wrong = {"reason": "sms-misconfigured", "code": "23185"}
    for sid, closed_at in (("a", NOON), ("b", NOON - timedelta(hours=23)), ("c", NOON - timedelta(hours=25))):
        db.done(db.call(sid), "sms", "failed", closed_at=closed_at, **wrong)
    db.done(db.call("d"), "sms", "failed", **wrong | {"code": "23072"})
    db.done(db.call("e"), "sms", "failed", reason="sms-failed", code="23040")
    assert await refused_sms(db, NOON) == [
        RefusedSms("admissions", "23072", 1),
        RefusedSms("admissions", "23185", 2),
    ]


async def test_all_parked_go_again_once(store: Store) -> None:
    of = policy(everything())
    await admit_calls(store, call("c1"), call("c2", caller="+919812345678"), of=of)
    webhooks = [action_id for action_id, kind in await actions(store, "id, kind") if kind == Kind.WEBHOOK]
    await store.write(
        lambda db: db.execute(
            "UPDATE actions SET state = 'done', outcome = 'failed', wake_at = NULL WHERE kind = 'webhook'"
        )
    )
    wakes = await store.write(partial(resend_parked_webhooks, now=NOON))
    assert [each.lane for each in wakes] == [Lane.WEBHOOK] * 2
    assert await store.write(partial(resend_parked_webhooks, now=NOON)) == []
    assert await rows(
        store, "SELECT origin_id, state, reason FROM actions WHERE origin_id IS NOT NULL ORDER BY 1"
    ) == [(each, "planned", "resent") for each in webhooks]
    assert len((await claim_actions(store, *(each.action_id for each in wakes), of=of, at=NOON)).claimed) == 2
    one = await store.write(partial(resend_webhook, action_id=webhooks[0], now=NOON))
    assert isinstance(one, Timer)


async def test_backlogs_by_minute(db: FilledDatabase) -> None:
    call_id = db.call("a")
    for offset in (-90, 0, 30, 61, 62, 60 * FORECAST_MINUTES):
        db.action(call_id, due_at=NOON + timedelta(seconds=offset))
    db.action(call_id, state="held", reason="business-closed", due_at=NOON, wake_at=NOON + minutes(5))
    db.action(call_id, state="placed", due_at=NOON)
    db.done(call_id, "callback", "answered", due_at=NOON)
    db.action(call_id, "webhook", due_at=NOON)
    found = await backlogs(db, NOON)
    assert (found[Kind.CALLBACK].due_now, found[Kind.CALLBACK].due_soon) == (2, 4)
    assert sorted(found[Kind.CALLBACK].groups, key=lambda crowd: crowd.due_minute) == [
        DueGroup(-2, None, 1),
        DueGroup(-1, None, 1),
        DueGroup(0, None, 1),
        DueGroup(1, None, 2),
        DueGroup(5, None, 1),
    ]
    assert (found[Kind.WEBHOOK].due_now, found[Kind.SMS].due_now, found[Kind.SMS].due_soon) == (1, 0, 0)


async def test_pending_by_reason(db: FilledDatabase) -> None:
    call_id = db.call("a")
    for _ in range(2):
        db.action(call_id, state="held", reason="quiet-hours")
    db.action(call_id, "sms")
    db.done(call_id, "sms", "delivered")
    assert await open_action_counts(db) == {
        "admissions": [
            PendingJson("callback", "held", "quiet-hours", Reason.QUIET_HOURS.words, 2),
            PendingJson("sms", "planned", "owed", Reason.OWED.words, 1),
        ]
    }


async def test_the_audit_record(store: Store) -> None:
    by = Actor(Source.CONSOLE, "127.0.0.1")
    for subject in ("+919876543210", "admissions"):
        of = partial(record_audit, actor=by, audit_action="number.suppressed", subject=subject, now=NOON)
        await store.write(partial(of, reason="x", until=None))
    page = await store.read(partial(audit, query=Query(subject="admissions")))
    assert to_builtins(page.items) == [
        {
            "id": 2,
            "at": "2026-11-23T06:30:00.000Z",
            "source": "console",
            "peer": "127.0.0.1",
            "deed": "number.suppressed",
            "subject": "admissions",
            "details": {"reason": "x"},
        }
    ]
    assert len((await store.read(partial(audit, query=Query()))).items) == 2
