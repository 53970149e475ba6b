"""An object of the API out of a row. The object's own fields are the list of columns:

    CONVERSION = Columns(ConversionJson, "v", call_sid="c.call_sid", lead="v.lead_id")

`CONVERSION.sql` is what to select: `v.id, v.reference, …`. `CONVERSION.read` makes the object of such a row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from msgspec.structs import fields

from missedd.base.clock import from_us
from missedd.core.api_types.base import ApiObject
from missedd.core.api_types.fields import is_instant
from missedd.core.reasons import describe_reason


class Column(NamedTuple):
    """An expression in SQL, and what makes the field's value of the column's; null stays None."""

    sql: str
    read: Callable[[Any], object] | None = None


class Columns[T: ApiObject]:
    """The columns of an object, in the order of its fields.

    A field is filled from the column of its name; one with an instant from microseconds since 1970 UTC, and
    `reason_words` from the column `reason`.
    """

    def __init__(self, of: type[T], table: str, /, given: Sequence[str] = (), **others: str | Column) -> None:
        """`others` are filled from other columns, and `given`, which are the last, by whoever reads."""
        names = of.__struct_fields__
        filled = names[: len(names) - len(given)]
        if (*filled, *given) != names or not others.keys() <= set(filled):
            raise AssertionError(f"{of.__name__} has no such fields: {others.keys()}, {given} at its end")
        types = {field.name: field.type for field in fields(of)}
        columns = [_column(name, types[name], table, others.get(name)) for name in filled]
        self.sql = ", ".join(column.sql for column in columns)
        self._of = of
        self._read = [(index, column.read) for index, column in enumerate(columns) if column.read is not None]

    def read(self, row: Sequence[Any], *given: object) -> T:
        """A row of these columns, and the values of the fields that are given, as an object."""
        values = list(row)
        for index, read in self._read:
            if values[index] is not None:
                values[index] = read(values[index])
        return self._of(*values, *given)


def iso_from_us(microseconds: int) -> str:
    """Microseconds since 1970 UTC as `to_iso` has it, in half the time: a list has thousands of them."""
    return from_us(microseconds).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _column(name: str, of: type, table: str, other: str | Column | None) -> Column:
    if isinstance(other, Column):
        return other
    if name == "reason_words":
        return Column(f"{table}.reason", describe_reason)
    return Column(other or f"{table}.{name}", iso_from_us if is_instant(of) else None)
