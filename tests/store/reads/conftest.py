"""A database file that a test fills, read as the daemon reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.database import FilledDatabase


@pytest.fixture
def db(tmp_path: Path) -> Iterator[FilledDatabase]:
    filled = FilledDatabase(tmp_path / "missedd.db")
    yield filled
    filled.close()
