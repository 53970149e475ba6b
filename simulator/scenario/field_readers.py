"""Builds the readers of a dataclass's fields from their type hints; a new setting needs no code here."""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from simulator.base.choices import unknown_value_text
from simulator.scenario.value_readers import (
    ValueReader,
    boolean,
    list_of,
    non_empty_text,
    non_negative_number,
    one_of,
    toml_table,
    whole_number,
)


def field_readers(dataclass_type: Any) -> dict[str, ValueReader]:
    """Return a reader for each field of a dataclass. Raises TypeError for a type without a reader."""
    return {name: _reader_for(hint) for name, hint in get_type_hints(dataclass_type).items()}


def _reader_for(hint: Any) -> ValueReader:
    plain: dict[Any, ValueReader] = {
        bool: boolean,
        int: whole_number(0),
        float: non_negative_number,
        str: non_empty_text,
    }
    if hint in plain:
        return plain[hint]
    origin, members = get_origin(hint), get_args(hint)
    if origin is Literal:
        return one_of(*members)
    if origin is tuple and members[1:] == (...,):
        return list_of(_reader_for(members[0]))
    if origin is UnionType:
        # TOML has no null: an optional value may be left out.
        (member,) = (member for member in members if member is not NoneType)
        return _reader_for(member)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint
    if is_dataclass(hint):
        return _table_reader(hint)
    raise TypeError(f"there is no reader for {hint}")


def _table_reader(dataclass_type: Any) -> ValueReader:
    readers = field_readers(dataclass_type)
    required = [
        field.name for field in fields(dataclass_type) if field.default is MISSING is field.default_factory
    ]

    def read(value: Any) -> Any:
        for name in toml_table(value):
            if name not in readers:
                raise ValueError(unknown_value_text(name, readers))
        if missing := [name for name in required if name not in value]:
            raise ValueError(f"needs {' and '.join(missing)}")
        return dataclass_type(**{name: readers[name](given) for name, given in value.items()})

    return read
