"""An upgrade keeps a copy of the database as it was: whole, private, never half of one, and not for ever."""

from __future__ import annotations

import os
import re
import sqlite3
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from threading import Semaphore

import pytest

import missedd.store.backup.upgrade_copy as upgrading
from missedd.base.clock import SystemClock
from missedd.store.backup.inspect import inspect_database
from missedd.store.backup.upgrade_copy import (
    DEFAULT_UPGRADE,
    UpgradeOptions,
    UpgradeResult,
    delete_old_copies,
    make_upgrade_copy,
    outdated_version,
)
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.store import Driver, check_openable, open_reader, open_store
from tests.store.sqlite.test_upgrade import BEFORE, Before
from tests.store.steps import rows

COPY = f"missedd.db.before-{BEFORE + 1:04d}"


@pytest.fixture
def old(path: Path) -> Path:
    """A database as an older release left it, with one call."""
    before = Before(path)
    before.call("c1", 0)
    before.close()
    path.chmod(0o600)
    return path


def beside(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def calls(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [sid for (sid,) in db.execute("SELECT call_sid FROM calls ORDER BY id")]


async def opened(
    driver: Driver, path: Path, upgrade: UpgradeOptions = DEFAULT_UPGRADE
) -> UpgradeResult | None:
    async with open_store(driver, path, "a test", upgrade) as store:
        assert await rows(store, "SELECT call_sid FROM calls LIMIT 1") in ([], [("c1",)])
        return store.upgrade_result


async def test_a_database_of_before_is_kept_as_it_was(driver: Driver, old: Path) -> None:
    upgraded = await opened(driver, old)
    assert upgraded is not None
    assert (upgraded.from_version, upgraded.to_version) == (BEFORE, LATEST_VERSION)
    assert upgraded.copy == old.with_name(COPY)
    assert beside(old) == ["missedd.db", COPY, "missedd.db.lock"]
    found = inspect_database(old.with_name(COPY))
    assert (found.problems, found.version, found.counts["calls"]) == ([], BEFORE, 1)
    assert old.with_name(COPY).stat().st_mode & 0o777 == 0o600
    assert await opened(driver, old) is None


async def test_a_new_database_needs_no_copy(driver: Driver, path: Path) -> None:
    assert await opened(driver, path) is None
    assert beside(path) == ["missedd.db", "missedd.db.lock"]


async def test_what_only_the_log_has_is_in_the_copy_too(driver: Driver, old: Path) -> None:
    killed = sqlite3.connect(old, isolation_level=None)
    killed.execute("PRAGMA journal_mode = WAL")
    killed.execute("UPDATE calls SET call_sid = 'c1' || call_sid")
    assert old.with_name("missedd.db-wal").stat().st_size > 0
    assert make_upgrade_copy(old, BEFORE) == old.with_name(COPY)
    killed.close()
    assert calls(old.with_name(COPY)) == ["c1c1"]


async def test_an_upgrade_without_a_copy_goes_on_where_the_operator_says_so(
    driver: Driver, old: Path
) -> None:
    upgraded = await opened(driver, old, UpgradeOptions(makes_copy=False))
    assert upgraded is not None
    assert (upgraded.to_version, upgraded.copy) == (LATEST_VERSION, None)
    assert beside(old) == ["missedd.db", "missedd.db.lock"]


@pytest.mark.parametrize(
    ("limit", "spare", "why"),
    [(0, 0, "a start copies at most 0 MB"), (2**40, 2**62, "MB free")],
)
async def test_where_no_copy_can_be_made_the_way_on_is_said(
    driver: Driver, old: Path, monkeypatch: pytest.MonkeyPatch, limit: int, spare: int, why: str
) -> None:
    monkeypatch.setattr(upgrading, "MAX_COPIED_BYTES", limit)
    monkeypatch.setattr(upgrading, "RESERVED_BYTES", spare)
    with pytest.raises(StoreRefused, match="schema version 12") as refused:
        await opened(driver, old)
    said = str(refused.value)
    assert why in said
    assert "`missedd backup --config FILE OUT`" in said
    assert "`missedd serve --no-copy`" in said
    with pytest.raises(StoreRefused) as checked:
        await check_openable(driver, old)
    assert _but_for_megabytes(str(checked.value)) == _but_for_megabytes(said)
    assert outdated_version(old) == BEFORE, "nothing was changed"
    assert beside(old) == ["missedd.db", "missedd.db.lock"]
    assert await opened(driver, old, UpgradeOptions(makes_copy=False)) is not None


def _but_for_megabytes(said: str) -> str:
    """What is free on the disk changes while others write."""
    return re.sub(r"[0-9,]+ MB", "MB", said)


def test_blocks_are_shared_where_they_can_be_however_large_it_is(
    old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upgrading, "MAX_COPIED_BYTES", 0)

    def shared(source: int, target: int) -> None:
        """What the file system does in its own way."""
        os.sendfile(target, source, 0, os.fstat(source).st_size)

    copy = make_upgrade_copy(old, BEFORE, shared)
    assert copy.read_bytes() == old.read_bytes()
    assert beside(old) == ["missedd.db", COPY]


def test_the_file_system_s_own_sharing(old: Path) -> None:
    with old.open("rb") as source, old.with_name("shared").open("wb") as target:
        try:
            upgrading.share_blocks(source.fileno(), target.fileno())
        except OSError as refused:
            pytest.skip(f"this file system shares no blocks: {refused.strerror}")
    assert old.with_name("shared").read_bytes() == old.read_bytes()


def test_a_start_that_came_no_further_makes_no_second_copy(old: Path) -> None:
    first = make_upgrade_copy(old, BEFORE)
    assert make_upgrade_copy(old, BEFORE) == first
    assert beside(old) == ["missedd.db", COPY]


def test_a_copy_of_another_upgrade_is_not_written_over(old: Path) -> None:
    first = make_upgrade_copy(old, BEFORE)
    time.sleep(0.01)
    with closing(sqlite3.connect(old, isolation_level=None)) as db:
        db.execute("UPDATE calls SET call_sid = 'c2'")
    second = make_upgrade_copy(old, BEFORE)
    assert second.name == f"{COPY}.2"
    assert (calls(first), calls(second)) == (["c1"], ["c2"])


def test_a_kill_leaves_no_half_copy_with_the_name(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object, **__: object) -> None:
        old.with_name(f".{COPY}.4711.unfinished").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(upgrading, "copy_database", killed)
        with pytest.raises(KeyboardInterrupt):
            make_upgrade_copy(old, BEFORE)
    assert beside(old) == [f".{COPY}.4711.unfinished", "missedd.db"]
    make_upgrade_copy(old, BEFORE)
    assert beside(old) == ["missedd.db", COPY], "what was left of it is gone"


async def test_an_older_release_names_the_copy_that_it_can_read(driver: Driver, path: Path) -> None:
    await opened(driver, path)
    with closing(sqlite3.connect(path)) as newer:
        newer.execute(f"PRAGMA user_version = {LATEST_VERSION + 3}")
    for number in (LATEST_VERSION, LATEST_VERSION + 1, LATEST_VERSION + 2):
        path.with_name(f"{path.name}.before-{number:04d}").touch()
    named = rf"{path}.before-{LATEST_VERSION + 1:04d} is the database as it was before the upgrade"
    with pytest.raises(StoreRefused, match=named) as refused:
        await opened(driver, path)
    assert f"`missedd restore --config FILE {path}.before-{LATEST_VERSION + 1:04d}`" in str(refused.value)
    with pytest.raises(StoreRefused, match=named):
        async with open_reader(driver, path):
            pass


def test_copies_go_after_a_week(old: Path) -> None:
    copy, now = make_upgrade_copy(old, BEFORE), SystemClock().now()
    mine = old.with_name("missedd.db.before-restore-20261123T063000Z")
    mine.touch()
    assert delete_old_copies(old, now + timedelta(days=6, hours=23)) == []
    assert delete_old_copies(old, now + timedelta(days=7, minutes=1)) == [copy]
    assert beside(old) == ["missedd.db", mine.name]


async def test_a_long_upgrade_reports_that_it_is_alive(driver: Driver, old: Path) -> None:
    said: list[int] = []
    await opened(driver, old, UpgradeOptions(report_alive=lambda: said.append(outdated_version(old) or 0)))
    assert said[:1] == [BEFORE], "at once, before anything is changed"
    await opened(driver, old, UpgradeOptions(report_alive=lambda: said.append(0)))
    assert 0 not in said


def test_a_long_upgrade_reports_again_as_long_as_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "ALIVE_INTERVAL_S", 0.01)
    said = Semaphore(0)
    with upgrading.reporting_alive(said.release):
        assert all(said.acquire(timeout=60) for _ in range(3))
    while said.acquire(blocking=False):
        pass
    assert not said.acquire(timeout=0.05), "it is over"
