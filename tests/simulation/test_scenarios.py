"""Every scenario file is a test; and what their logs say is tested with them."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

import pytest

from missedd.daemon.apps import metrics_listener
from missedd.log.logger import Event
from missedd.web.private.metrics import Metrics
from simulator.harness.daemon_host import SECRETS
from simulator.harness.replay import ReplayResult, replay_scenario
from simulator.harness.run_setup import daemon_settings
from simulator.scenario.loader import load_scenario

SCENARIOS = sorted((Path(__file__).parent.parent.parent / "scenarios").glob("*.toml"))


@cache
def outcome_of(path: Path) -> ReplayResult:
    return replay_scenario(load_scenario(path))


def named(path: Path) -> str:
    return path.stem


def test_the_scenarios_are_found() -> None:
    assert len(SCENARIOS) >= 10


@pytest.mark.parametrize("path", SCENARIOS, ids=named)
def test_a_scenario_meets_its_expectations(path: Path) -> None:
    outcome = outcome_of(path)
    assert outcome.checked
    assert outcome.passed, "\n\n".join(map(str, outcome.failures))


@pytest.mark.parametrize("path", SCENARIOS, ids=named)
def test_a_scenario_log_has_known_events_and_no_numbers_or_secrets(path: Path, tmp_path: Path) -> None:
    outcome = outcome_of(path)
    lines = [json.loads(line) for line in outcome.log_text.splitlines()]
    assert lines
    assert {line["event"] for line in lines} <= {each.value for each in Event}
    assert not re.search(r"\d{10,12}(?!\d|[a-z])", _without_instants_and_sids(outcome.log_text))
    assert not any(secret in outcome.log_text for secret in SECRETS.all_spellings)
    # What its events count had a series before they came, or no alert could see the first of them.
    metrics = Metrics(daemon_settings(outcome.scenario, tmp_path).policy)
    known, hear = _series(metrics), metrics_listener(metrics)
    for line in lines:
        hear(Event(line["event"]), line)
    assert _series(metrics) == known


def _series(metrics: Metrics) -> set[tuple[str, ...]]:
    return {
        (sample.name, *sample.labels.values())
        for family in metrics.registry.collect()
        for sample in family.samples
    }


def _without_instants_and_sids(text: str) -> str:
    """CallSids are 32 letters and digits and may hold any run of digits."""
    return re.sub(r"\b[0-9a-z]{32}\b", "", text)


@pytest.mark.parametrize("path", SCENARIOS[:4], ids=named)
def test_the_same_seed_gives_the_same_run(path: Path) -> None:
    assert replay_scenario(load_scenario(path)).trace == outcome_of(path).trace


def test_a_failed_expectation_says_what_was_expected_what_happened_and_whose_story_it_is(
    tmp_path: Path,
) -> None:
    text = (SCENARIOS[0].parent / "holiday.toml").read_text("utf-8")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(text + '\n[[expect]]\nwhat = "rings"\nperson = "asha"\nexactly = 7\n', "utf-8")
    (failure,) = replay_scenario(load_scenario(wrong)).failures
    assert "rings (person asha): exactly 7  [expect[3]]" in failure.expected
    assert failure.happened.startswith("1\n")
    assert "answered; the customer answered" in failure.trace
