"""Numbered migrations of a PostgreSQL database, for daemons that start, and releases that serve, at once.

The table `schema_version` has one row: the version of the schema, and the oldest release, named by the newest
version that it knows, which may go on serving on it. A migration that only adds something says

    -- oldest reader: 4

in its first line, and then a release that knows version 4 serves beside the new one. Without that line only
releases that know the migration serve.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final, NamedTuple, Protocol

import trio

from missedd.store.db.database import Database, NewerSchema, ReadOnlyDatabase, StoreRefused

_FILES: Final = sorted(
    (file.name, file.read_text("utf-8"))
    for file in resources.files("missedd.store.postgresql").joinpath("migrations").iterdir()
    if file.name.endswith(".sql")
)
LATEST_VERSION: Final = len(_FILES)

LOCK_RETRY_S: Final = 0.2
"""How often a daemon looks whether the one that migrates is done."""

_OLDEST_READER: Final = re.compile(r"-- oldest reader: (\d+)\n")
_TRY_LOCK: Final = (
    "SELECT CASE WHEN pg_try_advisory_lock(hashtextextended('missedd: schema', 0)) THEN 1 ELSE 0 END"
)
_UNLOCK: Final = "SELECT pg_advisory_unlock(hashtextextended('missedd: schema', 0))"

_CREATE: Final = "CREATE TABLE schema_version (version bigint NOT NULL, oldest_reader bigint NOT NULL)"

# In one statement, and so on one snapshot: another daemon may be creating the tables. Tables of extensions do
# not count.
_TABLES: Final = """
SELECT count(*) FILTER (WHERE c.relname = 'schema_version'), min(c.relname)
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p', 'v', 'm')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d
                  WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')"""


class AdminDatabase(ReadOnlyDatabase, Protocol):
    """A connection in which each statement is its own transaction, unless one is begun."""

    async def command(self, sql: str) -> str:
        """Run statements without parameters; several are separated by semicolons."""
        ...


class SchemaVersion(NamedTuple):
    version: int
    oldest_reader: int


async def schema_version(db: Database) -> int:
    """The number of migrations that the database has had, as a unit of work."""
    return int((await db.fetch_all("SELECT version FROM schema_version"))[0][0])


async def supported_version(db: ReadOnlyDatabase) -> int:
    """The schema's version, 0 for an empty database; raises `StoreRefused` if this missedd cannot use it."""
    ((is_missedds, first_table),) = await db.fetch_all(_TABLES)
    if not is_missedds and first_table is not None:
        raise StoreRefused(
            f"the database belongs to another program: it has the table {first_table} but no schema version "
            "of missedd; name an empty database in store.url"
        )
    if not is_missedds:
        return 0
    found = SchemaVersion(*(await db.fetch_all("SELECT version, oldest_reader FROM schema_version"))[0])
    if found.version > LATEST_VERSION and found.oldest_reader > LATEST_VERSION:
        raise NewerSchema(
            f"the database has schema version {found.version}, which a missedd that knows only version "
            f"{LATEST_VERSION} cannot serve on; run the newer missedd on this machine too"
        )
    return found.version


async def migrate(db: AdminDatabase) -> tuple[int, int]:
    """Bring the schema to the newest version; returns the version before and after.

    Of several daemons that start at once one migrates, and the others wait for it. Raises `StoreRefused` as
    `supported_version` does, and psycopg's errors; then the schema is as the last whole migration left it.
    """
    before = await supported_version(db)
    if before >= LATEST_VERSION:
        return before, before
    while not (await db.fetch_all(_TRY_LOCK))[0][0]:  # noqa: ASYNC110 - another daemon holds it
        await trio.sleep(LOCK_RETRY_S)
    current = await supported_version(db)
    for script in migration_scripts(current):
        await db.command(f"BEGIN; {script}; COMMIT")
    # After an error the connection is closed, and the server drops the lock.
    await db.fetch_all(_UNLOCK)
    return before, max(current, LATEST_VERSION)


def migration_scripts(current: int) -> list[str]:
    """What is to be run, each one as a transaction, to bring a schema of this version to the newest."""
    return [
        f"{script}\n; {_version_statements(number, script)}"
        for number, (_, script) in enumerate(_FILES[current:], current + 1)
    ]


def _version_statements(number: int, script: str) -> str:
    stated = _OLDEST_READER.match(script)
    oldest = int(stated[1]) if stated else number
    if number == 1:
        return f"{_CREATE}; INSERT INTO schema_version VALUES ({number}, {oldest})"  # noqa: S608
    newest = f"version = {number}, oldest_reader = greatest(oldest_reader, {oldest})"
    return f"UPDATE schema_version SET {newest}"  # noqa: S608
