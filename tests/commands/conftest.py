"""The daemon that the commands ask, where a test has none of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.commands.daemon import Daemon, serve_in_thread


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with serve_in_thread(Daemon()) as daemon:
        yield daemon
