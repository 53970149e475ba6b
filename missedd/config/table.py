"""Reads tables inside tables, and reports the keys that nothing has read.

The keys that were read are the known keys. `report_unknown_keys` reports every other key once, with the table
to which the key belongs, or with the nearest known key.

A table of an array is named by its content, as in `campaign "admissions": callback.delay`. The values of a
table come from `missedd.config.value_reader`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from missedd.config.key_locations import table_labels
from missedd.config.value_reader import ValueReader
from missedd.config.values import ConfigProblem, closest_key, toml_repr

MAX_LOCATIONS_SHOWN = 3

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SECRET_VARIABLES = {
    "api_key": "EXOTEL_API_KEY",
    "api_token": "EXOTEL_API_TOKEN",
    "webhook_token": "MISSEDD_WEBHOOK_TOKEN",
    "webhook_secret": "MISSEDD_WEBHOOK_SECRET",
    "password": "MISSEDD_DATABASE_PASSWORD",
    "database_password": "MISSEDD_DATABASE_PASSWORD",
}


type KeyLocations = Callable[[str], list[str]]
"""All places of a key, such as `in [campaign.callback]` for `delay`."""


class ConfigTable(ValueReader):
    """One TOML table and the tables inside it."""

    def __init__(
        self,
        raw: Mapping[str, object],
        key: str,
        source: str,
        problems: list[ConfigProblem],
        header: str = "",
        between: str = ".",
    ) -> None:
        super().__init__(raw, key, source, problems, between)
        self.header = header or key
        """The key as it stands in brackets above the table."""
        self._children: list[ConfigTable] = []

    def full_header(self, key: str) -> str:
        """The text in brackets above a table inside this one."""
        return f"{self.header}.{key}" if self.header else key

    def table(self, key: str) -> ConfigTable | None:
        value = self.value(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            array = isinstance(value, list) and all(isinstance(each, dict) for each in value)
            instead = (
                f": write [{self.full_header(key)}], not [[{self.full_header(key)}]]"
                if array
                else f", not {toml_repr(value)}"
            )
            self.problem(key, "must be a table" + instead)
            return None
        return self._child(value, key)

    def table_or_empty(self, key: str) -> ConfigTable:
        """The table, or an empty one if it is absent, so that its required keys are reported by name."""
        table = self.table(key)
        if table is None:
            # The wrong type has been reported already; its missing keys would only be noise.
            problems = [] if self.has(key) else self._problems
            table = ConfigTable({}, self.full_key(key), self._source, problems, self.full_header(key))
            self._children.append(table)
        return table

    def tables(self, key: str) -> list[ConfigTable]:
        """The members of an array of tables, `[[key]]`, each named by its `name`."""
        value = self.value(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.problem(key, f"must be an array of tables: write [[{self.full_header(key)}]]")
            return []
        named = table_labels(key, value)
        return [self._child(raw, name, key, ": ") for raw, name in zip(value, named, strict=True)]

    def tables_or_values(self, key: str) -> list[tuple[str, object]]:
        """The members of an array with their keys; tables among them are `ConfigTable`s."""
        places = ((f"{key}[{i}]", each) for i, each in self.items(key))
        return [
            (place, self._child(each, place, key) if isinstance(each, dict) else each)
            for place, each in places
        ]

    def _child(self, raw: Mapping[str, object], key: str, under: str = "", between: str = ".") -> ConfigTable:
        header = self.full_header(under or key)
        child = ConfigTable(raw, self.full_key(key), self._source, self._problems, header, between)
        self._children.append(child)
        return child

    def known_keys(self) -> dict[str, set[str]]:
        """The keys that were read, by the header of their table, here and in the tables below."""
        known = {self.header: set(self._known)}
        for child in self._children:
            for header, keys in child.known_keys().items():
                known.setdefault(header, set()).update(keys)
        return known

    def report_unknown_keys(self, locations: KeyLocations) -> None:
        """Report the keys that nothing has read, here and in the tables below."""
        for key in self._raw:
            if key in self._known:
                continue
            written = key if _BARE_KEY.fullmatch(key) else repr(key)
            if key in _SECRET_VARIABLES:
                self.problem(
                    key, f"is a secret, and secrets must not be in this file: set {_SECRET_VARIABLES[key]}"
                )
            elif 0 < len(places := locations(key)) <= MAX_LOCATIONS_SHOWN:
                self.problem(written, f"unknown key here: it belongs {' or '.join(places)}")
            else:
                self.problem(written, "unknown key", closest_key(key, self._known))
        for child in self._children:
            child.report_unknown_keys(locations)
