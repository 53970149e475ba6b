"""Opening the store: alone, up to date, or refused in words that say what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.migrate import LATEST_VERSION, migrate, schema_version
from missedd.store.store import Driver, open_reader, open_store
from tests.core.campaigns import call
from tests.store.steps import admit_calls, rows


async def opened(driver: Driver, path: Path, owner: str = "a test") -> None:
    async with open_store(driver, path, owner) as store:
        await admit_calls(store, call())


async def test_a_new_database_has_the_newest_schema(driver: Driver, path: Path) -> None:
    async with open_store(driver, path, "a test") as store:
        assert await store.read(schema_version) == LATEST_VERSION >= 1
        assert await store.write(migrate) == LATEST_VERSION
        assert await rows(store, "PRAGMA foreign_keys") == [(1,)]
        assert await rows(store, "PRAGMA journal_mode") == [("wal",)]


async def test_what_was_kept_is_there_at_the_next_start(driver: Driver, path: Path) -> None:
    await opened(driver, path)
    async with open_store(driver, path, "a test") as store:
        assert await rows(store, "SELECT call_sid FROM calls") == [("c1",)]


async def test_leaving_brings_everything_into_the_one_file(driver: Driver, path: Path) -> None:
    await opened(driver, path)
    assert sorted(each.name for each in path.parent.iterdir()) == ["missedd.db", "missedd.db.lock"]


async def test_a_second_daemon_is_told_who_has_the_database(driver: Driver, path: Path) -> None:
    async with open_store(driver, path, "missedd, process 4711"):
        with pytest.raises(StoreRefused, match=r"in use by missedd, process 4711; stop that daemon first"):
            await opened(driver, path)
    await opened(driver, path, "me")
    await opened(driver, path, "a much longer owner than before")


async def test_a_shorter_owner_leaves_nothing_of_a_longer_one(driver: Driver, path: Path) -> None:
    await opened(driver, path, "a very long owner indeed")
    async with open_store(driver, path, "short"):
        with pytest.raises(StoreRefused, match="in use by short;"):
            await opened(driver, path)


async def test_a_disk_that_is_mounted_read_only_is_called_so(
    driver: Driver, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a fault: then it is no question of whose the folder is."""
    monkeypatch.setattr(os, "statvfs", lambda folder: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(StoreRefused, match=r"its disk is mounted read-only; .*dmesg.* ReadWritePaths="):
        await opened(driver, path)


async def test_an_open_store_is_not_opened_again_by_another_name(driver: Driver, path: Path) -> None:
    await opened(driver, path)
    link, copy = path.with_name("link.db"), path.with_name("copy.db")
    os.link(path, link)
    copy.write_bytes(path.read_bytes())
    async with open_store(driver, path, "missedd, process 4711"):
        with pytest.raises(
            StoreRefused, match=r"link\.db is in use by .*missedd\.db; stop that daemon first"
        ):
            await opened(driver, link)
        await opened(driver, copy)
    await opened(driver, link)


async def test_a_newer_schema_is_refused(driver: Driver, path: Path) -> None:
    await opened(driver, path)
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {LATEST_VERSION + 1}")
    other.close()
    with pytest.raises(
        StoreRefused, match=rf"schema version {LATEST_VERSION + 1}, this missedd knows up to {LATEST_VERSION}"
    ):
        await opened(driver, path)
    with pytest.raises(StoreRefused, match="run the newer missedd"):
        async with open_reader(driver, path):
            pass


async def test_a_folder_that_does_not_exist_is_named(driver: Driver, tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match=r"nowhere/missedd.db.*its folder must exist"):
        await opened(driver, tmp_path / "nowhere" / "missedd.db")


async def test_a_folder_in_the_databases_place_is_refused(driver: Driver, path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreRefused, match="cannot use the database"):
        await opened(driver, path)


def spoil(path: Path, at: int, what: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(what)


@pytest.mark.parametrize(
    ("at", "what"),
    [
        (0, b"x" * 4096),
        (0, b"SQLite format 4\x00"),
        (16, b"\x00\x07"),  # a page size that cannot be
        (100, b"\xff" * 400),  # the schema's own page
    ],
)
async def test_a_damaged_file_is_refused_with_the_way_out(
    driver: Driver, path: Path, at: int, what: bytes
) -> None:
    await opened(driver, path)
    spoil(path, at, what)
    before = path.read_bytes()
    with pytest.raises(StoreRefused, match=r"if the file is damaged, move it away and restore a backup"):
        await opened(driver, path)
    with pytest.raises(StoreRefused, match="restore a backup"):
        async with open_reader(driver, path):
            pass
    assert path.read_bytes() == before, "what can still be saved is left as it is"


async def test_a_file_of_something_else_is_refused(driver: Driver, path: Path) -> None:
    path.write_text("This is no database.\n" * 100)
    with pytest.raises(StoreRefused, match="restore a backup"):
        await opened(driver, path)


async def test_another_programs_database_is_refused(driver: Driver, path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE calls (something TEXT)")
    other.close()
    with pytest.raises(StoreRefused, match="another program"):
        await opened(driver, path)


async def test_an_empty_file_is_a_new_database(driver: Driver, path: Path) -> None:
    path.touch()
    await opened(driver, path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
async def test_a_file_that_may_not_be_written_is_refused(driver: Driver, path: Path) -> None:
    await opened(driver, path)
    path.chmod(0o400)
    with pytest.raises(StoreRefused, match="must be a file of the daemon's user"):
        await opened(driver, path)


async def test_a_reader_needs_a_database(driver: Driver, path: Path) -> None:
    with pytest.raises(StoreRefused, match="there is no database"):
        async with open_reader(driver, path):
            pass
    assert not path.exists()


async def test_a_reader_of_an_older_schema_is_told_to_start_the_daemon(driver: Driver, path: Path) -> None:
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(
        StoreRefused, match=rf"schema version 0, this missedd reads {LATEST_VERSION}; start its daemon once"
    ):
        async with open_reader(driver, path):
            pass


async def test_a_reader_looks_on_while_the_daemon_writes(driver: Driver, path: Path) -> None:
    async with open_store(driver, path, "a test") as store, open_reader(driver, path) as reader:
        await admit_calls(store, call())
        assert await reader.read(lambda db: db.fetch_all("SELECT call_sid FROM calls")) == [("c1",)]
    async with open_reader(driver, path) as reader:
        assert await reader.read(lambda db: db.fetch_all("SELECT call_sid FROM calls")) == [("c1",)]


async def test_a_database_with_a_space_and_a_percent_in_its_name(driver: Driver, tmp_path: Path) -> None:
    path = tmp_path / "mis sed%20d?.db"
    await opened(driver, path)
    assert path.exists()
