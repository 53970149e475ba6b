"""Stores on a real PostgreSQL, and a proxy between them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from missedd.config.store_location import PostgresqlLocation
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.postgresql.reading import ReadingConnections
from missedd.store.postgresql.writing import WritingConnection
from tests.postgresql_server import PostgresqlDatabase


@pytest.fixture
def location(postgresql_database: PostgresqlDatabase) -> PostgresqlLocation:
    return PostgresqlLocation(postgresql_database.url)


@pytest.fixture
async def writing(location: PostgresqlLocation) -> AsyncIterator[WritingConnection]:
    connection = await PostgresqlDriver().open(location, read_only=False)
    assert isinstance(connection, WritingConnection)
    yield connection
    await connection.close()


@pytest.fixture
async def reading(location: PostgresqlLocation) -> AsyncIterator[ReadingConnections]:
    connections = await PostgresqlDriver().open(location, read_only=True)
    assert isinstance(connections, ReadingConnections)
    yield connections
    await connections.close()
