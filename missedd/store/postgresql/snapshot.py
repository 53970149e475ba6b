"""One snapshot of a PostgreSQL database; see `missedd.store.db.snapshot`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import psycopg
from psycopg.conninfo import make_conninfo

from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.database import Row, StoreRefused
from missedd.store.db.error_text import first_line
from missedd.store.postgresql.migrate import LATEST_VERSION
from missedd.store.postgresql.sql_text import numbered
from missedd.store.postgresql.value_types import VALUE_TYPES

CONNECT_LIMIT_S: Final = 3
"""How long one host may take to accept a connection. Three hosts that are silent take 9 s."""

ROWS_PER_TRIP: Final = 2_000


@dataclass(frozen=True, slots=True)
class SharedSnapshot:
    """A transaction on a connection of its own; its cursors are on the server."""

    connection: psycopg.Connection[Row]
    _numbers: Iterator[int] = field(default_factory=count)

    def rows(self, sql: str, params: Sequence[object] = ()) -> Iterator[Row]:
        with psycopg.RawServerCursor[Row](self.connection, f"rows_{next(self._numbers)}") as cursor:
            cursor.itersize = ROWS_PER_TRIP
            cursor.execute(numbered(sql), params)
            yield from cursor


@contextmanager
def open_shared_snapshot(location: PostgresqlLocation) -> Iterator[SharedSnapshot]:
    """Raises `StoreRefused`, for example for a schema that is not the newest."""
    password: dict[str, Any] = {} if location.password is None else {"password": location.password}
    conninfo = make_conninfo(
        location.url, connect_timeout=CONNECT_LIMIT_S, application_name="missedd", **password
    )
    try:
        with psycopg.connect(conninfo, context=VALUE_TYPES) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield _checked(SharedSnapshot(connection))
    except psycopg.Error as failure:
        raise StoreRefused(f"cannot read the database {location}: {first_line(failure)}") from failure


def _checked(snapshot: SharedSnapshot) -> SharedSnapshot:
    ((version,),) = snapshot.rows("SELECT version FROM schema_version")
    if version != LATEST_VERSION:
        raise StoreRefused(f"the database has schema version {version}, this missedd reads {LATEST_VERSION}")
    return snapshot
