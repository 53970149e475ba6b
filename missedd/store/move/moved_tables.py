"""The tables that are moved: their columns, the statements that read, write and sum them, and their order."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from graphlib import TopologicalSorter

from missedd.store.db.database import Row

# ruff: noqa: S608 - names of tables and columns are from the database's own schema

_MODULUS = 1_000_003
"""A prime. The sum of whole instants would not fit into 64 bits from some thousand rows on."""


@dataclass(frozen=True, slots=True)
class MovedTable:
    """One table, and its columns with SQLite's types."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def _names(self) -> str:
        return ", ".join(name for name, _ in self.columns)

    @property
    def select(self) -> str:
        """All rows, parents of references first: SQLite reads a table in the order of its key."""
        return f"SELECT {self._names} FROM {self.name}"

    @property
    def insert(self) -> str:
        return f"INSERT INTO {self.name} ({self._names}) VALUES ({', '.join('?' for _ in self.columns)})"

    @property
    def sums(self) -> str:
        """One row that differs if a row or a value is missing: the count, then something of each column."""
        return f"SELECT count(*), {', '.join(_sum(*column) for column in self.columns)} FROM {self.name}"


def _sum(name: str, kind: str) -> str:
    if kind == "INTEGER":
        return f"count({name}), coalesce(sum({name} % {_MODULUS}), 0)"
    if kind == "REAL":
        return f"count({name}), min({name}), max({name})"
    return f"count({name}), coalesce(sum(length({name})), 0)"


def moved_tables(connection: sqlite3.Connection) -> list[MovedTable]:
    """Every table of the database, each after those that it refers to."""
    names = [
        str(row[0])
        for row in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' "
            "AND name NOT IN ('moved') AND name NOT LIKE 'sqlite_%' ORDER BY name"
        )
    ]
    parents = {
        name: {row[2] for row in connection.execute(f"PRAGMA foreign_key_list({name})")} - {name}
        for name in names
    }
    return [
        MovedTable(name, tuple((row[1], row[2]) for row in connection.execute(f"PRAGMA table_info({name})")))
        for name in TopologicalSorter(parents).static_order()
    ]


def table_sums(connection: sqlite3.Connection, table: MovedTable) -> Row:
    row: Row = connection.execute(table.sums).fetchone()
    return row


def highest_ids(connection: sqlite3.Connection) -> dict[str, int]:
    """The highest id that each table with ids ever gave out, which may be higher than any that is left."""
    given_out = dict(connection.execute("SELECT name, seq FROM sqlite_sequence"))
    highest: dict[str, int] = {}
    for table in moved_tables(connection):
        if table.columns[0] == ("id", "INTEGER"):
            (present,) = connection.execute(f"SELECT coalesce(max(id), 0) FROM {table.name}").fetchone()
            highest[table.name] = max(present, given_out.get(table.name, 0))
    return highest
