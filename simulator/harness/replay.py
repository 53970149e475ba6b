"""Replays a scenario: the real daemon and the exchange in one virtual time.

`replay_scenario` runs the timeline, waits until the scenario's end, and compares the expectations with
the exchange's ground truth and the daemon's API. The same file gives the same run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

from missedd.config.loader import Settings
from simulator.exchange.model.ground_truth import GroundTruth
from simulator.harness.expectations import FailedExpectation, check_expectations
from simulator.harness.run_setup import build_trace, open_simulation, play_timeline, run_in_virtual_time
from simulator.harness.scenario_check import check_scenario
from simulator.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The result of a replay. `simulated` is the virtual time covered, `took_s` the real time used."""

    scenario: Scenario
    failures: tuple[FailedExpectation, ...]
    checked: int
    simulated: timedelta
    took_s: float
    log_text: str
    ground_truth: GroundTruth = field(repr=False)

    @property
    def trace(self) -> str:
        """Everything that happened; two runs of one seed give the same text."""
        return build_trace(self.ground_truth, self.log_text)

    @property
    def passed(self) -> bool:
        return not self.failures


def replay_scenario(scenario: Scenario, server: str | None = None) -> ReplayResult:
    """Run one scenario from its start to its end; `server` is for one of several daemons.

    Raises ScenarioError for what cannot be run, and NoServer.
    """
    check_scenario(scenario)
    began_s = time.perf_counter()
    outcome = run_in_virtual_time(scenario, _run_and_check, server)
    return replace(outcome, took_s=time.perf_counter() - began_s)


async def _run_and_check(scenario: Scenario, settings: Settings) -> ReplayResult:
    async with open_simulation(scenario, settings) as simulation:
        daemons = simulation.daemons
        for host in daemons.hosts:
            await host.start()
        await play_timeline(scenario, simulation)
        for host in daemons.hosts:
            if not host.is_up:
                await host.start()
        failures = await check_expectations(scenario, simulation)
        for host in daemons.hosts:
            await host.stop()
    if daemons.unexpected_errors:
        raise daemons.unexpected_errors[0]
    return ReplayResult(
        scenario,
        tuple(failures),
        len(scenario.expectations),
        scenario.until,
        0.0,
        daemons.log_text,
        simulation.exchange.ground_truth,
    )
