"""`missedd check` and `missedd serve` say the same of a set-up that cannot work, with the same exit code."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from missedd.cli import main
from missedd.store.sqlite.lock import lock_database
from missedd.store.sqlite.migrate import LATEST_VERSION
from tests.fuzz.targets import corpus
from tests.real.daemon import free_port
from tests.store.database import FilledDatabase

SITE = """[listen]
public = "{public}"
private = "{private}"
public_url = "https://calls.example.in"
[exotel]
account_sid = "example1"
[store]
path = "{store}"
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = {{ flow = "1" }}
"""
NO_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write anything")


@pytest.fixture(autouse=True)
def no_handlers() -> Iterator[None]:
    """What `serve` adds for libraries' words goes again."""
    before = list(logging.getLogger().handlers)
    yield
    logging.getLogger().handlers[:] = before


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXOTEL_API_KEY", "key")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "token")
    monkeypatch.setenv("MISSEDD_WEBHOOK_TOKEN", "abcdefghijklmnop")


def written(folder: Path, **places: str) -> Path:
    file = folder / "missedd.toml"
    usual = {
        "public": f"127.0.0.1:{free_port()}",
        "private": f"127.0.0.1:{free_port()}",
        "store": "missedd.db",
    }
    file.write_text(SITE.format(**usual | places), "utf-8")
    return file


def database(path: Path, version: int = LATEST_VERSION) -> None:
    FilledDatabase(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"PRAGMA user_version = {version}")


def no_folder(folder: Path) -> Path:
    return written(folder, store="nowhere/missedd.db")


def folder_that_is_a_file(folder: Path) -> Path:
    (folder / "store").touch()
    return written(folder, store="store/missedd.db")


def folder_that_may_not_be_written(folder: Path) -> Path:
    (folder / "store").mkdir(0o500)
    return written(folder, store="store/missedd.db")


def folder_that_may_not_be_read(folder: Path) -> Path:
    (folder / "store").mkdir(0o000)
    return written(folder, store="store/missedd.db")


def file_that_may_not_be_written(folder: Path) -> Path:
    database(folder / "missedd.db")
    (folder / "missedd.db").chmod(0o400)
    return written(folder)


def folder_for_a_database(folder: Path) -> Path:
    (folder / "missedd.db").mkdir()
    return written(folder)


def no_database(folder: Path) -> Path:
    (folder / "missedd.db").write_text("This is no database.\n" * 100)
    return written(folder)


def newer_schema(folder: Path) -> Path:
    database(folder / "missedd.db", LATEST_VERSION + 1)
    return written(folder)


def another_programs_database(folder: Path) -> Path:
    with closing(sqlite3.connect(folder / "missedd.db")) as db:
        db.execute("CREATE TABLE orders (id)")
    return written(folder)


def damaged_database(folder: Path) -> Path:
    path = folder / "missedd.db"
    database(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    return written(folder)


def file_for_a_socket(folder: Path) -> Path:
    (folder / "public.sock").touch()
    return written(folder, public=f"unix:{folder / 'public.sock'}")


def no_folder_for_the_socket(folder: Path) -> Path:
    return written(folder, public=f"unix:{folder / 'nowhere' / 'public.sock'}")


def no_such_host(folder: Path) -> Path:
    return written(folder, private="no-such-host.invalid:8081")


MACHINE: list[object] = [
    no_folder,
    folder_that_is_a_file,
    pytest.param(folder_that_may_not_be_written, marks=NO_ROOT),
    pytest.param(folder_that_may_not_be_read, marks=NO_ROOT),
    pytest.param(file_that_may_not_be_written, marks=NO_ROOT),
    folder_for_a_database,
    no_database,
    newer_schema,
    another_programs_database,
    damaged_database,
    file_for_a_socket,
    no_folder_for_the_socket,
    no_such_host,
]


@pytest.mark.parametrize("broken", MACHINE)
def test_where_the_machine_is_at_fault(
    broken: Callable[[Path], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = broken(tmp_path)
    assert main(["check", "--config", str(config)]) == 1
    checked = capfd.readouterr()
    assert main(["serve", "--config", str(config)]) == 1
    served = capfd.readouterr().err
    assert (
        checked.err == f"{served.removeprefix('missedd: ')}1 problem with this machine, none with {config}\n"
    )
    assert "is correct" not in checked.out


def no_secrets(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("EXOTEL_API_KEY")
    return written(folder)


def open_to_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return written(folder, private="0.0.0.0:0")


def no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return folder / "absent.toml"


@pytest.mark.parametrize("broken", [no_secrets, open_to_all, no_file])
def test_where_the_file_or_a_secret_is_at_fault(
    broken: Callable[[Path, pytest.MonkeyPatch], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    config = str(broken(tmp_path, monkeypatch))
    assert main(["check", "--config", config]) == 78
    checked = capfd.readouterr().err
    assert main(["serve", "--config", config]) == 78
    assert capfd.readouterr().err == checked != ""


def test_of_every_kept_file_that_is_wrong(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    config, wrong = tmp_path / "missedd.toml", 0
    for text in corpus("config"):
        config.write_bytes(text)
        if main(["check", "--quiet", "--config", str(config)]) == 0:
            continue
        checked = capfd.readouterr().err
        assert main(["serve", "--config", str(config)]) == 78
        assert capfd.readouterr().err == checked
        wrong += 1
    assert wrong > 20


def test_that_a_daemon_has_the_database_is_no_fault(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path)
    database(tmp_path / "missedd.db")
    with lock_database(tmp_path / "missedd.db", "missedd, process 4711"):
        assert main(["check", "--config", str(config)]) == 0
        assert "missedd.db, in use by missedd, process 4711\n" in capfd.readouterr().out
        assert main(["serve", "--config", str(config)]) == 1
    capfd.readouterr()
    assert main(["check", "--config", str(config)]) == 0
    assert "in use" not in capfd.readouterr().out


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    config = written(tmp_path)
    assert main(["check", "--config", str(config)]) == 0
    assert [file.name for file in tmp_path.iterdir()] == ["missedd.toml"]
