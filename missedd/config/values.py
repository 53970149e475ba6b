"""What all configuration readers share: problems, durations, and how values appear in messages."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

MAX_DURATION = timedelta(days=366)
"""No sensible duration is longer, and this one can still be added to any date without overflow."""

IMPLAUSIBLE_NUMBER = "does not look like a number of its country: is a digit missing, or is +91 there twice?"

_SPELLED = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNITS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """One problem of the configuration.

    `key` names the campaign and the key, as in `campaign "admissions": callback.agents[0]`. For a secret it
    is the name of the variable, for a syntax error the line. It is empty if the problem concerns the whole
    file.
    """

    key: str
    reason: str
    suggestion: str | None = None
    """The nearest valid name."""
    source: str = ""
    """The path of the file, or `environment`."""

    def __str__(self) -> str:
        hint = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        return ": ".join(part for part in (self.source, self.key, self.reason + hint) if part)


def closest_match(word: str, known: Iterable[str], similarity: float = 0.65) -> str | None:
    """The known name that is most like `word`, ignoring case; None if no similarity reaches `similarity` (1:
    equal).
    """
    by_folded = {each.casefold(): each for each in known}
    matches = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=similarity)
    return by_folded[matches[0]] if matches else None


def closest_key(word: str, known: Iterable[str]) -> str | None:
    """The key that was probably meant: it begins with `word`, or is at least half like it."""
    keys = sorted(known)
    # `dedup` for `dedup_window` is a likely mistake, though less than two thirds of the key are there.
    begun = [each for each in keys if len(word) >= 3 and each.startswith(word.casefold())]
    halves = difflib.get_close_matches(word.casefold(), keys, n=1, cutoff=0.5)
    return next(iter([*begun, *halves]), None)


def parse_duration(value: object) -> timedelta | None:
    """`"1h30m"` or a number of seconds as a duration; None for anything else."""
    if isinstance(value, str):
        match = _SPELLED.fullmatch(value.strip().lower().replace(" ", ""))
        if match is None or not any(match.groups()):
            return None
        counts = [int(each or 0) for each in match.groups()]
        seconds: float = sum(n * unit for n, unit in zip(counts, _UNITS_S.values(), strict=True))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        seconds = value
    else:
        return None
    # A huge value is cut before it could overflow; a limit refuses it later.
    return None if math.isnan(seconds) else timedelta(seconds=max(-1e9, min(seconds, 1e9)))


def format_duration(duration: timedelta) -> str:
    """A duration as it is written in the file, such as `1h30m`."""
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
    """A value for an error message: short, and with TOML's words for its type."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "an array"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."
