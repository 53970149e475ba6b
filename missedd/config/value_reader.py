"""Reads typed values from one TOML table and collects the problems.

A reader returns the value, or None if the key is absent or wrong. What is wrong becomes a `ConfigProblem`,
and `missedd.config.loader` raises them all together at the end. So code that gets None may continue with any
placeholder: the placeholder is never used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from missedd.config.values import (
    MAX_DURATION,
    ConfigProblem,
    closest_match,
    format_duration,
    parse_duration,
    toml_repr,
)
from missedd.core.phone import normalise


class ValueReader:
    """The values of one table: its key as messages show it, and the list that collects the problems."""

    def __init__(
        self, raw: Mapping[str, object], key: str, source: str, problems: list[ConfigProblem], between: str
    ) -> None:
        self.key = key
        self._between = between
        self._raw = raw
        self._source = source
        self._problems = problems
        self._known: set[str] = set()

    def full_key(self, key: str) -> str:
        """The full name of `key`, which is a key of this table or a path below it."""
        return f"{self.key}{self._between}{key}" if self.key else key

    def problem(self, key: str, reason: str, suggestion: str | None = None) -> None:
        self._problems.append(
            ConfigProblem(self.full_key(key) if key else self.key, reason, suggestion, self._source)
        )

    def report(self, problem: ConfigProblem) -> None:
        """Report a problem of another source, such as a secret, beside those of this table."""
        self._problems.append(problem)

    def has(self, key: str) -> bool:
        self._known.add(key)
        return key in self._raw

    def value(self, key: str, *, required: bool = False) -> object:
        """The raw value, or None if the key is absent. This is unambiguous, because TOML has no null."""
        self._known.add(key)
        if required and key not in self._raw:
            self.problem(key, "is required")
        return self._raw.get(key)

    def text(
        self, key: str, *, required: bool = False, max_length: int = 200, multiline: bool = False
    ) -> str | None:
        """A non-empty string, on one line unless `multiline`."""
        value = self.value(key, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self.problem(key, f"must be a string in quotes, not {toml_repr(value)}")
        elif not value.strip():
            self.problem(key, "must not be empty")
        elif len(value) > max_length:
            self.problem(key, f"must have at most {max_length} characters, not {len(value)}")
        elif not (value.isprintable() or multiline):
            self.problem(key, "must be on one line, without control characters")
        else:
            return value
        return None

    def identifier(self, key: str, pattern: str, meaning: str, *, required: bool = False) -> str | None:
        """An identifier of the provider that matches `pattern`; a whole number is accepted as its digits."""
        value = self.value(key, required=required)
        spelled = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if value is None:
            return None
        if not isinstance(spelled, str) or re.fullmatch(pattern, spelled) is None:
            self.problem(key, f"must be {meaning}, not {toml_repr(value)}")
            return None
        return spelled

    def boolean(self, key: str, *, default: bool) -> bool:
        value = self.value(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problem(key, f"must be true or false, not {toml_repr(value)}")
            return default
        return value

    def integer(self, key: str, *, minimum: int = 1) -> int | None:
        value = self.value(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.problem(key, f"must be a whole number, not {toml_repr(value)}")
            return None
        if value < minimum:
            self.problem(key, f"must be at least {minimum}, not {value}")
            return None
        return value

    def duration(
        self,
        key: str,
        *,
        positive: bool = True,
        maximum: timedelta = MAX_DURATION,
        whole_seconds: bool = False,
    ) -> timedelta | None:
        value = self.value(key)
        return None if value is None else self._duration(key, value, positive, maximum, whole_seconds)

    def durations(self, key: str) -> tuple[timedelta, ...]:
        """An array of positive durations."""
        durations = [
            self._duration(f"{key}[{i}]", each, True, MAX_DURATION, False) for i, each in self.items(key)
        ]
        return tuple(each for each in durations if each is not None)

    def _duration(
        self, key: str, value: object, positive: bool, maximum: timedelta, whole_seconds: bool
    ) -> timedelta | None:
        duration = parse_duration(value)
        if duration is None:
            self.problem(
                key, f'must be a duration such as "30s", "5m", "2h" or seconds, not {toml_repr(value)}'
            )
        elif duration < timedelta(0) or (positive and not duration):
            self.problem(
                key, f"must be {'more than zero' if positive else 'zero or more'}, not {toml_repr(value)}"
            )
        elif duration > maximum:
            self.problem(key, f"must be at most {format_duration(maximum)}, not {toml_repr(value)}")
        elif whole_seconds and duration % timedelta(seconds=1):
            self.problem(key, f"must be whole seconds, not {toml_repr(value)}")
        else:
            return duration
        return None

    def choice[T: StrEnum](self, key: str, choices: type[T]) -> T | None:
        value = self.value(key)
        if value is None:
            return None
        texts = [each.value for each in choices]
        if isinstance(value, str) and value in texts:
            return choices(value)
        suggestion = closest_match(value, texts) if isinstance(value, str) else None
        listed = ", ".join(f'"{each}"' for each in texts)
        self.problem(key, f"must be one of {listed}, not {toml_repr(value)}", suggestion)
        return None

    def items(self, key: str, *, required: bool = False) -> list[tuple[int, object]]:
        """The members of an array with their positions. A required array must not be empty."""
        value = self.value(key, required=required)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(key, f"must be an array such as [{toml_repr(value)}]")
            return []
        if required and not value:
            self.problem(key, "must not be empty")
        return list(enumerate(value))

    def numbers(self, key: str, *, required: bool = False) -> dict[int, str]:
        """An array of phone numbers in any spelling: E.164 by position. A repeated number is a problem."""
        numbers: dict[int, str] = {}
        for i, value in self.items(key, required=required):
            number = normalise(value) if isinstance(value, str) else None
            if not isinstance(value, str):
                self.problem(f"{key}[{i}]", f"must be a number in quotes, not {toml_repr(value)}")
            elif number is None:
                self.problem(f"{key}[{i}]", f"is not a usable phone number: {toml_repr(value)}")
            elif number in numbers.values():
                self.problem(f"{key}[{i}]", f"is already in the list: {toml_repr(value)}")
            else:
                numbers[i] = number
        return numbers
