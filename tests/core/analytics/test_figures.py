"""The arithmetic of the figures, over counts written by hand."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec import convert, to_builtins

from missedd.base.clock import to_us
from missedd.core.analytics.figures import PeriodCounts, analytics_json, busiest_hour
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.analytics.latency_buckets import bucket_of
from missedd.core.api_types.analytics import HourJson

KOLKATA = "Asia/Kolkata"


def counted(
    facts: Mapping[str, int], hours: Mapping[int, int] | None = None, callers: int = 0
) -> dict[str, Any]:
    found = analytics_json(PeriodCounts(facts, hours or {}, callers), hour_grid_for(KOLKATA), KOLKATA)
    told: dict[str, Any] = to_builtins(found)
    return told


def test_rates_count_what_was_placed_and_has_an_outcome() -> None:
    found = counted(
        {
            "action|callback|done|answered|customer-answered||placed": 3,
            "action|callback|done|no-answer|customer-no-answer||placed": 1,
            "action|callback|done|unknown|no-report||placed": 1,
            "action|callback|done|expired|too-old||": 7,
            "action|callback|placed||||placed": 2,
            "action|callback|planned||||": 5,
        }
    )
    assert (found["callbacks_made"], found["callbacks_answered"]) == (7, 3)
    assert found["callback_success_rate"] == 3 / 5
    assert found["callback_outcomes"] == [
        {"outcome": "answered", "reason": "customer-answered", "count": 3},
        {"outcome": "expired", "reason": "too-old", "count": 7},
        {"outcome": "no-answer", "reason": "customer-no-answer", "count": 1},
        {"outcome": "unknown", "reason": "no-report", "count": 1},
    ]
    assert {"kind": "callback", "state": "planned", "outcome": None, "count": 5} in found["actions"]


def test_what_an_agent_missed_is_no_callback() -> None:
    found = counted(
        {
            "action|callback|done|answered|customer-answered||placed": 1,
            "action|callback|done|failed|call-failed||placed": 1,
            "action|callback|done|failed|agent-busy||placed": 4,
            "action|callback|done|failed|agent-no-answer||": 2,
            # The customer was called first and no agent answered: that counts as a callback.
            "action|callback|done|no-answer|agent-no-answer||placed": 1,
            "action|sms|done|failed|agent-failed||placed": 8,
        }
    )
    assert (found["callbacks_made"], found["callbacks_answered"], found["agent_misses"]) == (3, 1, 6)
    assert found["callback_success_rate"] == 1 / 3
    assert {"outcome": "failed", "reason": "agent-busy", "count": 4} in found["callback_outcomes"]


def test_an_sms_tells_why_and_with_which_code() -> None:
    found = counted(
        {
            "action|sms|done|delivered|sms-delivered|20005|placed": 8,
            "action|sms|done|failed|sms-failed|23082|placed": 1,
            "action|sms|done|failed|sms-failed||placed": 1,
            "action|sms|done|refused|refuses-sms||": 4,
        }
    )
    assert (found["sms_sent"], found["sms_delivered"], found["sms_delivery_rate"]) == (10, 8, 0.8)
    assert found["sms_by_reason"] == [
        {"outcome": "delivered", "reason": "sms-delivered", "code": "20005", "count": 8},
        {"outcome": "failed", "reason": "sms-failed", "code": None, "count": 1},
        {"outcome": "failed", "reason": "sms-failed", "code": "23082", "count": 1},
        {"outcome": "refused", "reason": "refuses-sms", "code": None, "count": 4},
    ]


def test_waits_and_leads() -> None:
    found = counted(
        {
            f"called-back|{bucket_of(30)}": 18,
            f"called-back|{bucket_of(900)}": 2,
            f"answered|{bucket_of(44.8)}": 1,
            "lead|": 3,
            "lead|converted": 1,
            "conversion": 2,
        }
    )
    assert found["seconds_to_callback"] == {"median": 30.0, "p95": pytest.approx(900, rel=0.02)}
    assert found["seconds_to_answer"]["median"] == pytest.approx(44.8, rel=0.02)
    assert (found["leads"], found["conversions"], found["conversion_rate"]) == (4, 2, 1 / 4)


def test_over_nothing_there_is_no_rate() -> None:
    found = counted({"call|accepted|first-call|": 0})
    rates = ("callback_success_rate", "sms_delivery_rate", "conversion_rate")
    assert [found[name] for name in rates] == [None, None, None]
    assert found["seconds_to_callback"] == {"median": None, "p95": None}
    assert found["verdicts"] == found["by_day"] == []


def test_a_fact_that_nobody_knows_is_a_mistake() -> None:
    with pytest.raises(AssertionError, match="unknown fact"):
        counted({"call|accepted": 1})


def test_hours_of_the_day_of_the_week_and_dates() -> None:
    def hour(text: str) -> int:
        at = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(KOLKATA))
        return hour_grid_for(KOLKATA).hour_of(to_us(at))

    hours = {
        hour("2026-11-22T23:00"): 1,  # a Sunday
        hour("2026-11-23T00:00"): 2,
        hour("2026-11-23T23:59"): 3,
        hour("2026-11-25T23:10"): 4,
        hour("2026-11-26T23:10"): 0,
    }
    found = counted({}, hours)
    assert found["peak_hours"][23] == {"hour": 23, "calls": 8}
    assert busiest_hour(convert(found["peak_hours"], list[HourJson])) == 23
    assert found["weekday_hours"][6 * 24 + 23] == {"weekday": 6, "hour": 23, "calls": 1}
    assert found["weekday_hours"][0] == {"weekday": 0, "hour": 0, "calls": 2}
    assert sum(each["calls"] for each in found["weekday_hours"]) == 10
    assert [each["calls"] for each in found["by_day"]] == [1, 5, 0, 4]
    assert found["by_day"][0]["date"] == "2026-11-22"
