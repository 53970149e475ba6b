"""Readings of fields, by their type hints: a setting that is added needs no line here."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from simulator.base.choices import none_of
from simulator.scenario.value_readers import Reading, flag, list_of, not_negative, one_of, table, text, whole


def readings_of(of: Any) -> dict[str, Reading]:
    """The reading of each field of a dataclass. Raises TypeError for a type that needs a line here."""
    return {name: _reading_of(hint) for name, hint in get_type_hints(of).items()}


def _reading_of(hint: Any) -> Reading:
    plain: dict[Any, Reading] = {bool: flag, int: whole(0), float: not_negative, str: text}
    if hint in plain:
        return plain[hint]
    origin, members = get_origin(hint), get_args(hint)
    if origin is Literal:
        return one_of(*members)
    if origin is tuple and members[1:] == (...,):
        return list_of(_reading_of(members[0]))
    if origin is UnionType:
        # TOML has no null, so an optional value is one that may be left out.
        (member,) = (member for member in members if member is not NoneType)
        return _reading_of(member)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint):
        return _table_of(hint)
    raise TypeError(f"there is no reading for {hint}")


def _table_of(of: Any) -> Reading:
    readings = readings_of(of)
    required = [each.name for each in fields(of) if each.default is MISSING is each.default_factory]

    def read(value: Any) -> Any:
        for name in table(value):
            if name not in readings:
                raise ValueError(none_of(name, readings))
        if missing := [name for name in required if name not in value]:
            raise ValueError(f"needs {' and '.join(missing)}")
        return of(**{name: readings[name](given) for name, given in value.items()})

    return read
