"""Each driver of the store, so that each test of what a store must do holds for each of them.

With a PostgreSQL these tests have the marker `postgresql`. What only SQLite has is marked `sqlite`, or
stands in the folders `sqlite` and `backup`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from missedd.config.store_location import PostgresqlLocation, StoreLocation
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.postgresql.writing import WritingDatabase
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import Driver, Store, open_store
from tests.postgresql_server import PostgresqlServer
from tests.store.counted_ids import COUNTED, count_ids
from tests.store.database import new_database


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for_sqlite = {item for item in items if _is_for_sqlite(item) and _is_on_postgresql(item)}
    config.hook.pytest_deselected(items=list(for_sqlite))
    items[:] = [item for item in items if item not in for_sqlite]


def _is_for_sqlite(item: pytest.Item) -> bool:
    folder = item.path.parent.relative_to(Path(__file__).parents[1])
    return str(folder) in ("store/sqlite", "store/backup") or item.get_closest_marker("sqlite") is not None


def _is_on_postgresql(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and (
        getattr(item, "callspec", None) is not None and item.callspec.params.get("database") == "postgresql"
    )


@pytest.fixture(params=["inline", "aio", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database(request: pytest.FixtureRequest) -> str:
    """The kind of driver."""
    kind: str = request.param
    return kind


@pytest.fixture
async def driver(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Driver]:
    if database == "postgresql":
        monkeypatch.setattr(WritingDatabase, "engine", COUNTED)
        yield PostgresqlDriver()
    elif database == "inline":
        yield InlineDriver()
    else:
        async with aio_driver() as driver:
            yield driver


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "missedd.db"


@pytest.fixture
def location(request: pytest.FixtureRequest, database: str, path: Path) -> Iterator[StoreLocation]:
    """A new database with missedd's schema."""
    if database != "postgresql":
        path.write_bytes(new_database())
        yield path
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    fresh = server.fresh_database(prepare=count_ids)
    yield PostgresqlLocation(fresh.url)
    fresh.drop()


@pytest.fixture
async def store(driver: Driver, location: StoreLocation) -> AsyncIterator[Store]:
    async with open_store(driver, location, "a test") as store:
        yield store
