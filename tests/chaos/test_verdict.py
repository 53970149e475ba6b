"""The judge of a run of faults sees what is wrong. No cluster is needed for that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.chaos.figures import Round
from tests.chaos.stored import ContactAction, Stored
from tests.chaos.verdict import ChaosResult, judge

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
NEWCOMER = "+919800000999"


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _delivery(call_sid: str, seconds: float, status: int | None = 200) -> dict[str, Any]:
    return {
        "kind": "missed-call",
        "call_sid": call_sid,
        "at": _at(seconds).isoformat(),
        "latency_s": 0.5,
        "status": status,
    }


def _text(action: str) -> dict[str, Any]:
    return {"sid": f"sms{action}", "sent_at": _at(3).isoformat(), "fields": {"CustomField": action}}


def _connect(action: str, seconds: float = 3, number: str = NEWCOMER) -> dict[str, Any]:
    return {
        "sid": f"call{action}at{seconds}",
        "fields": {"CustomField": action},
        "from_number": number,
        "created_at": _at(seconds).isoformat(),
        "ended_at": _at(seconds + 10).isoformat(),
    }


def _request(seconds: float, target: str) -> dict[str, Any]:
    return {"at": _at(seconds).isoformat(), "is_voice": target == "connect", "target": target}


def _judge(stored: Stored, per_minute: int = 2, rounds: tuple[Round, ...] = (), **truth: Any) -> ChaosResult:
    names = ("deliveries", "connects", "texts", "api_requests", "rings", "inbound")
    return judge(dict.fromkeys(names, ()) | truth, stored, rounds, per_minute, _at(100))


def _action(
    state: str = "done",
    due_s: float = 0,
    wake_s: float | None = None,
    cared_s: tuple[float, ...] = (),
    outcome: str | None = None,
) -> ContactAction:
    cared_at = [_at(seconds) for seconds in cared_s]
    wake_at = None if wake_s is None else _at(wake_s)
    return ContactAction("sms", NEWCOMER, state, outcome, _at(due_s), wake_at, cared_at=cared_at)


def test_a_run_where_all_is_as_promised_passes() -> None:
    stored = Stored(
        {"CA1": "accepted"}, {"1": _action(outcome="answered"), "2": _action(outcome="delivered")}
    )
    result = _judge(
        stored,
        deliveries=[_delivery("CA1", 1), _delivery("CA2", 2, status=503)],
        connects=[_connect("1")],
        texts=[_text("2")],
        api_requests=[_request(3, "connect"), _request(3, "sms")],
    )
    assert result.passed
    assert (result.acknowledged, result.callbacks, result.sms) == (1, 1, 1)


@pytest.mark.parametrize(
    ("check", "stored", "truth"),
    [
        ("lost", Stored({}, {}), {"deliveries": [_delivery("CA1", 1)]}),
        (
            "doubled callbacks",
            Stored({}, {"1": _action()}),
            {"connects": [_connect("1", 3), _connect("1", 30, "+919800000888")]},
        ),
        ("doubled SMS", Stored({}, {"1": _action()}), {"texts": [_text("1"), _text("1")]}),
        ("never planned", Stored({}, {}), {"texts": [_text("1")]}),
        (
            "over budget",
            Stored({}, {}),
            {"api_requests": [_request(seconds, "sms") for seconds in (0, 30, 59)]},
        ),
        (
            "rung at once",
            Stored({}, {"1": _action(), "2": _action()}),
            {"connects": [_connect("1", 3), _connect("2", 8)]},
        ),
        ("never made", Stored({}, {"1": _action(outcome="answered")}), {}),
        ("without an outcome", Stored({}, {"1": _action("planned", wake_s=200)}), {}),
        ("without an outcome", Stored({}, {"1": _action("attempting")}), {}),
    ],
)
def test_each_broken_promise_is_found(check: str, stored: Stored, truth: dict[str, Any]) -> None:
    result = _judge(stored, **truth)
    assert [name for name, found in result.failures.items() if found] == [check]
    assert not result.passed
    assert f"{check} 1" in str(result)


def test_an_attempt_that_is_looked_up_is_in_doubt_and_not_forgotten() -> None:
    result = _judge(Stored({}, {"1": _action("attempting", wake_s=200)}))
    assert result.passed
    assert result.in_doubt == 1


def test_figures_count_from_the_fault() -> None:
    """What was posted before the fault says nothing of it; what is due later waits from then on."""
    stored = Stored(
        {"CA1": "accepted", "CA2": "accepted"},
        {"1": _action(due_s=9, cared_s=(14,)), "2": _action(due_s=15, cared_s=(16,)), "3": _action(due_s=50)},
    )
    result = _judge(
        stored,
        rounds=(Round("kill-leader", _at(10)),),
        deliveries=[_delivery("CA1", 9.9), _delivery("CA2", 13)],
    )
    figures = result.figures["kill-leader"]
    assert figures.pauses_s == [3.5]
    assert figures.overdue_s == [4.0]


def test_what_was_in_flight_at_the_fault_counts_until_it_is_looked_up() -> None:
    action = _action(due_s=9, cared_s=(22,))
    action.started_at.append(_at(9.5))
    result = _judge(Stored({}, {"1": action}), rounds=(Round("kill-leader", _at(10)),))
    assert result.figures["kill-leader"].overdue_s == [12.0]
