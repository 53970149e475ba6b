"""A disk that fails is known of, for readiness to tell."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.store.db.database import Database, NotDurable
from missedd.store.db.writer import ERROR_LIFETIME_S
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import open_store
from tests.engine.scene import Disk


async def fill(db: Database) -> None:
    await db.executemany(
        "INSERT INTO suppressions (number, reason, source, since_at) VALUES (?, 'asked', 'api', 0)",
        [(f"+9198{index:08}",) for index in range(5000)],
    )


async def test_the_store_says_that_it_cannot_commit(autojump_clock: MockClock, tmp_path: Path) -> None:
    disk = Disk()
    async with open_store(InlineDriver(disk.fault), tmp_path / "missedd.db", "a test") as store:
        assert store.last_commit_error is None
        disk.is_full = True
        with pytest.raises(NotDurable, match="disk is full"):
            await store.write(fill)
        assert store.last_commit_error == "database or disk is full"
        await trio.sleep(ERROR_LIFETIME_S + 1)
        assert store.last_commit_error is None, "long ago, and nobody has tried since"
        disk.is_full = False
        await store.write(fill)
        assert store.last_commit_error is None
