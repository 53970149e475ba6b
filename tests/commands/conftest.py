"""The daemon that the commands ask, where a test has none of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands.daemon import Daemon, serve_in_thread

HERE = Path(__file__).parent


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with serve_in_thread(Daemon()) as daemon:
        yield daemon


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, pytest.Function) and "daemon" in item.fixturenames and item.path.parent == HERE:
            item.add_marker("real")
