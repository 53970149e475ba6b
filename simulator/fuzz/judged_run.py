"""One run of the whole daemon under faults, judged by the promises.

The timeline plays on a supervised stage; then every fault ends and the run goes on until nothing is
left to be done, or until that has taken too long. The verdict needs no expectation written by hand.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import trio

from missedd.config.loader import Settings
from simulator.fuzz.failure_trace import history
from simulator.harness.faulty_disk import Fate, survives
from simulator.harness.run_setup import in_virtual_time, perform_timeline, staged, trace_of
from simulator.harness.scenario_run import Stage
from simulator.invariants.observer import Witness
from simulator.invariants.promise_results import Tally
from simulator.invariants.promises import Case, judge
from simulator.scenario.scenario import Scenario

LOOK_EVERY_S = 60.0
CALM_LOOK_EVERY_S = 470.0
"""Out of step with what the daemon does every ten minutes, which would be in flight at every look."""
OPEN = "SELECT 1 FROM actions WHERE state != 'done' LIMIT 1"


@dataclass(frozen=True, slots=True)
class Run:
    """What one simulation showed."""

    scenario: Scenario
    tally: Tally
    crashes: int
    starts: int
    steps: int
    """Transactions of the daemon's writer: the places at which a sweep may kill it."""
    calls: int
    simulated: timedelta
    converged: timedelta | None
    """From the end of the faults, or of the last call they had held back, until nothing was left to do."""
    took_s: float
    trace: str
    """Everything that happened and every row that was kept, in a form that two runs of one seed share."""
    history: tuple[str, ...]
    """Of a run that broke a promise, the lines about the first that broke."""

    @property
    def passed(self) -> bool:
        return not self.tally.violations


def simulate(scenario: Scenario, fate: Fate = survives) -> Run:
    """Play a scenario under the promises. Raises ScenarioMistake for what cannot be run."""
    began_s = time.perf_counter()
    run = in_virtual_time(scenario, partial(judged, fate=fate))
    return replace(run, took_s=time.perf_counter() - began_s)


async def judged(scenario: Scenario, settings: Settings, fate: Fate, *, traced: bool = True) -> Run:
    """The run itself, in virtual time; how long it took is for the caller to say.

    Its trace, which is megabytes, is empty unless `traced`.
    """
    tally = Tally()
    async with staged(scenario, settings, fate) as stage:
        began_at = stage.true_now()
        await stage.supervise()
        witness = await Witness.of(settings.store_path, stage.host.disk, tally)
        try:
            async with trio.open_nursery() as looking:
                looking.start_soon(_look_on, witness, stage)
                await perform_timeline(scenario, stage)
                stage.heal()
                looking.cancel_scope.cancel()
            converged = await _converge(witness, stage, settings)
            simulated = stage.true_now() - began_at
            await witness.look(stage)
            if not stage.host.is_up:
                # A crash at its very last step, as nothing was left to be done: it is started again.
                await _converge(witness, stage, settings)
            if stage.host.is_up:
                await judge(Case(stage, settings, witness, tally))
            else:
                tally.breach("P6 outcome", "the daemon does not come up again")
            for fall in stage.host.falls:
                tally.breach("P0 upright", f"the daemon fell by itself: {fall!r}")
            trace = ""
            if traced:
                everything = trace_of(stage.exchange.truth, stage.host.log_text)
                trace = "\n".join([everything, *await _dump(witness)])
            return Run(
                scenario,
                tally,
                stage.host.crashes,
                stage.host.starts,
                stage.host.disk.steps,
                len(stage.exchange.truth.inbound),
                simulated,
                converged,
                0.0,
                trace,
                tuple(history(stage, tally.violations[0])) if tally.violations else (),
            )
        finally:
            with trio.CancelScope(shield=True):
                await witness.close()


async def _look_on(witness: Witness, stage: Stage) -> None:
    while True:
        await trio.sleep(LOOK_EVERY_S)
        await witness.look(stage)


def longest_convergence(settings: Settings) -> timedelta:
    """The bound: each callback of a chain may be held over a closed weekend, and look-ups take hours."""
    callbacks = [each.callback for each in settings.policy.campaigns if each.callback]
    retries = max((len(each.retries.soonest()) for each in callbacks), default=0)
    return timedelta(hours=8) + (1 + retries) * timedelta(hours=48)


async def _converge(witness: Witness, stage: Stage, settings: Settings) -> timedelta | None:
    """Wait until the outside is at rest and every action has its outcome; None if that takes too long."""
    healed_at, bound = stage.true_now(), longest_convergence(settings)
    while True:
        # A call that the faults had held back begins its own story whenever it comes.
        calls = (each.at for each in stage.exchange.truth.deliveries if each.kind == "missed-call")
        took = stage.true_now() - max([healed_at, *calls])
        # A webhook on its way, or a telephone that still rings, is a task of the exchange's.
        if not stage.nursery.child_tasks and stage.host.is_up and not await witness.rows(OPEN):
            return took
        if took > bound:
            return None
        await trio.sleep(CALM_LOOK_EVERY_S)
        await witness.look(stage)


async def _dump(witness: Witness) -> list[str]:
    """Every row that the daemon keeps, for comparing two runs."""
    if not await witness.is_readable():
        return []
    tables = (
        *("calls", "actions", "attempts", "reports", "leads", "suppressions"),
        *("subscriptions", "withdrawals", "verifications", "conversions"),
        *("votes", "tallies"),
    )
    return [
        f"{table} {row}"
        for table in tables
        for row in await witness.rows(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608
    ]
