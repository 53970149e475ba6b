"""The crash sweep: a scenario once to count its storage steps, then once for a crash at each of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

from simulator.runner.simulation import CrashAt, Run, simulate
from simulator.scenario import Scenario


def crash_points(steps: int, sample: int | None) -> list[CrashAt]:
    """Before and after every step, or `sample` of these, evenly spread with the first and the last."""
    points = [(step, when) for step in range(1, steps + 1) for when in ("before", "after")]
    if sample is None or sample >= len(points):
        return points
    if sample < 2:
        return points[:sample]
    return [points[index * (len(points) - 1) // (sample - 1)] for index in range(sample)]


def sweep(
    scenario: Scenario, sample: int | None = None, jobs: int = 1
) -> Iterator[tuple[CrashAt | None, Run]]:
    """The run without a crash first, then one for each point, in `jobs` processes; each is judged by the
    promises.

    The scenario's own expectations are not: what a crash delays may rightly come out otherwise.
    """
    scenario = replace(scenario, expectations=())
    whole = simulate(scenario)
    yield None, whole
    points = crash_points(whole.steps, sample)
    yield from zip(points, _runs(scenario, points, jobs), strict=True)


def _runs(scenario: Scenario, points: Sequence[CrashAt], jobs: int) -> Iterator[Run]:
    if jobs == 1:
        yield from map(partial(_crashed, scenario), points)
        return
    # New processes, not copies of this one: it has threads and open files of its own.
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        yield from pool.map(partial(_crashed, scenario), points)


def _crashed(scenario: Scenario, point: CrashAt) -> Run:
    # The trace is megabytes, and nobody asks for it.
    return replace(simulate(scenario, crash_at=point), trace="")
