"""Values that people write by hand, in scenario files and in requests to `/_sim/`."""

from __future__ import annotations

from enum import StrEnum
from typing import Never


class Word(StrEnum):
    """One of a few known values. Asked for another it raises a ValueError that names them all."""

    @classmethod
    def known(cls) -> str:
        return ", ".join(each.value for each in cls)

    @classmethod
    def _missing_(cls, value: object) -> Never:
        raise ValueError(f"{value!r} is none of {cls.known()}")
