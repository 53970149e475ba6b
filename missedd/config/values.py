"""The words of the configuration: what a problem is, how durations are written, how values are shown."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

MAX_DURATION = timedelta(days=366)
"""No duration here can sensibly be longer, and this one still adds to any instant without overflow."""

IMPLAUSIBLE_NUMBER = "is not known to be a number of its country: is a digit missing, or +91 there twice?"

_SPELLED = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One thing wrong with the configuration.

    `key` names campaign and key, as in `campaign "admissions": callback.agents[0]`; a variable's name
    for a secret; a line for a syntax error; empty where the whole file is meant.
    """

    key: str
    reason: str
    suggestion: str | None = None
    """The nearest name that would have been right."""
    source: str = ""
    """The file, or `environment`."""

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        return ": ".join(part for part in (self.source, self.key, self.reason + hint) if part)


def closest_match(word: str, known: Iterable[str], similarity: float = 0.65) -> str | None:
    """The known name most like `word`, letter case apart; None if none is so like it (1: the same)."""
    by_folded = {each.casefold(): each for each in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=similarity)
    return by_folded[found[0]] if found else None


def closest_key(word: str, known: Iterable[str]) -> str | None:
    """The key that was likely meant: `closest_match`, or one that `word` is the beginning or the half of."""
    keys = sorted(known)
    # `dedup` for `dedup_window`: a likely slip, though less than two thirds of the whole are right.
    begun = [each for each in keys if len(word) >= 3 and each.startswith(word.casefold())]
    halves = difflib.get_close_matches(word.casefold(), keys, n=1, cutoff=0.5)
    return next(iter([*begun, *halves]), None)


def parse_duration(value: object) -> timedelta | None:
    """`"1h30m"` or a number of seconds as a duration; None for anything else."""
    if isinstance(value, str):
        found = _SPELLED.fullmatch(value.strip().lower().replace(" ", ""))
        if found is None or not any(found.groups()):
            return None
        counts = [int(each or 0) for each in found.groups()]
        seconds: float = sum(n * unit for n, unit in zip(counts, _UNITS_S.values(), strict=True))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    else:
        return None
    # Longer than any limit is cut before it could overflow; the limit is then what refuses it.
    return None if math.isnan(seconds) else timedelta(seconds=max(-1e9, min(seconds, 1e9)))


def format_duration(duration: timedelta) -> str:
    """A duration as one would write it in the file, such as `1h30m`."""
    left = duration.total_seconds()
    parts = []
    for unit, unit_s in _UNITS_S.items():
        count, left = divmod(left, unit_s)
        if unit == "s":
            count += left
        if count:
            parts.append(f"{count:g}{unit}")
    return "".join(parts) or "0s"


def toml_repr(value: object) -> str:
    """A value for an error line: short, and in TOML's words for its type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
