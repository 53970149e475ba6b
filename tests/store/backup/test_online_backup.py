"""Backup and restore on real files: whole copies, nothing overwritten, nothing lost on the way."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from missedd.store.backup.inspect import inspect_database
from missedd.store.backup.online_backup import copy_database, wal_files
from missedd.store.backup.restore import restore_backup
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.sqlite.lock import lock_database
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.store import open_store
from tests.core.campaigns import NOON, call
from tests.store.steps import actions, admit_calls

LATER = NOON + timedelta(hours=5)


def quiet(done: int, total: int) -> None:
    """No progress is shown."""


@pytest.fixture
async def filled(path: Path) -> Path:
    async with open_store(InlineDriver(), path, "a test") as store:
        await admit_calls(store, *(call(f"c{n}", caller=f"+9198765{n:05d}") for n in range(50)))
    return path


def names(folder: Path) -> list[str]:
    """What is in a folder, but for what SQLite and the lock put beside the database itself."""
    beside = {f"missedd.db{each}" for each in (".lock", "-wal", "-shm")}
    return sorted(each.name for each in folder.iterdir() if each.name not in beside)


async def test_a_copy_is_one_whole_private_file(filled: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    out = tmp_path / "copy.db"
    copy_database(filled, out, lambda done, total: told.append((done, total)))
    assert out.stat().st_mode & 0o777 == 0o600
    assert told[-1][0] == told[-1][1] > 0
    found = inspect_database(out)
    assert (found.problems, found.version) == ([], LATEST_VERSION)
    assert (found.counts["calls"], found.counts["actions"], found.pending) == (50, 50, 50)
    assert names(tmp_path) == ["copy.db", "missedd.db"]


@pytest.fixture
def busy(filled: Path) -> Iterator[Path]:
    """The database, with somebody committing to it all the time."""
    stop = threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(filled, isolation_level=None)) as writing:
            while not stop.is_set():
                writing.execute("UPDATE calls SET redeliveries = redeliveries + 1")
                stop.wait(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    yield filled
    stop.set()
    writer.join()


async def test_a_copy_of_a_busy_database_is_one_moment_of_it(busy: Path, tmp_path: Path) -> None:
    for n in range(10):
        out = tmp_path / f"copy-{n}.db"
        copy_database(busy, out, quiet)
        with closing(sqlite3.connect(out)) as reading:
            assert len(reading.execute("SELECT DISTINCT redeliveries FROM calls").fetchall()) == 1


async def test_nothing_is_written_over_unasked(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "copy.db"
    out.write_text("precious")
    with pytest.raises(FileExistsError):
        copy_database(filled, out, quiet)
    assert out.read_text() == "precious"
    copy_database(filled, out, quiet, replace=True)
    assert inspect_database(out).is_healthy
    assert names(tmp_path) == ["copy.db", "missedd.db"]


async def test_what_cannot_be_copied_leaves_nothing_behind(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreRefused, match="cannot copy"):
        copy_database(filled, tmp_path / "nowhere" / "copy.db", quiet)
    data = bytearray(filled.read_bytes())
    data[4096 * 3 :] = b"\xa5" * (len(data) - 4096 * 3)
    filled.write_bytes(data)
    with pytest.raises(StoreRefused, match=r"damaged|malformed"):
        copy_database(filled, tmp_path / "copy.db", quiet)
    assert names(tmp_path) == ["missedd.db"]


async def test_a_backup_in_a_folder_that_cannot_be_written_is_read(filled: Path, tmp_path: Path) -> None:
    # As `cp` would make it: it says of itself that it has a log, and there is none.
    folder = tmp_path / "safe"
    folder.mkdir()
    (folder / "copy.db").write_bytes(filled.read_bytes())
    folder.chmod(0o500)
    assert inspect_database(folder / "copy.db").is_healthy
    folder.chmod(0o700)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda data: data[:-4096], "malformed|damaged|page|short|tree"),
        (lambda data: data[: 4096 * 4] + b"\xa5" * 4096 + data[4096 * 5 :], "malformed|tree|btree|page"),
        (lambda data: b"x" * 4096 + data[4096:], "not a database"),
        (lambda data: b"", "no database of missedd"),
    ],
    ids=["truncated", "a page overwritten", "no header", "empty"],
)
async def test_a_damaged_backup_is_found_out(
    filled: Path, tmp_path: Path, spoil: Callable[[bytes], bytes], said: str
) -> None:
    out = tmp_path / "copy.db"
    out.write_bytes(spoil(filled.read_bytes()))
    found = inspect_database(out)
    assert not found.is_healthy
    assert re.search(said, " ".join(found.problems), re.IGNORECASE), found


async def test_other_files_and_later_schemas_are_no_backups(filled: Path, tmp_path: Path) -> None:
    assert inspect_database(tmp_path / "nothing.db").problems == ["there is no such file"]
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE calls (x)")
    assert "no database of missedd" in inspect_database(tmp_path / "other.db").problems[0]
    with closing(sqlite3.connect(filled)) as later:
        later.execute(f"PRAGMA user_version = {LATEST_VERSION + 1}")
    assert "schema version" in inspect_database(filled).problems[0]
    with closing(sqlite3.connect(filled, isolation_level=None)) as broken:
        broken.execute(f"PRAGMA user_version = {LATEST_VERSION}")
        broken.execute("DELETE FROM calls WHERE id = 7")
    assert "row 7 of actions refers to a missing calls" in inspect_database(filled).problems


async def test_a_restore_keeps_what_was_there_and_holds_what_it_owes(filled: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    copy_database(filled, backup, quiet)
    async with open_store(InlineDriver(), filled, "a test") as store:
        await admit_calls(store, call("since", caller="+919876599999"))
    restored = await restore_backup(filled, backup, LATER, quiet)
    assert (restored.quarantined_actions, restored.old_database) == (
        50,
        tmp_path / "missedd.db.before-restore-20261123T113000Z",
    )
    assert restored.old_database is not None
    assert inspect_database(restored.old_database).counts["calls"] == 51
    for each in wal_files(restored.old_database):
        each.unlink(missing_ok=True)
    async with open_store(InlineDriver(), filled, "a test") as store:
        assert set(await actions(store, "state, reason")) == {("held", "quarantined")}
    assert filled.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["backup.db", "missedd.db", restored.old_database.name]


async def test_a_restore_into_nothing_needs_nothing_kept(filled: Path, tmp_path: Path) -> None:
    new = tmp_path / "new" / "missedd.db"
    new.parent.mkdir()
    assert (await restore_backup(new, filled, LATER, quiet)).old_database is None
    assert inspect_database(new).counts["calls"] == 50


async def test_a_restore_into_nothing_that_fails_leaves_nothing(tmp_path: Path) -> None:
    new = tmp_path / "new" / "missedd.db"
    new.parent.mkdir()
    with pytest.raises(StoreRefused, match="cannot copy"):
        await restore_backup(new, tmp_path / "no-backup.db", LATER, quiet)
    assert names(new.parent) == []


async def test_a_database_in_use_is_not_replaced(filled: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    copy_database(filled, backup, quiet)
    before = filled.read_bytes()
    with lock_database(filled, "missedd, process 4711"), pytest.raises(StoreRefused, match="process 4711"):
        await restore_backup(filled, backup, LATER, quiet)
    assert filled.read_bytes() == before


async def test_a_damaged_database_makes_room_for_a_backup(filled: Path, tmp_path: Path) -> None:
    backup = tmp_path / "backup.db"
    copy_database(filled, backup, quiet)
    filled.write_bytes(b"x" * 8192)
    filled.with_name("missedd.db-wal").write_bytes(b"an old log")
    restored = await restore_backup(filled, backup, LATER, quiet)
    assert restored.old_database is not None
    assert restored.old_database.read_bytes() == b"x" * 8192
    assert restored.old_database.with_name(restored.old_database.name + "-wal").read_bytes() == b"an old log"
    assert inspect_database(filled).counts["calls"] == 50
