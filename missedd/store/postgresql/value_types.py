"""How Python's values become PostgreSQL's and back, so that units see what SQLite would show them.

psycopg by itself types an `int` by its size and a `str` as unknown. One SQL text would then become several
prepared statements, and functions with several signatures could not be told apart. Here the type depends on
the Python type alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from psycopg import adapters, pq
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper, NumericBinaryLoader
from psycopg.types.string import StrDumper, TextBinaryLoader, TextLoader


class _BoolLoader(Loader):
    """SQLite has no booleans: a comparison gives 0 or 1."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"t")


class _BoolBinaryLoader(Loader):
    format = pq.Format.BINARY

    def load(self, data: Buffer) -> int:
        return int(bytes(data) == b"\x01")


class _NumericLoader(Loader):
    """The sum of bigints has no decimals and becomes an int, an average has some and becomes a float."""

    def load(self, data: Buffer) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class _NumericBinaryLoader(NumericBinaryLoader):
    def load(self, data: Buffer) -> int | float:  # type: ignore[override]
        value: Decimal = super().load(data)
        exponent = value.as_tuple().exponent
        return int(value) if exponent == 0 else float(value)


def value_types() -> AdaptersMap:
    """The dumpers and loaders of every connection of the store.

    An `int` and a `bool` are bound as bigint, since SQLite stores True as 1. A `str` and a StrEnum are bound
    as text, `bytes` as bytea, a `float` as double precision. JSON is read as text, a boolean as 0 or 1.
    """
    types = AdaptersMap(adapters)
    for integer in (int, bool):
        # For COPY in text, and for a parameter, which takes the dumper that was registered last.
        types.register_dumper(integer, Int8Dumper)
        types.register_dumper(integer, Int8BinaryDumper)
    types.register_dumper(str, StrDumper)
    types.register_loader("bool", _BoolLoader)
    types.register_loader("bool", _BoolBinaryLoader)
    types.register_loader("numeric", _NumericLoader)
    types.register_loader("numeric", _NumericBinaryLoader)
    types.register_loader("json", TextLoader)
    types.register_loader("json", TextBinaryLoader)
    return types


VALUE_TYPES: Final = value_types()
