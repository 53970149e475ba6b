"""The nets for several daemons are sound: each planted mistake breaks its promise, in one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.fuzz.judged_run import run_and_judge
from simulator.harness.replay import replay_scenario
from simulator.scenario.loader import load_scenario
from tests.postgresql_server import PostgresqlServer
from tests.simulation.planted_cluster import CLUSTER_MISTAKES, ClusterMistake

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios" / "cluster"


def named(mistake: ClusterMistake) -> str:
    return mistake.name


@pytest.mark.soak
@pytest.mark.parametrize("mistake", CLUSTER_MISTAKES, ids=named)
def test_a_planted_mistake_of_several_daemons_is_caught(
    mistake: ClusterMistake, monkeypatch: pytest.MonkeyPatch, postgresql_server: PostgresqlServer
) -> None:
    scenario = load_scenario(SCENARIOS / f"{mistake.scenario}.toml")
    server = postgresql_server.conninfo()
    mistake.plant(monkeypatch)
    if mistake.breaks == "expectation":
        assert not replay_scenario(scenario, server).passed
        return
    run = run_and_judge(scenario, server=server)
    assert [each for each in run.results.violations if each.promise.startswith(mistake.breaks)]
