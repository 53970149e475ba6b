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
from simulator.fuzz.failure_trace import failure_trace
from simulator.harness.faulty_disk import CrashRule, never_crash
from simulator.harness.run_setup import build_trace, open_simulation, play_timeline, run_in_virtual_time
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults
from simulator.invariants.promises import JudgedCase, judge_promises
from simulator.scenario.scenario import Scenario

OBSERVE_EVERY_S = 60.0
OBSERVE_AT_REST_EVERY_S = 470.0
"""Out of step with what the daemon does every ten minutes, which would be in flight at every look."""
OPEN_ACTIONS_SQL = "SELECT 1 FROM actions WHERE state != 'done' LIMIT 1"


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """What one simulation showed."""

    scenario: Scenario
    results: PromiseResults
    crashes: int
    starts: int
    steps: int
    """Transactions of the daemon's writer: the places at which a sweep may kill it."""
    calls: int
    simulated: timedelta
    convergence_time: timedelta | None
    """From the end of the faults, or of the last call they had held back, until nothing was left to do."""
    took_s: float
    trace: str
    """Everything that happened and every row that was kept, in a form that two runs of one seed share."""
    failure_trace: tuple[str, ...]
    """Of a run that broke a promise, the lines about the first that broke."""

    @property
    def passed(self) -> bool:
        return not self.results.violations


def run_and_judge(scenario: Scenario, crash_rule: CrashRule = never_crash) -> JudgedRun:
    """Play a scenario under the promises. Raises ScenarioError for what cannot be run."""
    began_s = time.perf_counter()
    run = run_in_virtual_time(scenario, partial(run_judged, crash_rule=crash_rule))
    return replace(run, took_s=time.perf_counter() - began_s)


async def run_judged(
    scenario: Scenario, settings: Settings, crash_rule: CrashRule, *, with_trace: bool = True
) -> JudgedRun:
    """The run itself, in virtual time; how long it took is for the caller to say.

    Its trace, which is megabytes, is empty unless `with_trace`.
    """
    tally = PromiseResults()
    async with open_simulation(scenario, settings, crash_rule) as stage:
        began_at = stage.true_now()
        await stage.supervise()
        witness = await StoreObserver.open(settings.store_path, stage.host.disk, tally)
        try:
            async with trio.open_nursery() as looking:
                looking.start_soon(_observe_regularly, witness, stage)
                await play_timeline(scenario, stage)
                stage.end_all_faults()
                looking.cancel_scope.cancel()
            converged = await _wait_until_converged(witness, stage, settings)
            simulated = stage.true_now() - began_at
            await witness.observe(stage)
            if not stage.host.is_up:
                # A crash at its very last step, as nothing was left to be done: it is started again.
                await _wait_until_converged(witness, stage, settings)
            if stage.host.is_up:
                await judge_promises(JudgedCase(stage, settings, witness, tally))
            else:
                tally.add_violation("P6 outcome", "the daemon does not come up again")
            for fall in stage.host.unexpected_errors:
                tally.add_violation("P0 upright", f"the daemon fell by itself: {fall!r}")
            trace = ""
            if with_trace:
                everything = build_trace(stage.exchange.ground_truth, stage.host.log_text)
                trace = "\n".join([everything, *await _dump_rows(witness)])
            return JudgedRun(
                scenario,
                tally,
                stage.host.crash_count,
                stage.host.start_count,
                stage.host.disk.steps,
                len(stage.exchange.ground_truth.inbound),
                simulated,
                converged,
                0.0,
                trace,
                tuple(failure_trace(stage, tally.violations[0])) if tally.violations else (),
            )
        finally:
            with trio.CancelScope(shield=True):
                await witness.close()


async def _observe_regularly(observer: StoreObserver, simulation: Simulation) -> None:
    while True:
        await trio.sleep(OBSERVE_EVERY_S)
        await observer.observe(simulation)


def convergence_limit(settings: Settings) -> timedelta:
    """The bound: each callback of a chain may be held over a closed weekend, and look-ups take hours."""
    callbacks = [each.callback for each in settings.policy.campaigns if each.callback]
    retries = max((len(each.retries.shortest_delays()) for each in callbacks), default=0)
    return timedelta(hours=8) + (1 + retries) * timedelta(hours=48)


async def _wait_until_converged(
    observer: StoreObserver, simulation: Simulation, settings: Settings
) -> timedelta | None:
    """Wait until the outside is at rest and every action has its outcome; None if that takes too long."""
    healed_at, bound = simulation.true_now(), convergence_limit(settings)
    while True:
        # A call that the faults had held back begins its own story whenever it comes.
        calls = (
            each.at for each in simulation.exchange.ground_truth.deliveries if each.kind == "missed-call"
        )
        took = simulation.true_now() - max([healed_at, *calls])
        # A webhook on its way, or a telephone that still rings, is a task of the exchange's.
        if (
            not simulation.nursery.child_tasks
            and simulation.host.is_up
            and not await observer.rows(OPEN_ACTIONS_SQL)
        ):
            return took
        if took > bound:
            return None
        await trio.sleep(OBSERVE_AT_REST_EVERY_S)
        await observer.observe(simulation)


async def _dump_rows(observer: StoreObserver) -> list[str]:
    """Every row that the daemon keeps, for comparing two runs."""
    if not await observer.is_readable():
        return []
    tables = (
        *("calls", "actions", "attempts", "reports", "leads", "suppressions"),
        *("subscriptions", "withdrawals", "verifications", "conversions"),
        *("votes", "tallies"),
    )
    return [
        f"{table} {row}"
        for table in tables
        for row in await observer.rows(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608
    ]
