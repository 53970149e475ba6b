"""The crash sweep: a scenario once to count its storage steps, then once for a crash at each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from simulator.fuzz.forked_runs import branches
from simulator.fuzz.judged_run import Run, simulate
from simulator.harness.faulty_disk import Point
from simulator.harness.scenario_check import proofread
from simulator.scenario.scenario import Scenario


def crash_points(steps: int, sample: int | None) -> list[Point]:
    """Before and after every step, or `sample` of these, evenly spread with the first and the last."""
    points = [(step, when) for step in range(1, steps + 1) for when in ("before", "after")]
    if sample is None or sample >= len(points):
        return points
    if sample < 2:
        return points[:sample]
    return [points[index * (len(points) - 1) // (sample - 1)] for index in range(sample)]


def sweep(scenario: Scenario, sample: int | None = None, jobs: int = 1) -> Iterator[tuple[Point | None, Run]]:
    """The run without a crash first, then one for each point, as they end, `jobs` of them side by side.

    Each is judged by the promises. The scenario's own expectations are not: what a crash delays may
    rightly come out otherwise. Raises BranchFailed for a run that ended without a verdict, and
    ScenarioMistake.
    """
    proofread(scenario)
    scenario = replace(scenario, expectations=())
    whole = simulate(scenario)
    yield None, whole
    yield from branches(scenario, crash_points(whole.steps, sample), jobs)
