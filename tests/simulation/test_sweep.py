"""A crash before and after storage steps of written scenarios: a sample here, more by `make soak`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.fuzz.crash_sweep import crash_points, crash_sweep
from simulator.fuzz.forked_runs import ForkedRunFailed, run_forks
from simulator.fuzz.judged_run import JudgedRun, run_and_judge
from simulator.harness.faulty_disk import CrashPoint, crash_at
from simulator.scenario.loader import load_scenario
from simulator.scenario.scenario import Scenario

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
SAMPLE = 6


@pytest.mark.parametrize(
    "name",
    [
        *("lost-reply", "status-reports", "repeat-callers", "restart-during-delay", "information-line"),
        *("opt-in-and-out", "verification", "lead-to-conversion", "agents-in-turn", "reached-otherwise"),
    ],
)
def test_a_crash_at_any_step_breaks_no_promise(name: str) -> None:
    runs = list(crash_sweep(load_scenario(SCENARIOS / f"{name}.toml"), SAMPLE))
    assert len(runs) == 1 + SAMPLE
    assert [f"{point}: {run.results.violations[0]}" for point, run in runs if not run.passed] == []
    crashed = [run.crashes for point, run in runs if point is not None]
    assert min(crashed) >= 1


def test_every_step_has_two_points_and_a_sample_keeps_the_ends() -> None:
    assert crash_points(2, None) == [(1, "before"), (1, "after"), (2, "before"), (2, "after")]
    sample = crash_points(50, 3)
    assert (sample[0], sample[-1], len(sample)) == ((1, "before"), (50, "after"), 3)


def test_a_branch_is_the_run_with_that_crash_to_the_letter() -> None:
    scenario = load_scenario(SCENARIOS / "agents.toml")
    points = [(1, "before"), (20, "after"), (41, "before")]
    grown = dict(run_forks(scenario, points, 2, with_trace=True))
    assert grown.keys() == set(points)
    for point in points:
        alone, branch = run_and_judge(scenario, crash_at(point)), grown[point]
        assert branch.trace == alone.trace
        assert (branch.results, branch.convergence_time) == (alone.results, alone.convergence_time)


def test_a_run_that_dies_without_a_verdict_is_named(
    capfd: pytest.CaptureFixture[str],
) -> None:
    scenario = load_scenario(SCENARIOS / "agents.toml")
    # What is wrong with it shows in the trunk alone, as the one who asks only hands it over.
    impossible = replace(scenario, timeline=(replace(scenario.timeline[0], kind="juggle"),))
    with pytest.raises(ForkedRunFailed, match="no verdict on a crash at"):
        list(run_forks(impossible, [(10_000, "after")], 1))
    assert "juggle" in capfd.readouterr().err


def test_the_command_sums_up(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(SCENARIOS / "agents.toml"), "--sample", "2"]) == 0
    told = capsys.readouterr().out
    assert "agents: 2 crashes at" in told
    assert "3 kept every promise, 0 did not" in told


def test_ctrl_c_tells_what_was_found_so_far(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(
        scenario: Scenario, sample: int | None, jobs: int
    ) -> Iterator[tuple[CrashPoint | None, JudgedRun]]:
        yield None, run_and_judge(scenario)
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.fuzz.crash_sweep.crash_sweep", interrupted)
    assert main(["sweep", str(SCENARIOS / "agents.toml")]) == 130
    told = capsys.readouterr()
    assert "agents: 0 crashes at" in told.out
    assert "0 runs broke a promise, not all of them" in told.out
    assert "1 kept every promise, 0 did not" in told.out
    assert told.err == "interrupted\n"
