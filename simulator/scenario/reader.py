"""Reads a scenario file strictly: an unknown key or value is an error that lists the known ones.

Times in a timeline are offsets from the start (`"+90s"`, `"+1h30m"`) or local clock times of the
start's day and zone (`"18:30"`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from simulator.base.choices import suggestion_text, unknown_value_text
from simulator.scenario.cluster import CLUSTER_KEYS, ClusterSpec, check_cluster, check_cluster_event
from simulator.scenario.consistency import check_event, check_expectation
from simulator.scenario.scenario import Expectation, PersonSpec, Scenario, ScenarioError, TimelineEvent
from simulator.scenario.schema import (
    ANY_BOUNDS,
    BOUNDS_BY_MEASURE,
    MEASURE_FILTERS,
    PERSON_KEYS,
    SETTING_READERS,
    TIMELINE_EVENTS,
    TRAITS,
    NameReference,
    TimelineTime,
    ValueSpec,
)
from simulator.scenario.value_readers import (
    PLACEHOLDER,
    ValueReader,
    any_value,
    duration,
    instant_with_offset,
    non_empty_text,
    one_of,
    toml_table,
    whole_number,
)

FILE_KEYS: Final = (
    *("about", "start", "until", "seed", "daemon", "cluster", "exchange", "people", "at", "expect"),
)
"""The keys of a scenario file."""

_CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


class ScenarioReader:
    """Reads the keys of one file. The reader goes on after a mistake, to report all of them at once."""

    _start: datetime
    _until: timedelta
    _cluster: ClusterSpec | None

    def __init__(self, path: Path, raw: dict[str, Any]) -> None:
        self._path = path
        self._raw = raw
        self._errors: list[str] = []
        self._names: dict[str, list[str]] = {"person": [], "kept answer": []}

    def read(self) -> Scenario:
        self._reject_unknown_keys(self._raw, FILE_KEYS, "")
        about, seed = self._required("about", non_empty_text), self._required("seed", whole_number())
        self._start, self._until = (
            self._required("start", instant_with_offset),
            self._required("until", duration),
        )
        daemon = self._required("daemon", toml_table)
        self._raise_errors()  # the other keys depend on these
        self._cluster = self._read_cluster()
        exchange = self._fields(self._raw.get("exchange", {}), SETTING_READERS, "exchange")
        people = self._people()
        timeline = self._timeline()
        expectations = [self._expectation(entry, f"expect[{i}]") for i, entry in self._entries("expect")]
        if not expectations:
            self._add_error("expect", "is required: without an expectation nothing could fail")
        self._raise_errors()
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
            tuple(expectation for expectation in expectations if expectation is not None),
            self._cluster,
        )

    def _read_cluster(self) -> ClusterSpec | None:
        if "cluster" not in self._raw:
            return None
        so_far = len(self._errors)
        given = self._fields(self._raw["cluster"], CLUSTER_KEYS, "cluster")
        if len(self._errors) == so_far:
            for name, what in check_cluster(given):
                self._add_error(f"cluster.{name}", what)
        return ClusterSpec(**given) if len(self._errors) == so_far else None

    def _add_error(self, key: str, what: str) -> None:
        self._errors.append(f"{self._path}: {key}: {what}")

    def _raise_errors(self) -> None:
        if self._errors:
            raise ScenarioError("\n".join(self._errors))

    def _required(self, key: str, reader: ValueReader) -> Any:
        if key not in self._raw:
            self._add_error(key, "is required")
            return None
        return self._value(reader, self._raw[key], key)

    def _entries(self, key: str) -> list[tuple[int, dict[str, Any]]]:
        """The tables of an array, each with its index."""
        entries = self._raw.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self._add_error(key, f"must be a list of tables, each headed [[{key}]]")
            return []
        return list(enumerate(entries))

    def _reject_unknown_keys(self, given: Mapping[str, Any], known: Collection[str], prefix: str) -> None:
        for name in given:
            if name not in known:
                self._add_error(
                    f"{prefix}{name}",
                    f"is not known here; known are {', '.join(known)}{suggestion_text(name, known)}",
                )

    def _single_key(self, entry: Mapping[str, Any], known: Collection[str], key: str) -> str | None:
        found = [name for name in entry if name in known]
        if len(found) == 1:
            return found[0]
        self._add_error(key, f"needs exactly one of {', '.join(known)}")
        return None

    def _fields(self, value: Any, takes: Mapping[str, ValueSpec], key: str) -> dict[str, Any]:
        """Read the values of a table; a value with a mistake is left out."""
        given = self._value(toml_table, value, key) or {}
        self._reject_unknown_keys(given, takes, f"{key}.")
        read = {
            name: self._value(takes[name], given[name], f"{key}.{name}") for name in given if name in takes
        }
        return {name: value for name, value in read.items() if value is not None}

    def _value(self, takes: ValueSpec, value: Any, key: str) -> Any:
        """Read one value. Returns None after a mistake, which is added to the errors."""
        try:
            match takes:
                case NameReference(kind, allows_list):
                    for name in value if allows_list and isinstance(value, list) else [value]:
                        # A stored answer may be named with a path: `first.body.id`.
                        whole_name = (
                            non_empty_text(name).partition(".")[0]
                            if kind == "kept answer"
                            else non_empty_text(name)
                        )
                        if whole_name not in self._names.get(kind, [whole_name]):
                            raise ValueError(unknown_value_text(name, self._names[kind]))
                    return value
                case TimelineTime():
                    return self._time_offset(value)
                case Mapping():
                    return self._fields(value, takes, key)
                case _:
                    return takes(value)
        except ValueError as failure:
            self._add_error(key, str(failure))
            return None

    def _people(self) -> tuple[PersonSpec, ...]:
        people = []
        for name, spec in (self._value(toml_table, self._raw.get("people", {}), "people") or {}).items():
            given = self._fields(spec, PERSON_KEYS, f"people.{name}")
            traits = {TRAITS[key].field: value for key, value in given.items() if key in TRAITS}
            people.append(PersonSpec(name, given.get("number"), traits))
            self._names["person"].append(name)
        return tuple(people)

    def _timeline(self) -> list[TimelineEvent]:
        events = []
        for i, entry in self._entries("at"):
            key = f"at[{i}]"
            kind, at = (
                self._single_key(entry, TIMELINE_EVENTS, key),
                self._value(TimelineTime(), entry.get("time"), f"{key}.time"),
            )
            if kind is not None and at is not None:
                events.append(TimelineEvent(at, kind, entry, key))
        # Sorted by time; events of the same time keep their order in the file.
        events.sort(key=lambda event: event.at)
        for event in events:
            self._check_event(event)
        return events

    def _check_event(self, event: TimelineEvent) -> None:
        kind, key = event.kind, event.key
        entry = {name: value for name, value in event.params.items() if name != "time"}
        so_far = len(self._errors)
        self._fields(entry, TIMELINE_EVENTS[kind], key)
        self._check_names_in([entry.get("path"), entry.get("body")], key)
        if len(self._errors) == so_far:
            daemons = self._cluster.daemons if self._cluster else 1
            for name, what in (
                *check_event(kind, entry, event.at, self._until),
                *check_cluster_event(kind, entry, daemons),
            ):
                self._add_error(f"{key}.{name}" if name else key, what)
            people = self._names["person"]
            if kind == "crowd":
                people += [f"caller-{len(people) + i}" for i in range(1, entry["crowd"] + 1)]
            if "keep" in entry:
                self._names["kept answer"].append(entry["keep"])

    def _check_names_in(self, value: Any, key: str) -> None:
        """Check the names in braces in the texts of an `api` event, at any depth."""
        if isinstance(value, str):
            for found in PLACEHOLDER.findall(value):
                name, _, path = found.partition(".")
                if name not in self._names["kept answer"] and (path or name not in self._names["person"]):
                    known = [*self._names["person"], *self._names["kept answer"]]
                    self._add_error(key, f"{{{found}}}: {unknown_value_text(name, known)}")
        elif isinstance(value, dict | list):
            for member in value.values() if isinstance(value, dict) else value:
                self._check_names_in(member, key)

    def _time_offset(self, value: Any) -> timedelta:
        if isinstance(value, str) and value.startswith("+"):
            return duration(value[1:])
        if isinstance(value, datetime) and value.tzinfo is not None:
            at = value
        elif isinstance(value, str) and (found := _CLOCK_TIME.fullmatch(value)):
            hour, minute, second = (int(part or 0) for part in found.groups())
            at = self._start.replace(hour=hour, minute=minute, second=second)
        else:
            raise ValueError("must be an offset like '+90s', or a clock time like '18:30'")
        if at < self._start:
            raise ValueError(f"{value} lies before the start; of a later day write an offset like '+21h'")
        return at - self._start

    def _expectation(self, entry: dict[str, Any], key: str) -> Expectation | None:
        measure = self._value(one_of(*MEASURE_FILTERS), entry.get("what"), f"{key}.what")
        bound = self._single_key(entry, ANY_BOUNDS, key)
        if measure is None or bound is None:
            return None
        aside = {"what": any_value, "because": non_empty_text}
        bounds = BOUNDS_BY_MEASURE[measure]
        so_far = len(self._errors)
        if bound not in bounds:
            self._add_error(f"{key}.{bound}", f"is nothing for {measure}, which takes {', '.join(bounds)}")
        read = self._fields(entry, {**MEASURE_FILTERS[measure], **bounds, **aside}, key)
        self._check_names_in(entry.get("get"), f"{key}.get")
        filters = {name: value for name, value in read.items() if name in MEASURE_FILTERS[measure]}
        if len(self._errors) == so_far:
            for name, what in check_expectation(measure, filters, self._until):
                self._add_error(f"{key}.{name}" if name else key, what)
        return Expectation(measure, filters, bound, read.get(bound), key, entry.get("because"))
