"""A scenario file as values: a start, a seed, people, a daemon's configuration, a timeline, expectations.

Read strictly: an unknown key, a wrong type or an impossible value is an error that names the file
and the key. Times in a timeline are offsets from the start (`"+90s"`, `"+1h30m"`) or local clock
times of the start's day and zone (`"18:30"`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.readings import Reading, number, span
from simulator.vocabulary import BOUNDS, CHANGES, DEEDS, MEASURES, TRAITS, VALUES, WORDS, Trait

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class ScenarioMistake(Exception):
    """A scenario that cannot be run; the text names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """A named person. Without a number, one is drawn from the seed."""

    name: str
    number: str | None
    traits: Mapping[str, Any]
    """Fields of `simulator.people.Person`; who is silent on one has it as anybody has."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the timeline: at an offset from the start, one deed with its parameters."""

    at: timedelta
    deed: str
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
        filters = ", ".join(f"{name} {value}" for name, value in self.filters.items())
        wanted = "never" if self.bound == "never" else f"{self.bound.replace('_', ' ')} {self.value}"
        return f"{self.measure}{f' ({filters})' if filters else ''}: {wanted}"


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
    people: tuple[PersonSpec, ...]
    timeline: tuple[Happening, ...]
    expectations: tuple[Expectation, ...] = field(repr=False)


def duration(text: object, where: str) -> timedelta:
    """`"90s"`, `"1h30m"`, or seconds as a number; raises ScenarioMistake."""
    try:
        return span(text)
    except ValueError as failure:
        raise ScenarioMistake(f"{where}: {failure}") from failure


def changes_of(entry: Mapping[str, Any], traits: Mapping[str, Trait]) -> dict[str, Any]:
    """The fields of a `Person` that an entry sets. Raises ValueError for a value that cannot be."""
    return {traits[key].field: traits[key].reads(entry[key]) for key in traits if key in entry}


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; raises ScenarioMistake."""
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as failure:
        raise ScenarioMistake(f"{path}: cannot be read: {failure.strerror}") from failure
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as failure:
        raise ScenarioMistake(f"{path}: not TOML: {failure}") from failure
    return _Reader(path, raw).read()


class _Reader:
    _start: datetime

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self._path = path
        self._raw = raw

    def read(self) -> Scenario:
        known = {"about", "start", "until", "seed", "daemon", "exchange", "people", "at", "expect"}
        self._only(self._raw, known, "")
        start = self._need("start", datetime)
        if start.tzinfo is None:
            raise self._mistake("start", "has no offset; write it like 2026-11-23T11:00:00+05:30")
        self._start = start
        return Scenario(
            name=self._path.stem,
            about=self._need("about", str),
            path=self._path,
            start=start,
            until=duration(self._need("until", str), f"{self._path}: until"),
            seed=self._need("seed", int),
            daemon=self._need("daemon", dict),
            exchange=self._table(self._raw.get("exchange", {}), "exchange"),
            people=tuple(
                self._person(name, self._table(spec, f"people.{name}"))
                for name, spec in self._table(self._raw.get("people", {}), "people").items()
            ),
            timeline=tuple(self._timeline()),
            expectations=tuple(
                self._expectation(self._table(each, f"expect[{i}]"), f"expect[{i}]")
                for i, each in enumerate(self._need("expect", list))
            ),
        )

    def _need[T](self, key: str, kind: type[T]) -> T:
        value = self._raw.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._mistake(key, f"is required and must be a {kind.__name__}")
        return value

    def _table(self, value: object, key: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._mistake(key, "must be a table")
        return value

    def _mistake(self, key: str, what: str) -> ScenarioMistake:
        return ScenarioMistake(f"{self._path}: {key}: {what}")

    def _only(self, table: Mapping[str, Any], known: Set[str], key: str) -> None:
        for name in table:
            if name not in known:
                raise self._mistake(
                    f"{key}{name}", f"is not known here; known are {', '.join(sorted(known))}"
                )

    def _person(self, name: str, spec: Mapping[str, Any]) -> PersonSpec:
        key = f"people.{name}."
        self._only(spec, TRAITS.keys() | {"number"}, key)
        return PersonSpec(
            name=name,
            number=self._read(number, spec["number"], f"{key}number") if "number" in spec else None,
            traits={
                trait.field: self._read(trait.reads, spec[trait_key], f"{key}{trait_key}")
                for trait_key, trait in TRAITS.items()
                if trait_key in spec
            },
        )

    def _read(self, reads: Reading, value: Any, key: str) -> Any:
        try:
            return reads(value)
        except ValueError as failure:
            raise self._mistake(key, str(failure)) from failure

    def _timeline(self) -> list[Happening]:
        happenings = []
        entries = self._raw.get("at", [])
        if not isinstance(entries, list):
            raise self._mistake("at", "must be a list of tables, each headed [[at]]")
        for i, each in enumerate(entries):
            key = f"at[{i}]"
            entry = self._table(each, key)
            deeds = [each for each in entry if each in DEEDS]
            if len(deeds) != 1:
                raise self._mistake(key, f"needs exactly one of {', '.join(DEEDS)}")
            self._only(entry, DEEDS[deeds[0]] | {"time", deeds[0]}, f"{key}.")
            kinds, wanted = VALUES.get(deeds[0], ((str,), "a text"))
            if not isinstance(entry[deeds[0]], kinds):
                raise self._mistake(f"{key}.{deeds[0]}", f"must be {wanted}")
            traits = CHANGES if deeds[0] == "person" else {}
            reads: dict[str, Reading] = {**WORDS, **{name: trait.reads for name, trait in traits.items()}}
            for name in reads.keys() & entry.keys():
                self._read(reads[name], entry[name], f"{key}.{name}")
            happenings.append(Happening(self._offset(entry.get("time"), key), deeds[0], entry, key))
        # Sorted by time, and by their order in the file where times are equal.
        return sorted(happenings, key=lambda each: each.at)

    def _offset(self, text: object, key: str) -> timedelta:
        if isinstance(text, str) and text.startswith("+"):
            return duration(text[1:], f"{self._path}: {key}.time")
        if isinstance(text, datetime) and text.tzinfo is not None:
            at = text
        elif isinstance(text, str) and (found := _CLOCK.fullmatch(text)):
            hour, minute, second = (int(each or 0) for each in found.groups())
            at = self._start.replace(hour=hour, minute=minute, second=second)
        else:
            raise self._mistake(f"{key}.time", "must be an offset like '+90s', or a clock time like '18:30'")
        if at < self._start:
            raise self._mistake(
                f"{key}.time", f"{text} lies before the start; of a later day write an offset like '+21h'"
            )
        return at - self._start

    def _expectation(self, entry: Mapping[str, Any], key: str) -> Expectation:
        measure = entry.get("what")
        if not isinstance(measure, str) or measure not in MEASURES:
            raise self._mistake(f"{key}.what", f"must be one of {', '.join(MEASURES)}")
        bounds = [each for each in entry if each in BOUNDS]
        if len(bounds) != 1:
            raise self._mistake(key, f"needs exactly one of {', '.join(BOUNDS)}")
        self._only(entry, MEASURES[measure] | {"what", "because", bounds[0]}, f"{key}.")
        filters = {name: value for name, value in entry.items() if name in MEASURES[measure]}
        for name in ("after", "before"):
            if name in filters:
                filters[name] = self._offset(filters[name], f"{key}.{name}")
        return Expectation(measure, filters, bounds[0], entry[bounds[0]], key, entry.get("because"))
