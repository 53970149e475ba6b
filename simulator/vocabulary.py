"""The words of a scenario file: what may happen in it, and what may be measured at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from simulator.faults import FaultName, Target
from simulator.inbound import Shape
from simulator.people import Answers, Reception
from simulator.readings import Reading, flag, one_by_one, seconds, whole
from simulator.spelling import Spelling
from simulator.words import Word


class Trait(NamedTuple):
    """What a key of `people` sets: a field of `Person`, and how its value is read."""

    field: str
    reads: Reading


TRAITS: Mapping[str, Trait] = {
    "answers": Trait("answers", one_by_one(Answers)),
    "sms": Trait("sms", Reception),
    "ring": Trait("ring_s", seconds),
    "talks": Trait("talks_s", seconds),
    "dnd": Trait("dnd", flag),
    "lines": Trait("lines", whole(1)),
}
"""What may be said of somebody, beside their `number`."""

CHANGES: Mapping[str, Trait] = {**TRAITS, "answers": Trait("answers", Answers)}
"""What a `person` deed may change. It counts no rings anew, so it takes one behaviour and no list."""

DEEDS: Mapping[str, frozenset[str]] = {
    "ring": frozenset({"exophone", "shape", "spelling", "with_date", "times", "every"}),
    "crowd": frozenset({"exophone", "shape", "spelling", "with_date", "within"}),
    "redeliver": frozenset(),
    "fault": frozenset({"target", "when", "times", "probability", "delay", "retry_after", "for"}),
    "clear": frozenset(),
    "daemon": frozenset({"down"}),
    "disk": frozenset({"when", "times", "probability", "delay", "for"}),
    "clock_step": frozenset(),
    "person": frozenset(CHANGES),
    "exchange": frozenset(),
    "application": frozenset({"for"}),
    "suppress": frozenset({"reason"}),
    "unsuppress": frozenset(),
    "pause": frozenset({"why", "for"}),
    "resume": frozenset(),
    "api": frozenset({"path", "body", "status", "keep"}),
}
"""What may happen, and with which further keys. The deed's own key carries its main value."""

MEASURES: Mapping[str, frozenset[str]] = {
    "rings": frozenset({"person", "after", "before", "leg", "answered"}),
    "engaged": frozenset({"person", "after", "before", "leg"}),
    "calls": frozenset({"person", "after", "before"}),
    "turned_away": frozenset({"person", "after", "before"}),
    "texts": frozenset({"person", "after", "before", "containing", "via"}),
    "verdicts": frozenset({"person", "verdict", "status"}),
    "requests": frozenset({"target", "status", "after", "before", "fault"}),
    "requests_in_a_minute": frozenset({"target"}),
    "rings_in_an_hour": frozenset({"person"}),
    "webhooks": frozenset({"person", "after", "before", "type"}),
    "actions": frozenset({"person", "kind", "state", "outcome", "reason", "campaign"}),
    "api": frozenset({"get", "kept", "path"}),
    "log": frozenset({"event"}),
}
BOUNDS = ("exactly", "at_least", "at_most", "between", "never", "equals")

VALUES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "ring": ((str, list), "a name, or a list of names"),
    "crowd": ((int,), "a number of people"),
    "exchange": ((dict,), "a table of the exchange's settings"),
    "application": ((str, int), "'up', 'down', or a status"),
}
"""What a deed's own key carries, where that is no text."""

WORDS: Mapping[str, type[Word]] = {
    "answers": Answers,
    "sms": Reception,
    "shape": Shape,
    "spelling": Spelling,
    "fault": FaultName,
    "target": Target,
}
"""Keys of a timeline that take one of a few known values."""
