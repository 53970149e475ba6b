"""A scenario file as values: a start, a seed, people, a daemon's configuration, a timeline, expectations.

Read strictly: an unknown key, a wrong type or an impossible value is an error that names the file
and the key. Times in a timeline are offsets from the start (`"+90s"`, `"+1h30m"`) or local clock
times of the start's day and zone (`"18:30"`).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.people import Answers, Reception
from simulator.vocabulary import BOUNDS, DEEDS, MEASURES, VALUES, WORDS

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


LONGEST_S = 10 * 366 * 86_400


class ScenarioMistake(Exception):
    """A scenario that cannot be run; the text names file, key and remedy."""


@dataclass(frozen=True, slots=True)
class PersonSpec:
    """A named person. Without a number, one is drawn from the seed."""

    name: str
    number: str | None
    answers: tuple[Answers, ...]
    sms: Reception
    ring_s: float
    talks_s: float
    dnd: bool


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
    if isinstance(text, int | float) and not isinstance(text, bool):
        if not 0 <= text <= LONGEST_S:
            raise ScenarioMistake(f"{where}: {text!r} is no duration; it lies between nothing and ten years")
        return timedelta(seconds=text)
    found = _DURATION.fullmatch(text) if isinstance(text, str) and text else None
    if found is None:
        raise ScenarioMistake(f"{where}: {text!r} is no duration; write seconds or a text like '1h30m'")
    days, hours, minutes, seconds = (float(each or 0) for each in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


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

    def _only(self, table: Mapping[str, Any], known: set[str] | frozenset[str], key: str) -> None:
        for name in table:
            if name not in known:
                raise self._mistake(
                    f"{key}{name}", f"is not known here; known are {', '.join(sorted(known))}"
                )

    def _person(self, name: str, spec: Mapping[str, Any]) -> PersonSpec:
        key = f"people.{name}."
        self._only(spec, {"number", "answers", "sms", "ring", "talks", "dnd"}, key)
        answers = spec.get("answers", "answer")
        try:
            return PersonSpec(
                name=name,
                number=spec.get("number"),
                answers=tuple(Answers(each) for each in ([answers] if isinstance(answers, str) else answers)),
                sms=Reception(spec.get("sms", "delivered")),
                ring_s=duration(spec.get("ring", 6), f"{self._path}: {key}ring").total_seconds(),
                talks_s=duration(spec.get("talks", 45), f"{self._path}: {key}talks").total_seconds(),
                dnd=bool(spec.get("dnd", False)),
            )
        except ValueError as failure:
            raise self._mistake(key.rstrip("."), str(failure)) from failure

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
            for name in WORDS.keys() & entry.keys():
                self._word(name, entry[name], f"{key}.{name}")
            happenings.append(Happening(self._offset(entry.get("time"), key), deeds[0], entry, key))
        # Sorted by time, and by their order in the file where times are equal.
        return sorted(happenings, key=lambda each: each.at)

    def _word(self, name: str, value: Any, key: str) -> None:
        try:
            WORDS[name](value)
        except ValueError as failure:
            raise self._mistake(key, str(failure)) from failure

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
