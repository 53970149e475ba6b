"""The gauges of the metrics, over a real file with the real schema."""

from __future__ import annotations

from datetime import timedelta

from missedd.base.clock import to_us
from missedd.store.reads.gauges import gauges
from tests.store.database import NOON, FilledDatabase


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


async def test_what_is_due_and_since_when_by_kind(db: FilledDatabase) -> None:
    call = db.call("a")
    db.action(call, due_at=NOON + minutes(1))
    assert (await gauges(db, NOON)).due == {}
    db.action(call, due_at=NOON - minutes(2))
    db.action(call, due_at=NOON)
    db.action(call, state="held", reason="resumed", due_at=NOON - minutes(90), wake_at=NOON - minutes(3))
    db.action(call, state="attempting", due_at=NOON - minutes(9), wake_at=NOON - minutes(8))
    db.action(call, "sms", due_at=NOON - minutes(1))
    found = await gauges(db, NOON)
    assert found.due == {
        "callback": (3, to_us(NOON - minutes(3))),
        "sms": (1, to_us(NOON - minutes(1))),
    }
    assert found.open == {
        ("callback", "planned"): 3,
        ("callback", "held"): 1,
        ("callback", "attempting"): 1,
        ("sms", "planned"): 1,
    }


async def test_what_is_held_by_reason_and_what_waits_for_a_person(db: FilledDatabase) -> None:
    call = db.call("a")
    for reason, wake_at in (("quarantined", None), ("campaign-paused", NOON), ("campaign-paused", NOON)):
        db.action(call, state="held", reason=reason, wake_at=wake_at)
    db.action(call, "sms", state="held", reason="quarantined", wake_at=None)
    db.done(call, "webhook", "failed", reason="retries-exhausted")
    db.done(call, "callback", "unknown", placed_at=NOON)
    db.done(call, "sms", "failed", reason="sms-misconfigured", code="23185")
    db.pause("admissions")
    found = await gauges(db, NOON)
    assert found.held == {
        ("callback", "quarantined"): 1,
        ("callback", "campaign-paused"): 2,
        ("sms", "quarantined"): 1,
    }
    assert found.quarantined == 2
    assert found.attention == {"parked": 1, "unknown": 1, "lost": 0}
    assert found.paused == ["admissions"]
    assert found.sms_misconfigured == {("admissions", "23185"): 1}
    assert found.told_early == {}


async def test_the_latest_webhook_is_no_call_that_only_the_list_told_of(db: FilledDatabase) -> None:
    db.call("a", NOON, received_at=NOON)
    db.call("b", NOON, received_at=NOON + minutes(5), shape="recovered")
    assert (await gauges(db, NOON)).last_webhook_at == to_us(NOON)
    db.call("c", NOON, received_at=NOON + minutes(6), verdict="duplicate", shape="passthru")
    assert (await gauges(db, NOON)).last_webhook_at == to_us(NOON + minutes(6))


async def test_gauges_cost_what_is_open_and_not_what_is_done(db: FilledDatabase) -> None:
    """No table that grows with every call is read but by an index, or from its end up to a limit."""
    await gauges(db, NOON)
    read_whole = set[str]()
    for statement in list(db.statements):
        params = (1,) * statement.count("?")
        plan = [step[3] for step in await db.fetch_all(f"EXPLAIN QUERY PLAN {statement}", params)]
        is_limited = "FROM calls ORDER BY id DESC LIMIT ?" in statement
        read_whole |= {
            step.removeprefix("SCAN ")
            for step in plan
            if step.startswith("SCAN ")
            and "USING" not in step
            and step not in ("SCAN few", "SCAN latest")  # subqueries with a limit
            and not (step == "SCAN calls" and is_limited)
        }
    assert read_whole == {"agent_misses", "pauses", "suppressions"}
