"""Runs many seeds and sums up: what was checked, what broke, how long it took."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from simulator.fuzz.judged_run import JudgedRun, run_and_judge
from simulator.fuzz.random_cluster import draw_cluster_scenario
from simulator.fuzz.random_scenario import MINUTES, draw_scenario
from simulator.invariants.promise_results import CLUSTER_PROMISES, PROMISES, Violation
from simulator.scenario.scenario import Scenario
from simulator.scenario.value_readers import format_duration

REPEAT_EVERY = 10
"""Every tenth seed runs twice, for P10: a second run costs as much as another seed."""


ENOUGH_SEEDS = 10
"""In a batch of this many seeds every promise should have been checked at least once."""


@dataclass(frozen=True, slots=True)
class RunKind:
    """What is drawn from each seed."""

    minutes: int = MINUTES
    """With calls and faults."""
    daemons: int = 1
    server: str | None = None
    """The PostgreSQL of several daemons; see `new_database`."""

    def draw(self, seed: int) -> Scenario:
        if self.daemons == 1:
            return draw_scenario(seed, self.minutes)
        return draw_cluster_scenario(seed, self.daemons, self.minutes)

    @property
    def promises(self) -> dict[str, str]:
        return PROMISES if self.daemons == 1 else PROMISES | CLUSTER_PROMISES


ONE_DAEMON = RunKind()


def run_seed(seed: int, kind: RunKind = ONE_DAEMON, *, check_repeatable: bool = False) -> JudgedRun:
    """Simulate one seed; with `check_repeatable` a second time, for P10. Raises NoServer."""
    run = run_and_judge(kind.draw(seed), server=kind.server)
    if check_repeatable:
        again = run_and_judge(kind.draw(seed), server=kind.server)
        run.results.check(
            "P10 repeatable", again.trace == run.trace, f"seed {seed}: {_first_difference(run, again)}"
        )
    return run


def run_seeds(seeds: Iterable[int], kind: RunKind = ONE_DAEMON) -> Iterator[tuple[int, JudgedRun]]:
    for index, seed in enumerate(seeds):
        yield seed, run_seed(seed, kind, check_repeatable=index % REPEAT_EVERY == 0)


def trace_digest(run: JudgedRun) -> str:
    """Return sixteen hex digits of a trace's hash, to compare runs of other processes and machines."""
    return hashlib.sha256(run.trace.encode()).hexdigest()[:16]


def _first_difference(first: JudgedRun, second: JudgedRun) -> str:
    pairs = zip(first.trace.splitlines(), second.trace.splitlines(), strict=False)
    for number, (one, other) in enumerate(pairs, 1):
        if one != other:
            at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), 0)
            start = max(0, at - 60)
            return (
                f"the traces differ in line {number}: {one[start : at + 60]!r} and {other[start : at + 60]!r}"
            )
    return "one trace is longer than the other"


@dataclass(slots=True)
class SeedBatch:
    """The summed results of several runs."""

    kind: RunKind = ONE_DAEMON
    seeds: int = 0
    crashes: int = 0
    calls: int = 0
    simulated: timedelta = timedelta(0)
    took_s: float = 0.0
    longest_convergence: timedelta = timedelta(0)
    occasions: Counter[str] = field(default_factory=Counter)
    excused: Counter[tuple[str, str]] = field(default_factory=Counter)
    situations: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, Violation]] = field(default_factory=list)

    def add(self, seed: int, run: JudgedRun) -> None:
        self.seeds += 1
        self.crashes += run.crashes
        self.calls += run.calls
        self.simulated += run.simulated
        self.took_s += run.took_s
        self.longest_convergence = max(self.longest_convergence, run.convergence_time or timedelta(0))
        self.occasions += run.results.occasions
        self.excused += run.results.excused
        self.situations += run.situations
        if run.results.violations:
            self.failed.append((seed, run.results.violations[0]))

    @property
    def untested_promises(self) -> list[str]:
        """Promises that were never checked in the whole batch, so that the batch proves nothing of them."""
        return [name for name in self.kind.promises if not self.occasions[name]]

    @property
    def passed(self) -> bool:
        """Whether no promise broke, and a batch of `ENOUGH_SEEDS` or more checked every promise."""
        return not self.failed and (self.seeds < ENOUGH_SEEDS or not self.untested_promises)

    @property
    def summary(self) -> str:
        hours = self.simulated.total_seconds() / 3600
        a_minute = 60 / max(self.took_s, 1e-9)
        lines = [
            f"{self.seeds} seeds, {self.calls} calls, {self.crashes} crashes, {hours:,.0f} simulated hours "
            f"in {self.took_s:.1f} s ({self.seeds * a_minute:,.0f} seeds and {hours * a_minute:,.0f} hours "
            f"a minute); longest convergence {format_duration(self.longest_convergence)}",
            *(f"  {name:<16}{self.occasions[name]:>9,} times reached" for name in self.kind.promises),
            *(f"  {name:<33}{n:>9,} times met" for name, n in sorted(self.situations.items())),
            *(f"  {name}: excused {n} times, as {why}" for (name, why), n in sorted(self.excused.items())),
        ]
        return "\n".join(lines)
