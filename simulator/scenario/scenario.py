"""A scenario file as values: a start, a seed, people, a daemon's configuration, a timeline, expectations."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.scenario.schema import PersonTrait
from simulator.scenario.value_readers import format_duration


class ScenarioError(Exception):
    """A scenario that cannot be run; each line of the text names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """A named person. Without a number, one is drawn from the seed."""

    name: str
    number: str | None
    traits: Mapping[str, Any]
    """Fields of `simulator.exchange.model.people.Person`; who is silent on one has it as anybody has."""


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One entry of the timeline: at an offset from the start, one deed with its parameters."""

    at: timedelta
    kind: str
    params: Mapping[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What should be true at the end: a measure, its filters, and a bound."""

    measure: str
    filters: Mapping[str, Any]
    bound: str
    value: Any
    key: str
    because: str | None = None

    def __str__(self) -> str:
        filters = ", ".join(f"{name} {_as_written(value)}" for name, value in self.filters.items())
        wanted = (
            "never" if self.bound == "never" else f"{self.bound.replace('_', ' ')} {_as_written(self.value)}"
        )
        return f"{self.measure}{f' ({filters})' if filters else ''}: {wanted}"


def _as_written(value: Any) -> str:
    """A value as the file has it."""
    if isinstance(value, timedelta):
        return f"+{format_duration(value)}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    about: str
    path: Path
    start: datetime
    """Aware; its offset is the zone of the timeline's clock times."""
    until: timedelta
    seed: int
    daemon: Mapping[str, Any]
    """The configuration, as `missedd serve` would read it, less what the simulation provides."""
    exchange: Mapping[str, Any]
    """Fields of `simulator.exchange.model.settings.ExchangeSettings`."""
    people: tuple[PersonSpec, ...]
    timeline: tuple[TimelineEvent, ...]
    expectations: tuple[Expectation, ...] = field(repr=False)


def read_person_changes(entry: Mapping[str, Any], traits: Mapping[str, PersonTrait]) -> dict[str, Any]:
    """The fields of a `Person` that an entry sets. Raises ValueError for a value that cannot be."""
    return {traits[key].field: traits[key].reader(entry[key]) for key in traits if key in entry}


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; raises ScenarioError, which names all that is wrong.

    What only the daemon knows, such as its verdicts, is checked by `simulator.harness.scenario_check`.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as failure:
        raise ScenarioError(f"{path}: cannot be read: {failure.strerror}") from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as failure:
        raise ScenarioError(f"{path}: not TOML: {failure}") from failure
    # Here and not above: the reader makes the values of this module.
    from simulator.scenario.reader import ScenarioReader

    return ScenarioReader(path, raw).read()
