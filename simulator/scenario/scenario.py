"""The values of a scenario: start, seed, people, the daemon's configuration, timeline, expectations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.scenario.cluster import ClusterSpec
from simulator.scenario.schema import PersonTrait
from simulator.scenario.value_readers import format_duration


class ScenarioError(Exception):
    """A scenario that cannot run; each line of the text names the file, the key and the remedy."""


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """A named person. Without a number, one is drawn from the seed."""

    name: str
    number: str | None
    traits: Mapping[str, Any]
    """Fields of `simulator.exchange.model.people.Person`; a field that is left out has its default."""


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One entry of the timeline: an event with its parameters, at an offset from the start."""

    at: timedelta
    kind: str
    params: Mapping[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """A condition at the end of the run: a measure, its filters, and a bound."""

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
    """Return a value as it is written in the file."""
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
    """The configuration as `missedd serve` reads it, without what the simulation provides."""
    exchange: Mapping[str, Any]
    """Fields of `simulator.exchange.model.settings.ExchangeSettings`."""
    people: tuple[PersonSpec, ...]
    timeline: tuple[TimelineEvent, ...]
    expectations: tuple[Expectation, ...] = field(repr=False)
    cluster: ClusterSpec | None = None
    """Several daemons on one PostgreSQL; None for a single one, which has a SQLite file."""


def read_person_changes(entry: Mapping[str, Any], traits: Mapping[str, PersonTrait]) -> dict[str, Any]:
    """Return the fields of a `Person` that an entry sets. Raises ValueError for an invalid value."""
    return {traits[key].field: traits[key].reader(entry[key]) for key in traits if key in entry}
