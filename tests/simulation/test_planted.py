"""The nets are sound: each planted mistake is caught within a few seeds, by the promise that it breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.runner.batch import run_seed
from tests.simulation.planted import MISTAKES, Mistake
from tests.simulation.planted_people import ABOUT_PEOPLE

SEEDS = 40
MINUTES = 60


def named(mistake: Mistake) -> str:
    return mistake.name


@pytest.mark.parametrize("mistake", [*MISTAKES, *ABOUT_PEOPLE], ids=named)
def test_it_is_caught(
    mistake: Mistake, monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]
) -> None:
    mistake.plant(monkeypatch)
    for seed in range(SEEDS):
        run = run_seed(seed, MINUTES, twice=mistake.breaks == ("P10",))
        broken = [each for each in run.tally.violations if each.promise.startswith(mistake.breaks)]
        if broken:
            print(f"{mistake.name}: caught after {seed + 1} seeds: {broken[0].what}")
            record_property("seeds", seed + 1)
            return
    pytest.fail(f"{mistake.name} was not caught in {SEEDS} seeds")
