"""Loads a scenario file."""

from __future__ import annotations

import tomllib
from pathlib import Path

from simulator.scenario.reader import ScenarioReader
from simulator.scenario.scenario import Scenario, ScenarioError


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file. Raises one ScenarioError that names all mistakes in it.

    `simulator.harness.scenario_check` checks the names that only the daemon knows, such as its verdicts.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as failure:
        raise ScenarioError(f"{path}: cannot be read: {failure.strerror}") from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise ScenarioError(f"{path}: not TOML: {failure}") from failure
    return ScenarioReader(path, raw).read()
