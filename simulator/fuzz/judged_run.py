"""Runs the whole daemon under faults and checks the promises.

The timeline plays in a supervised simulation. Then all faults end, and the run goes on until no action
is open, or until a time limit. The check needs no expectation written by hand.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

import trio

from missedd.config.loader import Settings
from simulator.fuzz.failure_trace import failure_trace
from simulator.fuzz.leadership_watch import judge_terms, watch_leadership
from simulator.harness.faulty_disk import CrashRule, never_crash
from simulator.harness.run_setup import build_trace, open_simulation, play_timeline, run_in_virtual_time
from simulator.harness.scenario_run import Simulation
from simulator.invariants.observer import StoreObserver
from simulator.invariants.promise_results import PromiseResults
from simulator.invariants.promises import JudgedCase, judge_promises
from simulator.invariants.raw_reader import open_raw_reader
from simulator.scenario.scenario import Scenario

OBSERVE_EVERY_S = 60.0
OBSERVE_AT_REST_EVERY_S = 470.0
"""Not a divisor of ten minutes: else the daemon's ten-minute work would be in flight at every check."""
OBSERVE_CLUSTER_AT_REST_EVERY_S = 50.0
ALL_AT_REST_S = 30.0
"""How long several daemons go on together after the faults."""

CLAIMS_GIVEN_BACK_SQL = "SELECT count(*) FROM attempts WHERE reason = 'given-back'"
OPEN_ACTIONS_SQL = "SELECT 1 FROM actions WHERE state != 'done' LIMIT 1"


@dataclass(frozen=True, slots=True)
class JudgedRun:
    """The result of one run."""

    scenario: Scenario
    results: PromiseResults
    crashes: int
    starts: int
    steps: int
    """Transactions of the daemon's writer: the points at which a sweep may crash it."""
    calls: int
    simulated: timedelta
    convergence_time: timedelta | None
    """From the end of the faults, or from the last call that they delayed, until no action was open."""
    took_s: float
    trace: str
    """Everything that happened and every stored row; two runs of one seed give the same text."""
    situations: Counter[str]
    """How often what only several daemons meet occurred; see `simulator.invariants.situations`."""
    failure_trace: tuple[str, ...]
    """The lines about the first violation; empty if no promise was broken."""

    @property
    def passed(self) -> bool:
        return not self.results.violations


def run_and_judge(
    scenario: Scenario, crash_rule: CrashRule = never_crash, server: str | None = None
) -> JudgedRun:
    """Run a scenario and check the promises; `server` is for one of several daemons.

    Raises ScenarioError for a scenario that cannot run, and NoServer.
    """
    began_s = time.perf_counter()
    run = run_in_virtual_time(scenario, partial(run_judged, crash_rule=crash_rule), server)
    return replace(run, took_s=time.perf_counter() - began_s)


async def run_judged(
    scenario: Scenario, settings: Settings, crash_rule: CrashRule, *, with_trace: bool = True
) -> JudgedRun:
    """Run a scenario in virtual time and check the promises. `took_s` is 0: the caller measures it.

    The trace, which takes megabytes, is empty unless `with_trace`.
    """
    results = PromiseResults()
    async with open_simulation(scenario, settings, crash_rule) as simulation:
        daemons = simulation.daemons
        began_at = simulation.true_now()
        await simulation.supervise()
        observer = StoreObserver(await open_raw_reader(settings.store, daemons), daemons, results)
        try:
            async with trio.open_nursery() as observing:
                observing.start_soon(_observe_regularly, observer, simulation)
                if simulation.database is not None:
                    observing.start_soon(watch_leadership, simulation, results)
                await play_timeline(scenario, simulation)
                simulation.end_all_faults()
                if simulation.database is not None:
                    await _leave_one_daemon(simulation)
                observing.cancel_scope.cancel()
            converged = await _wait_until_converged(observer, simulation, settings)
            simulated = simulation.true_now() - began_at
            await observer.observe(simulation)
            if not daemons.is_up:
                # The daemon crashed at its last step, with no action open: wait for its restart.
                await _wait_until_converged(observer, simulation, settings)
            if simulation.database is not None:
                judge_terms(simulation, results)
                ((given_back,),) = await observer.rows(CLAIMS_GIVEN_BACK_SQL)
                simulation.database.situations["claims given back"] += given_back
            if daemons.is_up:
                await judge_promises(JudgedCase(simulation, settings, observer, results))
            else:
                results.add_violation("P6 outcome", "the daemon does not come up again")
            for error in daemons.unexpected_errors:
                results.add_violation("P0 upright", f"the daemon fell by itself: {error!r}")
            trace = ""
            if with_trace:
                everything = build_trace(simulation.exchange.ground_truth, daemons.log_text)
                trace = "\n".join([everything, *await _dump_rows(observer, simulation)])
            return JudgedRun(
                scenario,
                results,
                daemons.crash_count,
                daemons.start_count,
                daemons.step_count,
                len(simulation.exchange.ground_truth.inbound),
                simulated,
                converged,
                0.0,
                trace,
                Counter() if simulation.database is None else simulation.database.situations,
                tuple(failure_trace(simulation, results.violations[0])) if results.violations else (),
            )
        finally:
            with trio.CancelScope(shield=True):
                await observer.close()


async def _leave_one_daemon(simulation: Simulation) -> None:
    """Stop all daemons but one: idle daemons report to the database all the time, which costs minutes."""
    await trio.sleep(ALL_AT_REST_S)
    for host in simulation.daemons.hosts[1:]:
        if host.is_up and simulation.daemons.hosts[0].is_up:
            await host.stop()


async def _observe_regularly(observer: StoreObserver, simulation: Simulation) -> None:
    while True:
        await trio.sleep(OBSERVE_EVERY_S)
        await observer.observe(simulation)


def convergence_limit(settings: Settings) -> timedelta:
    """The time limit: each callback of a chain may wait over a closed weekend, and lookups take hours."""
    callbacks = [campaign.callback for campaign in settings.policy.campaigns if campaign.callback]
    retries = max((len(callback.retries.shortest_delays()) for callback in callbacks), default=0)
    return timedelta(hours=8) + (1 + retries) * timedelta(hours=48)


async def _wait_until_converged(
    observer: StoreObserver, simulation: Simulation, settings: Settings
) -> timedelta | None:
    """Wait until the exchange is idle and every action has an outcome; None if that takes too long."""
    healed_at, limit = simulation.true_now(), convergence_limit(settings)
    pause_s = OBSERVE_AT_REST_EVERY_S if simulation.database is None else OBSERVE_CLUSTER_AT_REST_EVERY_S
    while True:
        # A call that the faults delayed starts new actions whenever it comes.
        calls = (
            delivery.at
            for delivery in simulation.exchange.ground_truth.deliveries
            if delivery.kind == "missed-call"
        )
        took = simulation.true_now() - max([healed_at, *calls])
        # A webhook in flight, or a phone that still rings, is a task in the exchange's nursery.
        if (
            not simulation.nursery.child_tasks
            and simulation.daemons.is_up
            and not await observer.rows(OPEN_ACTIONS_SQL)
        ):
            return took
        if took > limit:
            return None
        await trio.sleep(pause_s)
        await observer.observe(simulation)


async def _dump_rows(observer: StoreObserver, simulation: Simulation) -> list[str]:
    """Return every row that the daemon stores, to compare two runs.

    In a PostgreSQL the number of a session's process decides where its votes are summed, so no sums of votes.
    """
    if not await observer.is_readable():
        return []
    tables = (
        *("calls", "actions", "attempts", "reports", "leads", "suppressions"),
        *("subscriptions", "withdrawals", "verifications", "conversions"),
        *(("votes", "tallies") if simulation.database is None else ("votes",)),
    )
    return [
        f"{table} {row}"
        for table in tables
        for row in await observer.rows(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608
    ]
