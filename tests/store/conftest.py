"""Both drivers of the store, so that each test of what a store must do holds for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import Driver, Store, open_store
from tests.store.database import new_database


@pytest.fixture(params=["inline", "aio"])
async def driver(request: pytest.FixtureRequest) -> AsyncIterator[Driver]:
    if request.param == "inline":
        yield InlineDriver()
    else:
        async with aio_driver() as driver:
            yield driver


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "missedd.db"


@pytest.fixture
async def store(driver: Driver, path: Path) -> AsyncIterator[Store]:
    path.write_bytes(new_database())
    async with open_store(driver, path, "a test") as store:
        yield store
