"""Opens the connections of a daemon, or of a command, to one PostgreSQL database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import psycopg

from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.database import DatabaseConnection, StoreRefused
from missedd.store.db.error_text import first_line
from missedd.store.postgresql.connecting import ConnectionFactory, Unreachable
from missedd.store.postgresql.coordinating import PostgresqlCoordination
from missedd.store.postgresql.preparing import check_database, check_readable, prepare_database
from missedd.store.postgresql.reading import READER_SETTINGS, ReadingConnections
from missedd.store.postgresql.sql_session import SqlSession
from missedd.store.postgresql.writing import WritingConnection, WritingDatabase

START_LIMIT_S: Final = 10.0
"""How long a start waits for the server. After 15 s at the latest systemd is to try the start again."""

# A unit of work finds its rows by an index. On new tables, without statistics, the planner may think that
# reading all rows is cheaper, and keeps that plan for minutes.
WRITER_SETTINGS: Final = {"enable_seqscan": "off"}

MIGRATION_LIMIT_S: Final = 3600.0
"""How long the server may be silent while it changes the schema, for example builds an index."""


class PostgresqlDriver:
    """Opens connections; see `SharedDriver`."""

    async def open(
        self, location: PostgresqlLocation, *, read_only: bool
    ) -> WritingConnection | ReadingConnections:
        """Raises `StoreRefused` if the database cannot be reached."""
        if read_only:
            return ReadingConnections(ConnectionFactory(location, READER_SETTINGS))
        factory = ConnectionFactory(location, WRITER_SETTINGS)
        async with _refusing(location):
            connection = await factory.connect(START_LIMIT_S)
            try:
                ((writer_id,),) = await SqlSession(connection).fetch_all("SELECT nextval('writer_ids')")
            except BaseException:
                connection.discard()
                raise
        return WritingConnection(WritingDatabase(factory, connection, int(writer_id)))

    def coordination(self, location: PostgresqlLocation) -> PostgresqlCoordination:
        """The connections by which this node knows the others; they are opened when they are needed."""
        return PostgresqlCoordination(ConnectionFactory(location))

    async def keep_connected(self, connection: DatabaseConnection) -> None:
        """Look after a connection that writes; see `SharedDriver`."""
        if isinstance(connection, WritingConnection):
            await connection.keep_connected()

    async def prepare(self, location: PostgresqlLocation, account_sid: str | None) -> tuple[int, int]:
        """See `prepare_database`."""
        async with _admin_session(location) as session:
            return await prepare_database(session, account_sid)

    async def check(
        self, location: PostgresqlLocation, account_sid: str | None = None, *, read_only: bool = False
    ) -> int:
        """See `check_database` and `check_readable`; returns the schema's version, 0 for none."""
        async with _admin_session(location) as session:
            if read_only:
                return await check_readable(session)
            return await check_database(session, account_sid)


@asynccontextmanager
async def _admin_session(location: PostgresqlLocation) -> AsyncIterator[SqlSession]:
    async with _refusing(location):
        # Without our settings: an old server would refuse those that it does not know.
        connection = await ConnectionFactory(location, has_own_settings=False).connect(START_LIMIT_S)
        connection.answer_limit_s = MIGRATION_LIMIT_S
        try:
            yield SqlSession(connection)
        finally:
            connection.discard()


@asynccontextmanager
async def _refusing(location: PostgresqlLocation) -> AsyncIterator[None]:
    """Turn the server's errors into refusals with the way out. No message has the password."""
    try:
        yield
    except StoreRefused as refusal:
        raise type(refusal)(f"cannot use the database {location}: {refusal}") from refusal
    except Unreachable as failure:
        raise StoreRefused(
            f"cannot reach the database {location}: {failure}{_way_out(str(failure))}"
        ) from failure
    except psycopg.Error as failure:
        raise StoreRefused(f"cannot use the database {location}: {first_line(failure)}") from failure


_WAYS_OUT: Final = {
    "password": (
        "set MISSEDD_DATABASE_PASSWORD or the systemd credential missedd_database_password, "
        "or use a pgpass file"
    ),
    "does not exist": "create it, or correct store.url; docs/cluster.md has the commands",
    "pg_hba.conf": "add a line for this machine and role to the server's pg_hba.conf",
    "read-only": "name the primary's host in store.url too, or all hosts of the cluster, separated by commas",
    "SSL": "see sslmode and sslrootcert in PostgreSQL's documentation; both may stand in store.url",
}
"""By a word of the server's refusal."""


def _way_out(reason: str) -> str:
    for word, way_out in _WAYS_OUT.items():
        if word in reason:
            return f"; {way_out}"
    return "; is PostgreSQL running there, and do the hosts and ports of store.url fit?"
