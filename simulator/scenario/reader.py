"""Reads a scenario file strictly: every key and every value is known, or it is told what would be.

Times in a timeline are offsets from the start (`"+90s"`, `"+1h30m"`) or local clock times of the
start's day and zone (`"18:30"`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from simulator.base.choices import guess, none_of
from simulator.scenario.consistency import of_deed, of_expectation
from simulator.scenario.scenario import Expectation, Happening, PersonSpec, Scenario, ScenarioMistake
from simulator.scenario.schema import (
    BOUNDS,
    BOUNDS_OF,
    DEEDS,
    MEASURES,
    PEOPLE,
    SETTINGS,
    TRAITS,
    Moment,
    Name,
    Takes,
)
from simulator.scenario.value_readers import NAMED, Reading, anything, aware, one_of, span, table, text, whole

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class Reader:
    """Reads on after a mistake, so that all of them are told at once."""

    _start: datetime
    _until: timedelta

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self._path = path
        self._raw = raw
        self._mistakes: list[str] = []
        self._names: dict[str, list[str]] = {"person": [], "kept answer": []}

    def read(self) -> Scenario:
        known = ("about", "start", "until", "seed", "daemon", "exchange", "people", "at", "expect")
        self._only(self._raw, known, "")
        about, seed = self._need("about", text), self._need("seed", whole())
        self._start, self._until = self._need("start", aware), self._need("until", span)
        daemon = self._need("daemon", table)
        self._raise()  # what follows is reckoned from these
        exchange = self._fields(self._raw.get("exchange", {}), SETTINGS, "exchange")
        people = self._people()
        timeline = self._timeline()
        expectations = [self._expectation(entry, f"expect[{i}]") for i, entry in self._entries("expect")]
        if not expectations:
            self._note("expect", "is required: without an expectation nothing could fail")
        self._raise()
        return Scenario(
            self._path.stem,
            about,
            self._path,
            self._start,
            self._until,
            seed,
            daemon,
            exchange,
            people,
            tuple(timeline),
            tuple(each for each in expectations if each is not None),
        )

    def _note(self, key: str, what: str) -> None:
        self._mistakes.append(f"{self._path}: {key}: {what}")

    def _raise(self) -> None:
        if self._mistakes:
            raise ScenarioMistake("\n".join(self._mistakes))

    def _need(self, key: str, reads: Reading) -> Any:
        if key not in self._raw:
            self._note(key, "is required")
            return None
        return self._value(reads, self._raw[key], key)

    def _entries(self, key: str) -> list[tuple[int, dict[str, Any]]]:
        """The members of an array of tables, each with its place."""
        entries = self._raw.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
            self._note(key, f"must be a list of tables, each headed [[{key}]]")
            return []
        return list(enumerate(entries))

    def _only(self, given: Mapping[str, Any], known: Collection[str], prefix: str) -> None:
        for name in given:
            if name not in known:
                self._note(
                    f"{prefix}{name}", f"is not known here; known are {', '.join(known)}{guess(name, known)}"
                )

    def _one(self, entry: Mapping[str, Any], known: Collection[str], key: str) -> str | None:
        found = [name for name in entry if name in known]
        if len(found) == 1:
            return found[0]
        self._note(key, f"needs exactly one of {', '.join(known)}")
        return None

    def _fields(self, value: Any, takes: Mapping[str, Takes], key: str) -> dict[str, Any]:
        """A table's values as they are read, those with mistakes left out."""
        given = self._value(table, value, key) or {}
        self._only(given, takes, f"{key}.")
        read = {
            name: self._value(takes[name], given[name], f"{key}.{name}") for name in given if name in takes
        }
        return {name: value for name, value in read.items() if value is not None}

    def _value(self, takes: Takes, value: Any, key: str) -> Any:
        """The value, or None where it is a mistake."""
        try:
            match takes:
                case Name(of, several):
                    for name in value if several and isinstance(value, list) else [value]:
                        # Of a kept answer, `first.body.id` names a part.
                        whole_name = text(name).partition(".")[0] if of == "kept answer" else text(name)
                        if whole_name not in self._names.get(of, [whole_name]):
                            raise ValueError(none_of(name, self._names[of]))
                    return value
                case Moment():
                    return self._moment(value)
                case Mapping():
                    return self._fields(value, takes, key)
                case _:
                    return takes(value)
        except ValueError as failure:
            self._note(key, str(failure))
            return None

    def _people(self) -> tuple[PersonSpec, ...]:
        people = []
        for name, spec in (self._value(table, self._raw.get("people", {}), "people") or {}).items():
            said = self._fields(spec, PEOPLE, f"people.{name}")
            traits = {TRAITS[key].field: value for key, value in said.items() if key in TRAITS}
            people.append(PersonSpec(name, said.get("number"), traits))
            self._names["person"].append(name)
        return tuple(people)

    def _timeline(self) -> list[Happening]:
        happenings = []
        for i, entry in self._entries("at"):
            key = f"at[{i}]"
            deed, at = self._one(entry, DEEDS, key), self._value(Moment(), entry.get("time"), f"{key}.time")
            if deed is not None and at is not None:
                happenings.append(Happening(at, deed, entry, key))
        # Sorted by time, and by their order in the file where times are equal.
        happenings.sort(key=lambda happening: happening.at)
        for happening in happenings:
            self._check_deed(happening)
        return happenings

    def _check_deed(self, happening: Happening) -> None:
        deed, key = happening.deed, happening.key
        entry = {name: value for name, value in happening.params.items() if name != "time"}
        so_far = len(self._mistakes)
        self._fields(entry, DEEDS[deed], key)
        self._check_names_in([entry.get("path"), entry.get("body")], key)
        if len(self._mistakes) == so_far:
            for name, what in of_deed(deed, entry, happening.at, self._until):
                self._note(f"{key}.{name}" if name else key, what)
            people = self._names["person"]
            if deed == "crowd":
                people += [f"caller-{len(people) + i}" for i in range(1, entry["crowd"] + 1)]
            if "keep" in entry:
                self._names["kept answer"].append(entry["keep"])

    def _check_names_in(self, value: Any, key: str) -> None:
        """What stands in braces in the texts of an `api` deed, however deep."""
        if isinstance(value, str):
            for found in NAMED.findall(value):
                name, _, path = found.partition(".")
                if name not in self._names["kept answer"] and (path or name not in self._names["person"]):
                    known = [*self._names["person"], *self._names["kept answer"]]
                    self._note(key, f"{{{found}}}: {none_of(name, known)}")
        elif isinstance(value, dict | list):
            for member in value.values() if isinstance(value, dict) else value:
                self._check_names_in(member, key)

    def _moment(self, value: Any) -> timedelta:
        if isinstance(value, str) and value.startswith("+"):
            return span(value[1:])
        if isinstance(value, datetime) and value.tzinfo is not None:
            at = value
        elif isinstance(value, str) and (found := _CLOCK.fullmatch(value)):
            hour, minute, second = (int(part or 0) for part in found.groups())
            at = self._start.replace(hour=hour, minute=minute, second=second)
        else:
            raise ValueError("must be an offset like '+90s', or a clock time like '18:30'")
        if at < self._start:
            raise ValueError(f"{value} lies before the start; of a later day write an offset like '+21h'")
        return at - self._start

    def _expectation(self, entry: dict[str, Any], key: str) -> Expectation | None:
        measure = self._value(one_of(*MEASURES), entry.get("what"), f"{key}.what")
        bound = self._one(entry, BOUNDS, key)
        if measure is None or bound is None:
            return None
        aside = {"what": anything, "because": text}
        bounds = BOUNDS_OF[measure]
        so_far = len(self._mistakes)
        if bound not in bounds:
            self._note(f"{key}.{bound}", f"is nothing for {measure}, which takes {', '.join(bounds)}")
        read = self._fields(entry, {**MEASURES[measure], **bounds, **aside}, key)
        self._check_names_in(entry.get("get"), f"{key}.get")
        filters = {name: value for name, value in read.items() if name in MEASURES[measure]}
        if len(self._mistakes) == so_far:
            for name, what in of_expectation(measure, filters, self._until):
                self._note(f"{key}.{name}" if name else key, what)
        return Expectation(measure, filters, bound, read.get(bound), key, entry.get("because"))
