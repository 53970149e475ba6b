"""The words of a scenario file: what may happen, what may be measured at the end, what each key takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.base.choices import Word
from simulator.exchange.customer_app import Mood
from simulator.exchange.model.call_shapes import Shape
from simulator.exchange.model.faults import POST_FAULTS, POST_TARGETS, FaultName, Target
from simulator.exchange.model.formats import Spelling
from simulator.exchange.model.people import Answers, Reception
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.webhooks.misdirected import Health
from simulator.scenario.disk_faults import DiskFaultName
from simulator.scenario.field_readers import readings_of
from simulator.scenario.value_readers import (
    Reading,
    amount,
    anything,
    flag,
    list_of,
    number,
    one_by_one,
    one_of,
    only_true,
    pair,
    path,
    seconds,
    several,
    share,
    span,
    status,
    step,
    text,
    whole,
)


@dataclass(frozen=True, slots=True)
class Name:
    """A text that names something: `of` says what.

    People and kept answers are known from the file itself. Campaigns, ExoPhones and the daemon's own
    words are known to the runner alone, which checks them before it plays anything.
    """

    of: str
    several: bool = False
    """A list of names will do too."""


class Moment:
    """An offset from the start, or a clock time."""


type Takes = Reading | Name | Moment | Mapping[str, Takes]
"""What a key takes: a value by itself, a name, a time, or a table of these."""

PERSON = Name("person")
EXOPHONE = Name("exophone")
CAMPAIGN = Name("campaign")


class Trait(NamedTuple):
    """What a key of `people` sets: a field of `Person`, and how its value is read."""

    field: str
    reads: Reading


TRAITS: Mapping[str, Trait] = {
    "answers": Trait("answers", one_by_one(Answers)),
    "sms": Trait("sms", Reception),
    "ring": Trait("ring_s", seconds),
    "talks": Trait("talks_s", seconds),
    "opted_out_of": Trait("opted_out_of", list_of(text)),
    "dnd": Trait("dnd", flag),
    "lines": Trait("lines", whole(1)),
    "rings_back": Trait("rings_back", several(seconds)),
}
"""What may be said of somebody, beside their `number`."""

CHANGES: Mapping[str, Trait] = {**TRAITS, "answers": Trait("answers", Answers)}
"""What a `person` deed may change. It counts no rings anew, so it takes one behaviour and no list."""

PEOPLE: Mapping[str, Takes] = {"number": number, **{key: trait.reads for key, trait in TRAITS.items()}}

SETTINGS: Mapping[str, Reading] = {
    **readings_of(ExchangeSettings),
    "channels_full_status": status,
    "sms_overload_status": one_of(429, 503),
    "recording_absent_rate": share,
}


def _application(value: Any) -> Any:
    return one_of("up", *Mood)(value) if isinstance(value, str) else status(value)


_RING: Mapping[str, Takes] = {
    "exophone": EXOPHONE,
    "shape": Shape,
    "spelling": Spelling,
    "with_date": flag,
}

DEEDS: Mapping[str, Mapping[str, Takes]] = {
    "ring": {"ring": Name("person", several=True), **_RING, "times": whole(1), "every": span},
    "crowd": {"crowd": whole(1), **_RING, "within": span},
    "redeliver": {"redeliver": PERSON},
    "heartbeat": {"heartbeat": Health},
    "fault": {
        "fault": FaultName,
        "target": Target,
        "when": one_of("before", "after"),
        "times": whole(1),
        "probability": share,
        "delay": span,
        "retry_after": whole(0),
        "for": span,
    },
    "clear": {"clear": one_of("all", *FaultName)},
    "daemon": {"daemon": one_of("crash", "restart", "stop", "start"), "down": span},
    "disk": {
        "disk": DiskFaultName,
        "when": one_of("begin", "before", "after"),
        "times": whole(1),
        "probability": share,
        "delay": span,
        "for": span,
    },
    "clock_step": {"clock_step": step},
    "person": {"person": PERSON, **{key: trait.reads for key, trait in CHANGES.items()}},
    "exchange": {"exchange": SETTINGS},
    "application": {"application": _application, "host": text, "delay": span, "for": span},
    "suppress": {"suppress": PERSON, "reason": text},
    "unsuppress": {"unsuppress": PERSON},
    "pause": {"pause": CAMPAIGN, "why": text, "for": span},
    "resume": {"resume": CAMPAIGN},
    "api": {
        "api": one_of("GET", "POST", "PUT", "PATCH", "DELETE"),
        "path": path,
        "body": anything,
        "status": status,
        "keep": text,
    },
}
"""What may happen, with what each of its keys takes. The deed's own key carries its main value."""

_PERIOD: Mapping[str, Takes] = {"after": Moment(), "before": Moment()}
_API_TARGETS = [target for target in Target if target not in (*POST_TARGETS, Target.ANY)]

MEASURES: Mapping[str, Mapping[str, Takes]] = {
    "rings": {"person": PERSON, **_PERIOD, "leg": one_of(1, 2), "answered": flag},
    "engaged": {"person": PERSON, **_PERIOD, "leg": one_of(1, 2)},
    "calls": {"person": PERSON, **_PERIOD},
    "turned_away": {"person": PERSON, **_PERIOD},
    "texts": {"person": PERSON, **_PERIOD, "containing": text, "via": one_of("api", "applet")},
    "dropped_texts": {"person": PERSON, **_PERIOD},
    "verdicts": {"person": PERSON, "verdict": Name("verdict"), "status": status},
    "requests": {
        "target": one_of(*_API_TARGETS),
        "status": status,
        **_PERIOD,
        "fault": one_of(*(fault for fault in FaultName if fault not in POST_FAULTS)),
    },
    "requests_in_a_minute": {"target": one_of("voice", *_API_TARGETS)},
    "rings_in_an_hour": {"person": PERSON},
    "webhooks": {"person": PERSON, **_PERIOD, "type": Name("webhook type"), "campaign": CAMPAIGN},
    "actions": {
        "person": PERSON,
        "kind": Name("kind"),
        "state": Name("state"),
        "outcome": Name("outcome"),
        "reason": Name("reason"),
        "campaign": CAMPAIGN,
    },
    "api": {"get": path, "kept": Name("kept answer"), "path": text},
    "log": {"event": Name("event")},
}
"""What may be measured, with what each of its filters takes."""

COUNTS: Mapping[str, Reading] = {
    "exactly": whole(0),
    "at_least": whole(1),  # nothing is less than none
    "at_most": whole(0),
    "between": pair(whole(0)),
    "never": only_true,
}
"""The bounds of a measure that counts, and what each takes."""

FIGURES: Mapping[str, Reading] = {**COUNTS, "equals": whole(0)}
"""The bounds of a measure that is a number by itself."""

BOUNDS: Mapping[str, Reading] = {
    "exactly": anything,
    "at_least": amount,
    "at_most": amount,
    "between": pair(amount),
    "never": only_true,
    "equals": anything,
}
"""The bounds of an answer of the API's, of any type. For a list all but `equals` look at its length."""

BOUNDS_OF: Mapping[str, Mapping[str, Reading]] = {
    **dict.fromkeys(MEASURES, COUNTS),
    **dict.fromkeys(("requests_in_a_minute", "rings_in_an_hour"), FIGURES),
    "api": BOUNDS,
}

WORDS: Mapping[str, type[Word]] = {
    "answers": Answers,
    "sms": Reception,
    "shape": Shape,
    "spelling": Spelling,
    "heartbeat": Health,
    "fault": FaultName,
    "target": Target,
}
"""Keys here and in requests to `/_sim/` that take one of a few known values."""
