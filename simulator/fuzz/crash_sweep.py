"""The crash sweep: a scenario once to count its storage steps, then once for a crash at each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from simulator.fuzz.forked_runs import run_forks
from simulator.fuzz.judged_run import JudgedRun, run_and_judge
from simulator.harness.faulty_disk import CrashPoint
from simulator.harness.scenario_check import check_scenario
from simulator.scenario.scenario import Scenario


def crash_points(steps: int, sample: int | None) -> list[CrashPoint]:
    """Before and after every step, or `sample` of these, evenly spread with the first and the last."""
    points = [(step, when) for step in range(1, steps + 1) for when in ("before", "after")]
    if sample is None or sample >= len(points):
        return points
    if sample < 2:
        return points[:sample]
    return [points[index * (len(points) - 1) // (sample - 1)] for index in range(sample)]


def crash_sweep(
    scenario: Scenario, sample: int | None = None, parallel: int = 1
) -> Iterator[tuple[CrashPoint | None, JudgedRun]]:
    """The run without a crash first, then one for each point, as they end, `parallel` of them side by side.

    Each is judged by the promises. The scenario's own expectations are not: what a crash delays may
    rightly come out otherwise. Raises ForkedRunFailed for a run that ended without a verdict, and
    ScenarioError.
    """
    check_scenario(scenario)
    scenario = replace(scenario, expectations=())
    whole = run_and_judge(scenario)
    yield None, whole
    yield from run_forks(scenario, crash_points(whole.steps, sample), parallel)
