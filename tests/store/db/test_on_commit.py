"""What follows a commit follows it, whether or not somebody still waits for the result."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.store.db.database import Database, NotDurable
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import open_store


async def note(db: Database) -> str:
    await db.execute("CREATE TABLE IF NOT EXISTS noted (id INTEGER)")
    return "noted"


async def test_on_commit_runs_though_the_caller_was_cancelled(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    followed: list[str] = []

    async def slow() -> None:
        await trio.sleep(12)

    async with open_store(InlineDriver(before_write=slow), tmp_path / "missedd.db", "a test") as store:
        with trio.move_on_after(10) as waiting:
            await store.write(note, followed.append)
        assert waiting.cancelled_caught
        assert followed == []
        await trio.sleep(5)
        assert followed == ["noted"]


async def test_nothing_follows_what_was_not_committed(tmp_path: Path) -> None:
    followed: list[str] = []

    async def mistake(db: Database) -> str:
        raise ValueError("no")

    async with open_store(InlineDriver(), tmp_path / "missedd.db", "a test") as store:
        with pytest.raises(ValueError, match="no"):
            await store.write(mistake, followed.append)
    with pytest.raises(NotDurable):
        await store.write(note, followed.append)
    assert followed == []
