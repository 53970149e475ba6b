"""What the objects of the API have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec


class ApiObject(msgspec.Struct, frozen=True):
    """An object with the keys of its fields, in their order. Only a field that is `UNSET` has no key."""

    csv_after: ClassVar[Mapping[str, str]] = {}
    """Columns that stand elsewhere in CSV than in JSON: after which column each of them is."""

    @classmethod
    def columns(cls) -> dict[str, str]:
        """The columns of its CSV in their order, each with the attribute that fills it."""
        attributes = dict(zip(cls.__struct_encode_fields__, cls.__struct_fields__, strict=True))
        names = [name for name in attributes if name not in cls.csv_after]
        for name, before in cls.csv_after.items():
            names.insert(names.index(before) + 1, name)
        return {name: attributes[name] for name in names}
