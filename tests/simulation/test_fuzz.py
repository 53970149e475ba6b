"""The whole daemon under drawn faults and crashes: every promise kept, and every promise put to the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
import trio

from simulator.cli import main
from simulator.fuzz.judged_run import JudgedRun
from simulator.fuzz.random_scenario import draw_scenario
from simulator.fuzz.seed_batch import ENOUGH_SEEDS, RunKind, SeedBatch, run_seed, run_seeds
from simulator.invariants.promise_results import PROMISES, Violation

SEEDS = range(10)
"""A first look, in which every promise is put to the test; `make soak` plays many more."""


def test_every_promise_is_put_to_the_test_and_no_seed_breaks_one() -> None:
    batch = SeedBatch()
    for seed, run in run_seeds(SEEDS):
        batch.add(seed, run)
    print(batch.summary)
    assert [f"missedd-sim fuzz --seed {seed}: {violation}" for seed, violation in batch.failed] == []
    assert batch.untested_promises == []
    assert batch.crashes > 20
    assert batch.longest_convergence.days < 5


def test_a_seed_draws_the_same_run_again_and_another_seed_another() -> None:
    assert draw_scenario(7) == draw_scenario(7)
    assert draw_scenario(7) != draw_scenario(8)


def test_another_process_gives_the_same_trace() -> None:
    """Sets of texts are ordered anew in every process; nothing that is seen may depend on it."""
    found = []
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "simulator", "fuzz", "--seed", "3", "--minutes", "30"],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found += re.findall(r"^trace (\w{16})$", done.stdout, re.MULTILINE)
    assert len(found) == 2
    assert found[0] == found[1]


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str]) -> None:
    # One short run reaches only some of the promises, and says which not; more was not to be expected.
    assert main(["fuzz", "--seeds", "1", "--minutes", "5"]) == 0
    told = capsys.readouterr().out
    assert "1 seeds," in told
    assert "simulated hours" in told
    assert "never put to the test" in told
    assert "0 seeds broke a promise" in told


def test_the_command_wants_to_know_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz"]) == 2
    assert "say --seeds N" in capsys.readouterr().err


def test_ctrl_c_tells_what_was_found_so_far(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seeds: range, kind: RunKind) -> Iterator[tuple[int, JudgedRun]]:
        yield seeds[0], run_seed(seeds[0], kind)
        raise KeyboardInterrupt

    monkeypatch.setattr("simulator.fuzz.seed_batch.run_seeds", interrupted)
    assert main(["fuzz", "--seeds", "9", "--minutes", "5"]) == 130
    told = capsys.readouterr()
    assert told.out.startswith("1 seeds,")
    assert "0 seeds broke a promise" in told.out
    assert told.err == "interrupted\n"


def test_trio_still_has_the_private_names_that_make_runs_repeatable() -> None:
    """`deterministic_scheduler` uses both: a trio that renames them would make every seed a lottery."""
    run = trio._core._run
    assert isinstance(run._ALLOW_DETERMINISTIC_SCHEDULING, bool)
    assert callable(run._r.seed)


def test_a_batch_of_some_size_must_put_every_promise_to_the_test() -> None:
    reached = Counter(dict.fromkeys(PROMISES, 1))
    assert SeedBatch(seeds=ENOUGH_SEEDS, occasions=reached).passed
    del reached["P7 timers"]
    assert SeedBatch(seeds=ENOUGH_SEEDS - 1, occasions=reached).passed
    large = SeedBatch(seeds=ENOUGH_SEEDS, occasions=reached)
    assert (large.untested_promises, large.passed) == (["P7 timers"], False)
    assert not SeedBatch(seeds=1, failed=[(7, Violation("P7 timers", "late"))]).passed
