"""Analytics: which calls and callbacks are counted, by period and by hour."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from msgspec import to_builtins

from missedd.store.reads import reader
from tests.store.database import NOON, FilledDatabase

OTHER = "+919812345678"

KOLKATA = "Asia/Kolkata"


async def _figures(
    db: FilledDatabase, campaign: str | None = None, since: datetime | None = None, **rest: Any
) -> dict[str, Any]:
    until, timezone = rest.get("until"), rest.get("timezone", KOLKATA)
    shown: dict[str, Any] = to_builtins(await reader.load_analytics(db, campaign, since, until, timezone))
    return shown


async def test_the_figures_of_nothing(db: FilledDatabase) -> None:
    found = await _figures(db)
    assert found["total_calls"] == found["unique_callers"] == found["leads"] == found["conversions"] == 0
    assert found["callback_success_rate"] is None
    assert found["conversion_rate"] is None
    assert found["peak_hours"] == [{"hour": hour, "calls": 0} for hour in range(24)]


async def test_which_calls_count(db: FilledDatabase) -> None:
    db.call("accepted", redeliveries=3)
    db.call("duplicate", verdict="duplicate", reason="within-dedup-window")
    db.call("suppressed", verdict="suppressed", reason="caller-suppressed", caller=OTHER)
    db.call("withheld", verdict="no-caller-id", reason="withheld-number", caller=None)
    db.call("talked", verdict="not-missed", reason="conversation", caller="+919000000001")
    db.call("unknown", verdict="unknown-exophone", reason="no-such-exophone", campaign=None)
    db.call("own", verdict="own-number", reason="own-number", caller="+918047120001")
    found = await _figures(db)
    assert (found["total_calls"], found["unique_callers"]) == (4, 2)
    assert sum(each["calls"] for each in found["peak_hours"]) == 4
    assert {"verdict": "not-missed", "reason": "conversation", "calls": 1} in found["verdicts"]
    assert {"verdict": "own-number", "reason": "own-number", "calls": 1} in found["verdicts"]
    assert await _figures(db, "admissions") == found
    assert (await _figures(db, "other"))["total_calls"] == 0


@pytest.mark.parametrize("since", [None, NOON - timedelta(days=1)])
async def test_callbacks_made_answered_and_their_rate(db: FilledDatabase, since: datetime | None) -> None:
    call = db.call("abc")
    for outcome in ("answered", "answered", "no-answer", "unknown"):
        db.done(call, "callback", outcome, placed_at=NOON)
    db.done(call, "callback", "refused")  # never placed
    db.action(call, state="placed", placed_at=NOON)  # still ringing
    db.action(call)
    db.done(call, "sms", "delivered", placed_at=NOON)
    db.done(call, "sms", "failed", placed_at=NOON)
    found = await _figures(db, since=since)
    assert found["callbacks_made"] == 5
    assert found["callbacks_answered"] == 2
    assert found["callback_success_rate"] == 2 / 4
    assert (found["sms_sent"], found["sms_delivered"]) == (2, 1)
    assert {"kind": "callback", "state": "done", "outcome": "answered", "count": 2} in found["actions"]
    assert await _figures(db, "admissions", since) == found
    assert (await _figures(db, "other", since))["callbacks_made"] == 0


async def test_an_agents_miss_is_counted_by_itself_and_is_nobodys_wait(db: FilledDatabase) -> None:
    call = db.call("abc")
    late = {"placed_at": NOON + timedelta(minutes=2)}
    for reason in ("agent-busy", "agent-no-answer", "agent-failed"):
        db.done(call, "callback", "failed", reason=reason, placed_at=NOON + timedelta(seconds=5))
    db.done(call, "callback", "no-answer", reason="agent-no-answer", **late)
    found = await _figures(db)
    assert (found["agent_misses"], found["callbacks_made"], found["callback_success_rate"]) == (3, 1, 0)
    assert found["seconds_to_callback"]["median"] == pytest.approx(120, rel=0.02)
    assert await _figures(db, "admissions") == found
    assert (await _figures(db, "other"))["agent_misses"] == 0


async def test_a_period_has_its_calls_and_their_callbacks(db: FilledDatabase) -> None:
    for day in range(3):
        call = db.call(f"c{day}", NOON + timedelta(days=day), caller=f"+91987654321{day}")
        db.done(call, "callback", "answered", placed_at=NOON + timedelta(days=9))
        db.lead(call, f"+91987654321{day}", first_seen_at=NOON + timedelta(days=day))
    found = await _figures(db, since=NOON + timedelta(days=1), until=NOON + timedelta(days=2))
    assert (found["total_calls"], found["unique_callers"], found["callbacks_made"]) == (1, 1, 1)
    assert found["leads"] == 1
    assert found["conversion_rate"] == 0


@pytest.mark.parametrize(
    ("timezone", "hour"), [(KOLKATA, 12), ("UTC", 6), ("America/New_York", 1), ("Asia/Kathmandu", 12)]
)
async def test_peak_hours_are_local(db: FilledDatabase, timezone: str, hour: int) -> None:
    db.call("a", NOON)
    db.call("b", NOON + timedelta(minutes=14, seconds=59))
    found = await _figures(db, timezone=timezone)
    assert found["peak_hours"][hour] == {"hour": hour, "calls": 2}


async def test_peak_hours_over_a_change_of_the_clocks(db: FilledDatabase) -> None:
    summer = datetime.fromisoformat("2026-07-01T12:00:00+00:00")
    winter = datetime.fromisoformat("2026-12-01T13:00:00+00:00")
    db.call("a", summer)
    db.call("b", winter)
    found = await _figures(db, timezone="Europe/Berlin")
    assert found["peak_hours"][14] == {"hour": 14, "calls": 2}
