"""Health, readiness and metrics of the private site."""

from __future__ import annotations

import pytest

from tests.web.conftest import Private


async def test_health_readiness_and_metrics(private: Private) -> None:
    health = await private.get("/healthz")
    assert (health.status_code, await health.get_data(as_text=True)) == (200, "ok")
    assert (await private.get("/readyz")).status_code == 200
    private.ready.append("the store has not recovered yet")
    waiting = await private.get("/readyz")
    assert (waiting.status_code, await waiting.get_data(as_text=True)) == (
        503,
        "the store has not recovered yet",
    )
    private.db.action(private.db.call("abc"))
    private.metrics.calls.add("accepted")
    private.metrics.calls.add("accepted", by=2)
    private.metrics.closed.add("callback", "answered")
    private.metrics.agent_misses.add("admissions", "agent-busy")
    private.metrics.acknowledgement.observe(0.004)
    private.metrics.acknowledgement.observe(99)
    response = await private.get("/metrics")
    assert response.content_type.startswith("text/plain; version=0.0.4")
    lines = (await response.get_data(as_text=True)).splitlines()
    for line in (
        'missedd_calls_total{verdict="accepted"} 3.0',
        'missedd_actions_closed_total{kind="callback",outcome="answered"} 1.0',
        'missedd_agent_misses_total{campaign="admissions",reason="agent-busy"} 1.0',
        'missedd_acknowledgement_seconds_bucket{le="0.0025"} 0.0',
        'missedd_acknowledgement_seconds_bucket{le="0.005"} 1.0',
        'missedd_acknowledgement_seconds_bucket{le="+Inf"} 2.0',
        "missedd_acknowledgement_seconds_count 2.0",
        'missedd_actions_open{kind="callback",state="planned"} 1.0',
        "missedd_next_wake_seconds 30.0",
        "missedd_suppressions 0.0",
    ):
        assert line in lines
    with pytest.raises(ValueError, match="label"):
        private.metrics.calls.add()
