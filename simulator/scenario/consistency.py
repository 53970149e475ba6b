"""Finds events without any effect, and expectations that could never fail.

Example: an event after the end of the scenario. Each function yields (key of the entry or "", the end of
a sentence).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from simulator.exchange.model.faults import Fault
from simulator.scenario.disk_faults import DiskFault
from simulator.scenario.schema import CHANGEABLE_TRAITS
from simulator.scenario.value_readers import duration

type Complaint = tuple[str, str]


def check_event(kind: str, entry: Mapping[str, Any], at: timedelta, until: timedelta) -> Iterator[Complaint]:
    """`at` and `until` count from the start. Every value has been read without a mistake."""
    if at > until:
        yield "time", "lies after the end (`until`): it would never happen"
    try:
        match kind:
            case "fault":
                Fault(entry["fault"], **_present(entry, "target", "when"))
            case "disk":
                DiskFault(entry["disk"], **_present(entry, "when"))
    except ValueError as failure:
        yield "", str(failure)
    match kind:
        case "ring":
            times, every = entry.get("times", 1), duration(entry.get("every", 0))
            if times == 1 and every:
                yield "every", "says nothing without `times`"
            if at <= until < at + (times - 1) * every:
                yield "times", "goes on after the end (`until`): the last of them would never happen"
        case "crowd" if at <= until < at + duration(entry.get("within", "1s")):
            yield "within", "goes on after the end (`until`): the last of them would never ring"
        case "person" if not CHANGEABLE_TRAITS.keys() & entry.keys():
            yield "", f"changes nothing; it needs one of {', '.join(CHANGEABLE_TRAITS)}"
        case "api" if "path" not in entry:
            yield "path", "is required"


def check_expectation(measure: str, filters: Mapping[str, Any], until: timedelta) -> Iterator[Complaint]:
    """`filters` are the values that were read: `after` and `before` count from the start."""
    after, before = filters.get("after", timedelta(0)), filters.get("before", until)
    if after >= until:
        yield "after", "lies at the end (`until`) or after it: nothing happens there"
    elif before <= after:
        yield "before", "lies before everything that is asked for, so nothing could be found"
    match measure:
        case "log" if "event" not in filters:
            yield "event", "is required"
        case "api" if ("get" in filters) is ("kept" in filters):
            yield "", "needs either get or kept"
        case "actions" if "outcome" in filters and filters.get("state", "done") != "done":
            yield "state", "has no outcome yet; only an action that is 'done' has one"


def _present(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: entry[name] for name in names if name in entry}
