"""Scenarios of several daemons: what `[cluster]` and the events of a node take, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from simulator.scenario.cluster import ClusterSpec
from simulator.scenario.loader import load_scenario
from simulator.scenario.scenario import Scenario, ScenarioError

TEXT = """
about = "An example."
start = 2026-11-23T11:00:00+05:30
until = "1h"
seed = 1
{cluster}
[[daemon.campaign]]
name = "shop"
exophones = ["+918047120001"]
[[at]]
time = "+1m"
{event}
[[expect]]
what = "rings"
never = true
"""
THREE = "[cluster]\ndaemons = 3"


def read(folder: Path, event: str, cluster: str = THREE) -> Scenario:
    file = folder / "file.toml"
    file.write_text(TEXT.format(cluster=cluster, event=event), "utf-8")
    return load_scenario(file)


def test_a_cluster_has_a_number_of_daemons_and_skewed_clocks(tmp_path: Path) -> None:
    spec = read(tmp_path, "clear = 'all'", f'{THREE}\nskew = ["+1s", "-3s"]').cluster
    assert spec == ClusterSpec(3, (timedelta(seconds=1), timedelta(seconds=-3)))
    assert [spec.skew_of(node).total_seconds() for node in (1, 2, 3)] == [1, -3, 0]
    assert read(tmp_path, "clear = 'all'", "").cluster is None


@pytest.mark.parametrize(
    "event",
    [
        "daemon = 'crash'\nnode = 'leader'\ndown = '20s'",
        "daemon = 'pause'\nnode = 2\nfor = '20s'\nafter_writes = 3",
        "daemon = 'restart'",
        "cut = 'news'\nnode = 3\nfor = '1m'",
        "database = 'lose-answers'\nprobability = 0.5\nfor = '1m'",
        "clock_step = '+3s'\nnode = 1",
        "disk = 'crash'\nnode = 'leader'\ntimes = 1",
    ],
)
def test_events_of_a_node_and_of_the_database(tmp_path: Path, event: str) -> None:
    assert len(read(tmp_path, event).timeline) == 1


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ("daemon = 'crash'", "at[0].node: is required"),
        ("daemon = 'crash'\nnode = 4", "at[0].node: there are 3 daemons"),
        ("daemon = 'crash'\nnode = 'boss'", "or 'leader', not 'boss'"),
        ("daemon = 'pause'\nnode = 1", "at[0].for: is required"),
        ("daemon = 'pause'\nnode = 1\nfor = '5s'\ndown = '5s'", "at[0].down: is nothing"),
        ("daemon = 'crash'\nnode = 1\nfor = '5s'", "at[0].for: is for 'pause' only"),
        ("daemon = 'crash'\nnode = 1\nafter_writes = 1", "at[0].after_writes: is for 'pause' only"),
        ("cut = 'news'", "at[0].node: is required"),
        ("cut = 'sky'\nnode = 1", "sky"),
        ("clock_step = '+3s'", "at[0].node: is required"),
    ],
)
def test_what_is_said_of_no_daemon_or_of_one_that_is_not_there_is_refused(
    tmp_path: Path, event: str, what: str
) -> None:
    with pytest.raises(ScenarioError) as refusal:
        read(tmp_path, event)
    assert what in str(refusal.value)


@pytest.mark.parametrize(
    "event",
    [
        "daemon = 'pause'\nfor = '5s'",
        "daemon = 'crash'\nnode = 1",
        "cut = 'news'\nnode = 1",
        "database = 'away'",
    ],
)
def test_a_single_daemon_has_no_cluster_events(tmp_path: Path, event: str) -> None:
    with pytest.raises(ScenarioError, match="needs several daemons"):
        read(tmp_path, event, "")


@pytest.mark.parametrize(
    ("cluster", "what"),
    [
        ("[cluster]", "cluster.daemons: is required"),
        ("[cluster]\ndaemons = 1", "at least 2"),
        ("[cluster]\ndaemons = 2\nskew = ['1s', '1s', '1s']", "cluster.skew: has more values"),
        ("[cluster]\ndaemons = 2\nnodes = 3", "cluster.nodes: is not known here"),
    ],
)
def test_a_wrong_cluster_is_refused(tmp_path: Path, cluster: str, what: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        read(tmp_path, "clear = 'all'", cluster)
    assert what in str(refusal.value)
