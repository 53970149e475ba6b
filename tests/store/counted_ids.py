"""Ids that count on from the last row in PostgreSQL too, so that a test can name the ids that rows will get.

In earnest they come in blocks, as several daemons take them at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any, Final

import psycopg

from missedd.store.db.database import Database
from missedd.store.db.database_engine import IdTable
from missedd.store.postgresql.postgresql_engine import POSTGRESQL

_HAS_DEFAULT: Final = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'public' AND column_name = 'id' AND data_type = 'bigint'
  AND (is_identity = 'YES' OR column_default LIKE 'nextval(%_ids%') AND table_name != 'nodes'"""
_NEXT_ID: Final = """
CREATE FUNCTION next_id(of_table text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    found bigint;
BEGIN
    EXECUTE format('SELECT coalesce(max(id), 0) + 1 FROM %I', of_table) INTO found;
    RETURN found;
END $$"""


def count_ids(connection: psycopg.Connection[Any]) -> None:
    """Let the rows of every table with ids of its own count on from the last one."""
    connection.execute(_NEXT_ID)
    for (table,) in connection.execute(_HAS_DEFAULT).fetchall():
        connection.execute(f"ALTER TABLE {table} ALTER id DROP IDENTITY IF EXISTS")
        connection.execute(f"ALTER TABLE {table} ALTER id SET DEFAULT next_id('{table}')")


async def _new_ids(db: Database, table: IdTable, at_least: int) -> Iterator[int]:
    ((first,),) = await db.fetch_all(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")
    return count(int(first))


COUNTED: Final = replace(POSTGRESQL, new_ids=_new_ids)
"""The engine of a daemon that is alone on its database."""
