"""A third of the scenarios with one daemon on a real PostgreSQL: they come out as on SQLite.

These last at most three hours. A longer one takes long there, as the leader looks each second for what is
due.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from simulator.harness.replay import replay_scenario
from simulator.scenario.cluster import ClusterSpec
from simulator.scenario.loader import load_scenario
from tests.postgresql_server import PostgresqlServer

SCENARIOS = Path(__file__).parents[2] / "scenarios"
ON_POSTGRESQL = (
    "answering-machine",
    "burst",
    "callers-abroad",
    "calls-from-another-number",
    "few-channels",
    "on-the-telephone",
    "one-call-at-a-time",
    "one-callback-owed",
    "own-numbers",
    "poll-closing-rush",
    "provider-unreachable",
    "rate-limited",
    "redelivery",
    "several-requests-of-a-call",
    "shapes-of-a-call",
    "sms-503",
    "verification",
    "who-rings-back",
    "wrong-token",
)


@pytest.mark.parametrize("name", ON_POSTGRESQL)
def test_a_scenario_meets_its_expectations_on_a_postgresql(
    name: str, postgresql_server: PostgresqlServer
) -> None:
    scenario = replace(load_scenario(SCENARIOS / f"{name}.toml"), cluster=ClusterSpec(1))
    outcome = replay_scenario(scenario, postgresql_server.conninfo())
    assert outcome.passed, "\n\n".join(map(str, outcome.failures))


def test_they_are_a_third() -> None:
    assert 3 * len(ON_POSTGRESQL) >= len(list(SCENARIOS.glob("*.toml")))
