"""What works on a SQLite file only, and says so for another database."""

from __future__ import annotations

from pathlib import Path

from missedd.config.store_location import PostgresqlLocation, StoreLocation
from missedd.store.db.database import StoreRefused


def require_sqlite(location: StoreLocation, instead: str) -> Path:
    """The file of the database; raises `StoreRefused` with `instead`, what to use for a PostgreSQL."""
    if isinstance(location, PostgresqlLocation):
        raise StoreRefused(f"the database is {location}, not a SQLite file: {instead}")
    return location
