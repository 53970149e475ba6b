"""Checks a PostgreSQL database before a daemon uses it, and brings it up to date.

Everything that an operator can get wrong is refused here with what to do about it.
"""

from __future__ import annotations

from typing import Final

from missedd.store.db.database import StoreRefused
from missedd.store.postgresql.migrate import LATEST_VERSION, AdminDatabase, migrate, supported_version

OLDEST_SERVER: Final = 15
"""The oldest major version of PostgreSQL that the tests run on."""

# Which of the four rights is missing on a table of missedd's, and on which table.
_MISSING_RIGHT: Final = """
SELECT p.privilege, c.relname
FROM pg_class c CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (privilege)
WHERE c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('schema_version'))
  AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, p.privilege)
ORDER BY 2, 1 LIMIT 1"""


async def prepare_database(db: AdminDatabase, account_sid: str | None) -> tuple[int, int]:
    """Make the database ready for the account's daemon; returns the schema's version before and after.

    The first daemon on a database writes its account down. Raises `StoreRefused`.
    """
    await check_database(db, account_sid)
    versions = await migrate(db)
    if account_sid is not None:
        await db.fetch_all(
            "INSERT INTO database_account (id, account_sid) VALUES (1, ?) "
            "ON CONFLICT DO NOTHING RETURNING id",
            (account_sid,),
        )
        await _check_account(db, account_sid)
    return versions


async def check_readable(db: AdminDatabase) -> int:
    """The schema's version, 0 for an empty database; raises `StoreRefused` if this missedd cannot read it."""
    await _check_server(db)
    return await supported_version(db)


async def check_database(db: AdminDatabase, account_sid: str | None) -> int:
    """Raise `StoreRefused` for everything that would make `prepare_database` fail; changes nothing.

    Returns the schema's version, 0 for an empty database.
    """
    version = await check_readable(db)
    if version < LATEST_VERSION:
        await _check_may_create(db)
    if version:
        await _check_may_write(db)
        if account_sid is not None:
            await _check_account(db, account_sid)
    return version


async def _check_server(db: AdminDatabase) -> None:
    ((number, encoding, user),) = await db.fetch_all(
        """SELECT current_setting('server_version_num')::bigint, current_setting('server_encoding'),
                  current_user"""
    )
    if number // 10_000 < OLDEST_SERVER:
        raise StoreRefused(
            f"the server is PostgreSQL {number // 10_000}, and missedd needs {OLDEST_SERVER} or newer; "
            "upgrade it, or name another server in store.url"
        )
    if encoding != "UTF8":
        raise StoreRefused(
            f"the database stores text as {encoding}, and missedd needs UTF8; create one with "
            f"CREATE DATABASE missedd OWNER {user} ENCODING 'UTF8' TEMPLATE template0"
        )


async def _check_may_create(db: AdminDatabase) -> None:
    ((schema, user, may_create),) = await db.fetch_all(
        """SELECT current_schema(), current_user,
                  CASE WHEN has_schema_privilege(to_regnamespace(current_schema()), 'CREATE') THEN 1
                       ELSE 0 END"""
    )
    if schema is None:
        raise StoreRefused(
            f"the database has no schema for the tables, by the search_path of the role {user}; create one "
            f"with CREATE SCHEMA missedd AUTHORIZATION {user}, and set search_path to it"
        )
    if not may_create:
        raise StoreRefused(
            f"the role {user} may not create tables in the schema {schema}; "
            f"as the database's owner run GRANT CREATE, USAGE ON SCHEMA {schema} TO {user}"
        )


async def _check_may_write(db: AdminDatabase) -> None:
    for privilege, table in await db.fetch_all(_MISSING_RIGHT):
        ((user,),) = await db.fetch_all("SELECT current_user")
        raise StoreRefused(
            f"the role {user} has no {privilege} on the table {table}; connect as the role that created the "
            f"tables, or as their owner run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA … "
            f"and GRANT USAGE ON ALL SEQUENCES IN SCHEMA … TO {user}"
        )


async def _check_account(db: AdminDatabase, account_sid: str) -> None:
    if not await db.fetch_all("SELECT 1 WHERE to_regclass('database_account') IS NOT NULL"):
        return
    for (owner,) in await db.fetch_all("SELECT account_sid FROM database_account"):
        if owner != account_sid:
            raise StoreRefused(
                f"the database belongs to the account {owner}, and exotel.account_sid is {account_sid}; "
                "name the database of this account in store.url"
            )
