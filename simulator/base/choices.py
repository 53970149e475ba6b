"""Values that people write by hand, in scenario files and in requests to `/_sim/`."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from enum import StrEnum
from typing import Self


def unknown_value_text(value: object, known: Iterable[str]) -> str:
    """What to say of a value that is none of the known ones."""
    names = [str(name) for name in known]
    return f"{value!r} is none of {', '.join(names) or 'nothing'}{suggestion_text(value, names)}"


def suggestion_text(value: object, known: Iterable[str]) -> str:
    """Which of the known names is likely meant, as the end of a sentence; nothing if none is like it."""
    meant = get_close_matches(value, map(str, known), n=1) if isinstance(value, str) else []
    return f"; did you mean {meant[0]!r}?" if meant else ""


class Choice(StrEnum):
    """One of a few known values. Asked for another it raises a ValueError that names them all."""

    @classmethod
    def listing(cls) -> str:
        return ", ".join(each.value for each in cls)

    @classmethod
    def _missing_(cls, value: object) -> Self:
        raise ValueError(unknown_value_text(value, cls))
