"""The keys of a scenario file: the events, the measures, and the values that each key takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.base.choices import Choice
from simulator.exchange.customer_app import AppFailure
from simulator.exchange.model.call_shapes import CallShape
from simulator.exchange.model.faults import WEBHOOK_FAULTS, WEBHOOK_TARGETS, FaultName, FaultTarget
from simulator.exchange.model.formats import NumberFormat
from simulator.exchange.model.people import RingResponse, SmsDeliveryResult
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.webhooks.misdirected import HeartbeatStatus
from simulator.scenario.cluster import DatabaseFault, Link, node_name
from simulator.scenario.disk_faults import DiskFaultName
from simulator.scenario.field_readers import field_readers
from simulator.scenario.value_readers import (
    ValueReader,
    any_number,
    any_value,
    api_path,
    boolean,
    duration,
    duration_s,
    fraction,
    http_status,
    list_of,
    non_empty_text,
    one_of,
    one_or_more,
    one_or_sequence,
    only_true,
    ordered_pair,
    phone_number,
    signed_duration,
    whole_number,
)


@dataclass(frozen=True, slots=True)
class NameReference:
    """A text that names a thing of a `kind`.

    People and stored answers are known from the file itself. Campaigns, ExoPhones and the daemon's names
    are checked by `simulator.harness.scenario_check` before the run.
    """

    kind: str
    allows_list: bool = False
    """Whether the value may also be a list of names."""


class TimelineTime:
    """An offset from the start, or a clock time."""


type ValueSpec = ValueReader | NameReference | TimelineTime | Mapping[str, ValueSpec]
"""What a key takes: a plain value, a name, a time, or a table of these."""

PERSON = NameReference("person")
EXOPHONE = NameReference("exophone")
CAMPAIGN = NameReference("campaign")


class PersonTrait(NamedTuple):
    """A key of `people`: the field of `Person` that it sets, and the reader of its value."""

    field: str
    reader: ValueReader


TRAITS: Mapping[str, PersonTrait] = {
    "answers": PersonTrait("answers", one_or_sequence(RingResponse)),
    "sms": PersonTrait("sms", SmsDeliveryResult),
    "ring": PersonTrait("ring_s", duration_s),
    "talks": PersonTrait("talks_s", duration_s),
    "opted_out_of": PersonTrait("opted_out_of", list_of(non_empty_text)),
    "dnd": PersonTrait("dnd", boolean),
    "lines": PersonTrait("lines", whole_number(1)),
    "rings_back": PersonTrait("rings_back", one_or_more(duration_s)),
}
"""The keys of a person, without `number`."""

CHANGEABLE_TRAITS: Mapping[str, PersonTrait] = {**TRAITS, "answers": PersonTrait("answers", RingResponse)}
"""What a `person` event may change. The count of rings goes on, so `answers` takes one value, no list."""

PERSON_KEYS: Mapping[str, ValueSpec] = {
    "number": phone_number,
    **{key: trait.reader for key, trait in TRAITS.items()},
}

SETTING_READERS: Mapping[str, ValueReader] = {
    **field_readers(ExchangeSettings),
    "channels_full_status": http_status,
    "sms_overload_status": one_of(429, 503),
    "recording_absent_rate": fraction,
}


def _app_behaviour(value: Any) -> Any:
    return one_of("up", *AppFailure)(value) if isinstance(value, str) else http_status(value)


_RING_KEYS: Mapping[str, ValueSpec] = {
    "exophone": EXOPHONE,
    "shape": CallShape,
    "spelling": NumberFormat,
    "with_date": boolean,
}

TIMELINE_EVENTS: Mapping[str, Mapping[str, ValueSpec]] = {
    "ring": {
        "ring": NameReference("person", allows_list=True),
        **_RING_KEYS,
        "times": whole_number(1),
        "every": duration,
    },
    "crowd": {"crowd": whole_number(1), **_RING_KEYS, "within": duration},
    "redeliver": {"redeliver": PERSON},
    "heartbeat": {"heartbeat": HeartbeatStatus},
    "fault": {
        "fault": FaultName,
        "target": FaultTarget,
        "when": one_of("before", "after"),
        "times": whole_number(1),
        "probability": fraction,
        "delay": duration,
        "retry_after": whole_number(0),
        "for": duration,
    },
    "clear": {"clear": one_of("all", *FaultName)},
    "daemon": {
        "daemon": one_of("crash", "restart", "stop", "start", "pause"),
        "down": duration,
        "node": node_name,
        "for": duration,
        "after_writes": whole_number(1),
    },
    "cut": {"cut": Link, "node": node_name, "for": duration},
    "database": {"database": DatabaseFault, "probability": fraction, "for": duration},
    "disk": {
        "disk": DiskFaultName,
        "when": one_of("begin", "before", "after"),
        "times": whole_number(1),
        "probability": fraction,
        "delay": duration,
        "for": duration,
        "node": node_name,
    },
    "clock_step": {"clock_step": signed_duration, "node": node_name},
    "person": {"person": PERSON, **{key: trait.reader for key, trait in CHANGEABLE_TRAITS.items()}},
    "exchange": {"exchange": SETTING_READERS},
    "application": {
        "application": _app_behaviour,
        "host": non_empty_text,
        "delay": duration,
        "for": duration,
    },
    "suppress": {"suppress": PERSON, "reason": non_empty_text},
    "unsuppress": {"unsuppress": PERSON},
    "pause": {"pause": CAMPAIGN, "why": non_empty_text, "for": duration},
    "resume": {"resume": CAMPAIGN},
    "api": {
        "api": one_of("GET", "POST", "PUT", "PATCH", "DELETE"),
        "path": api_path,
        "body": any_value,
        "status": http_status,
        "keep": non_empty_text,
    },
}
"""The kinds of event, with the values that each key takes. The key named like the kind has the main value."""

_PERIOD_KEYS: Mapping[str, ValueSpec] = {"after": TimelineTime(), "before": TimelineTime()}
_API_TARGETS = [target for target in FaultTarget if target not in (*WEBHOOK_TARGETS, FaultTarget.ANY)]

MEASURE_FILTERS: Mapping[str, Mapping[str, ValueSpec]] = {
    "rings": {"person": PERSON, **_PERIOD_KEYS, "leg": one_of(1, 2), "answered": boolean},
    "engaged": {"person": PERSON, **_PERIOD_KEYS, "leg": one_of(1, 2)},
    "calls": {"person": PERSON, **_PERIOD_KEYS},
    "turned_away": {"person": PERSON, **_PERIOD_KEYS},
    "texts": {"person": PERSON, **_PERIOD_KEYS, "containing": non_empty_text, "via": one_of("api", "applet")},
    "dropped_texts": {"person": PERSON, **_PERIOD_KEYS},
    "verdicts": {"person": PERSON, "verdict": NameReference("verdict"), "status": http_status},
    "requests": {
        "target": one_of(*_API_TARGETS),
        "status": http_status,
        **_PERIOD_KEYS,
        "fault": one_of(*(fault for fault in FaultName if fault not in WEBHOOK_FAULTS)),
    },
    "requests_in_a_minute": {"target": one_of("voice", *_API_TARGETS)},
    "rings_in_an_hour": {"person": PERSON},
    "webhooks": {
        "person": PERSON,
        **_PERIOD_KEYS,
        "type": NameReference("webhook type"),
        "campaign": CAMPAIGN,
    },
    "actions": {
        "person": PERSON,
        "kind": NameReference("kind"),
        "state": NameReference("state"),
        "outcome": NameReference("outcome"),
        "reason": NameReference("reason"),
        "campaign": CAMPAIGN,
    },
    "api": {"get": api_path, "kept": NameReference("kept answer"), "path": non_empty_text},
    "log": {"event": NameReference("event")},
}
"""The measures, with the values that each filter takes."""

COUNT_BOUNDS: Mapping[str, ValueReader] = {
    "exactly": whole_number(0),
    "at_least": whole_number(1),  # at least 0 could never fail
    "at_most": whole_number(0),
    "between": ordered_pair(whole_number(0)),
    "never": only_true,
}
"""The bounds of a measure that counts, with the values that each takes."""

NUMBER_BOUNDS: Mapping[str, ValueReader] = {**COUNT_BOUNDS, "equals": whole_number(0)}
"""The bounds of a measure that is a number by itself."""

ANY_BOUNDS: Mapping[str, ValueReader] = {
    "exactly": any_value,
    "at_least": any_number,
    "at_most": any_number,
    "between": ordered_pair(any_number),
    "never": only_true,
    "equals": any_value,
}
"""The bounds of an API value of any type. For a list, all bounds but `equals` compare its length."""

BOUNDS_BY_MEASURE: Mapping[str, Mapping[str, ValueReader]] = {
    **dict.fromkeys(MEASURE_FILTERS, COUNT_BOUNDS),
    **dict.fromkeys(("requests_in_a_minute", "rings_in_an_hour"), NUMBER_BOUNDS),
    "api": ANY_BOUNDS,
}

CHOICES_BY_KEY: Mapping[str, type[Choice]] = {
    "answers": RingResponse,
    "sms": SmsDeliveryResult,
    "shape": CallShape,
    "spelling": NumberFormat,
    "heartbeat": HeartbeatStatus,
    "fault": FaultName,
    "target": FaultTarget,
}
"""Keys of scenarios and of `/_sim/` requests that take one of a few known values."""
