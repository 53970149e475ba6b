"""Describes in words what was found where an expectation failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.scenario.value_readers import format_duration

_FIELDS_NOT_SHOWN = ("url", "fields")
"""Fields that a failure does not show."""


def describe(thing: Any, start: datetime, names: Mapping[str, str]) -> str:
    """Describe a record of the exchange, an action, a log line or a single value.

    Instants become offsets from `start`, as in the scenario file. `names` maps numbers to people.
    """
    if isinstance(thing, datetime):
        offset = format_duration(thing - start)
        return offset if offset.startswith("-") else f"+{offset}"
    if isinstance(thing, timedelta):
        return format_duration(thing)
    if isinstance(thing, str):
        return f"{thing} ({names[thing]})" if thing in names else str(thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        shown = {field.name: getattr(thing, field.name) for field in fields(thing)}
        parts = (
            f"{name.removesuffix('_s').replace('_', ' ')} {describe(value, start, names)}"
            for name, value in shown.items()
            if value not in (None, "", False) and name not in _FIELDS_NOT_SHOWN
        )
        return f"{type(thing).__name__.lower()}: {', '.join(parts)}"
    if isinstance(thing, dict):
        thing = {name: value for name, value in thing.items() if value is not None}
    return json.dumps(thing, ensure_ascii=False, default=str)
