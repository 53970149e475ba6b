"""The crash sweep: runs a scenario once to count its storage steps, then once with a crash at each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from simulator.fuzz.forked_runs import run_forks
from simulator.fuzz.judged_run import JudgedRun, run_and_judge
from simulator.harness.faulty_disk import CrashPoint
from simulator.harness.scenario_check import check_scenario
from simulator.scenario.scenario import Scenario, ScenarioError


def crash_points(steps: int, sample: int | None) -> list[CrashPoint]:
    """Return the points before and after every step, or `sample` of them, evenly spread over the run."""
    points = [(step, when) for step in range(1, steps + 1) for when in ("before", "after")]
    if sample is None or sample >= len(points):
        return points
    if sample < 2:
        return points[:sample]
    return [points[index * (len(points) - 1) // (sample - 1)] for index in range(sample)]


def crash_sweep(
    scenario: Scenario, sample: int | None = None, parallel: int = 1
) -> Iterator[tuple[CrashPoint | None, JudgedRun]]:
    """Yield the run without a crash, then one run for each point; `parallel` run at the same time.

    Every run is checked against the promises, but not against the scenario's own expectations: a crash
    delays things, and a different outcome may be right. Raises ForkedRunFailed for a run that ended
    without a result, and ScenarioError.
    """
    check_scenario(scenario)
    if scenario.cluster is not None:
        raise ScenarioError(
            f"{scenario.path}: cluster: a sweep is for one daemon; `missedd-sim fuzz` takes more"
        )
    scenario = replace(scenario, expectations=())
    whole = run_and_judge(scenario)
    yield None, whole
    yield from run_forks(scenario, crash_points(whole.steps, sample), parallel)
