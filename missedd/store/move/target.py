"""The PostgreSQL side of a move: whether the database may be filled, and its sequences afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from missedd.store.db.database import Database, ReadOnlyDatabase, StoreRefused
from missedd.store.move.moved_tables import MovedTable

# ruff: noqa: S608 - names of tables and columns are from the database's own schema

FILLED_BY_ITSELF: Final = frozenset(
    {"catch_up", "levels", "notices", "past", "poll_rules", "stretches", "summary"}
)
"""What the schema and a daemon's first start put in. It is replaced."""

_SEQUENCES: Final = {"calls": "call_ids", "actions": "action_ids"}
"""Sequences that belong to no column."""


async def filled_table(db: ReadOnlyDatabase, tables: Sequence[MovedTable]) -> str | None:
    """A table that has rows already; None if the database may be filled."""
    for table in tables:
        if table.name not in FILLED_BY_ITSELF and await db.fetch_all(f"SELECT 1 FROM {table.name} LIMIT 1"):
            return table.name
    return None


async def check_columns(db: ReadOnlyDatabase, tables: Sequence[MovedTable]) -> None:
    """Raise `StoreRefused` if a column has no place in the database: the releases do not fit."""
    known = set(
        await db.fetch_all(
            "SELECT table_name::text, column_name::text FROM information_schema.columns "
            "WHERE table_schema = current_schema()"
        )
    )
    for table in tables:
        for column, _ in table.columns:
            if (table.name, column) not in known:
                raise StoreRefused(f"the database has no column {table.name}.{column}")


async def clear_tables(db: Database, tables: Sequence[MovedTable]) -> None:
    """Delete what the schema and a first start put in, and keep every daemon from writing meanwhile."""
    names = ", ".join(table.name for table in tables)
    await db.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")
    for table in tables:
        if table.name in FILLED_BY_ITSELF:
            await db.execute(f"DELETE FROM {table.name}")


async def set_sequences(db: Database, highest: Mapping[str, int]) -> None:
    """Let every table go on with ids beyond the `highest` that it ever had."""
    for table, last in highest.items():
        sequence = _SEQUENCES.get(table)
        if sequence is None:
            ((sequence,),) = await db.fetch_all("SELECT pg_get_serial_sequence(?, 'id')", (table,))
        if sequence is not None and last > 0:
            await db.fetch_all("SELECT setval(?::regclass, ?)", (sequence, last))
