"""A day with 100,000 callers in virtual time: the real daemon, its real SQL, the exchange around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.harness.replay import replay_scenario
from simulator.scenario.loader import load_scenario

SCENARIO = Path(__file__).with_name("day.toml")


def measure(say: Callable[[str], None]) -> dict[str, Any]:
    scenario = load_scenario(SCENARIO)
    calls = sum(each.params.get("crowd", 0) for each in scenario.timeline)
    say(f"day: {calls:,} callers in virtual time")
    outcome = replay_scenario(scenario)
    if outcome.failures:
        raise RuntimeError("\n".join(map(str, outcome.failures)))
    return {
        "about": scenario.about,
        "calls": calls,
        "took_s": round(outcome.took_s, 1),
        "times_real": round(outcome.simulated.total_seconds() / outcome.took_s),
    }
