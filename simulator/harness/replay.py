"""Replays a scenario: the real daemon and the exchange in one virtual time.

`replay` runs the timeline, waits until the scenario's end, measures, and holds the expectations
against the exchange's truth and the daemon's API. The same file gives the same run.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

from missedd.config.loader import Settings
from simulator.exchange.model.ground_truth import Truth
from simulator.harness.expectations import Failure, check
from simulator.harness.run_setup import in_virtual_time, perform_timeline, staged, trace_of
from simulator.harness.scenario_check import proofread
from simulator.scenario.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay showed. `simulated` and `took_s` tell how much time it covered, and used."""

    scenario: Scenario
    failures: tuple[Failure, ...]
    checked: int
    simulated: timedelta
    took_s: float
    log_text: str
    truth: Truth = field(repr=False)

    @property
    def trace(self) -> str:
        """Everything that happened, in a form that two runs of one seed share to the letter."""
        return trace_of(self.truth, self.log_text)

    @property
    def passed(self) -> bool:
        return not self.failures


def replay(scenario: Scenario) -> Outcome:
    """Run one scenario from its start to its end. Raises ScenarioMistake for what cannot be run."""
    proofread(scenario)
    began_s = time.perf_counter()
    outcome = in_virtual_time(scenario, _replay)
    return replace(outcome, took_s=time.perf_counter() - began_s)


async def _replay(scenario: Scenario, settings: Settings) -> Outcome:
    async with staged(scenario, settings) as stage:
        host = stage.host
        await host.start()
        await perform_timeline(scenario, stage)
        if not host.is_up:
            await host.start()
        failures = await check(scenario, stage)
        await host.stop()
    if host.falls:
        raise host.falls[0]
    return Outcome(
        scenario,
        tuple(failures),
        len(scenario.expectations),
        scenario.until,
        0.0,
        host.log_text,
        stage.exchange.truth,
    )
