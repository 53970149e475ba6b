"""What was found, in words: for whoever reads why an expectation failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Any

from simulator.scenario.value_readers import format_duration

_FIELDS_NOT_SHOWN = ("url", "fields")
"""What the lines of a failure do without."""


def describe(thing: Any, start: datetime, names: Mapping[str, str]) -> str:
    """A fact, an action, a line of the log or a single value.

    Instants are offsets from the `start`, as in the file; `names` has the people by their numbers.
    """
    if isinstance(thing, datetime):
        offset = format_duration(thing - start)
        return offset if offset.startswith("-") else f"+{offset}"
    if isinstance(thing, timedelta):
        return format_duration(thing)
    if isinstance(thing, str):
        return f"{thing} ({names[thing]})" if thing in names else str(thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        said = {field.name: getattr(thing, field.name) for field in fields(thing)}
        parts = (
            f"{name.removesuffix('_s').replace('_', ' ')} {describe(value, start, names)}"
            for name, value in said.items()
            if value not in (None, "", False) and name not in _FIELDS_NOT_SHOWN
        )
        return f"{type(thing).__name__.lower()}: {', '.join(parts)}"
    if isinstance(thing, dict):
        thing = {name: value for name, value in thing.items() if value is not None}
    return json.dumps(thing, ensure_ascii=False, default=str)
