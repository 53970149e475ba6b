"""The commands on a PostgreSQL: what each one reads, refuses and prints, and that none shows the password."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from missedd.cli import main
from tests.config.samples import CALLBACK
from tests.config.test_secrets import ENVIRON
from tests.postgresql_server import PostgresqlDatabase, PostgresqlServer
from tests.store.database import NOON, FilledDatabase

PASSWORD = "hunter2-of-the-database"
NODE = (
    "INSERT INTO nodes (name, address, version, config, started_at, seen_at) "
    "VALUES ('delhi-1', '10.0.0.1:8081', '0.3.0', 'a', db_now_us(), db_now_us())"
)


@pytest.fixture
def database(postgresql_server: PostgresqlServer) -> Iterator[PostgresqlDatabase]:
    """A database without any table."""
    database = postgresql_server.fresh_database(migrated=False)
    yield database
    database.drop()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A SQLite database with a call, a pending callback and a poll."""
    path = tmp_path / "missedd.db"
    db = FilledDatabase(path)
    call = db.call("a")
    db.action(call, state="held", reason="business-closed", base_at=NOON)
    db.poll()
    db.close()
    return path


@pytest.fixture(autouse=True)
def environ(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (ENVIRON | {"MISSEDD_DATABASE_PASSWORD": PASSWORD}).items():
        monkeypatch.setenv(name, text)


def config(tmp_path: Path, url: str) -> list[str]:
    text = CALLBACK.replace("[exotel]\n", '[exotel]\napi_base = "http://127.0.0.1:9"\n')
    text = text.replace("[listen]\n", '[listen]\npublic = "127.0.0.1:0"\nprivate = "127.0.0.1:0"\n')
    (tmp_path / "missedd.toml").write_text(f'{text}[store]\nurl = "{url}"\n', encoding="utf-8")
    return ["--config", str(tmp_path / "missedd.toml")]


@pytest.fixture
def options(tmp_path: Path, database: PostgresqlDatabase) -> list[str]:
    return config(tmp_path, database.url)


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    shown = capsys.readouterr()
    assert PASSWORD not in shown.out + shown.err
    return shown.out, shown.err


@pytest.fixture
def moved(options: list[str], file: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The options of a configuration whose database has the content of the file."""
    assert main(["migrate-store", *options, "--from", str(file)]) == 0, capsys.readouterr().err
    capsys.readouterr()
    return options


def test_check_tells_what_the_first_start_does_and_that_there_is_no_standby(
    options: list[str], database: PostgresqlDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *options]) == 0, capsys.readouterr().err
    out, err = said(capsys)
    assert "warning: store.url: synchronous_standby_names is empty, so acknowledged calls are lost" in out
    assert "the next start makes missedd's tables" in out
    assert f"the database is {database.url}\n" in out
    assert err == ""
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM pg_class WHERE relname = 'calls'").fetchone() == (0,)


def test_check_names_the_daemons_that_use_the_database(
    moved: list[str], database: PostgresqlDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.connect() as connection:
        connection.execute(NODE)
    assert main(["check", *moved]) == 0
    out, _ = said(capsys)
    assert f"the database is {database.url}, in use by delhi-1 (10.0.0.1:8081)\n" in out
    assert "the next start" not in out


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://missedd@127.0.0.1:1/missedd", "is PostgreSQL running there"),
        ("postgresql://nobody@{place}/missing", "create it, or correct store.url"),
    ],
)
def test_check_ends_with_1_and_the_way_out_where_the_database_cannot_be_used(
    tmp_path: Path,
    postgresql_server: PostgresqlServer,
    capsys: pytest.CaptureFixture[str],
    url: str,
    words: str,
) -> None:
    place = f"127.0.0.1:{postgresql_server.port}"
    assert main(["check", *config(tmp_path, url.format(place=place))]) == 1
    _, err = said(capsys)
    if "missing" not in url:
        assert words in err
    assert "1 problem with this machine" in err


def test_check_refuses_the_database_of_another_account(
    moved: list[str], database: PostgresqlDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE database_account SET account_sid = 'example2'")
    assert main(["check", *moved]) == 1
    assert "belongs to the account example2" in said(capsys)[1]


def test_migrate_store_says_what_arrived(
    options: list[str], file: Path, database: PostgresqlDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["migrate-store", *options, "--from", str(file)]
    assert main([*command, "--dry-run", "--json"]) == 0, capsys.readouterr().err
    told = json.loads(said(capsys)[0])
    assert (told["moved"], told["pending"], told["rows"]["calls"]) == (False, 1, 1)
    assert main(command) == 0, capsys.readouterr().err
    out, _ = said(capsys)
    assert "calls: 1\n" in out
    assert f"moved to {database.url} and compared there, 1 actions pending" in out
    assert main(command) == 1
    assert "was moved to" in said(capsys)[1]


def test_migrate_store_needs_a_postgresql_to_move_to(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "missedd.toml").write_text(CALLBACK, encoding="utf-8")
    assert main(["migrate-store", "--config", str(tmp_path / "missedd.toml"), "--from", str(file)]) == 78
    assert "write url there, the PostgreSQL to move to" in said(capsys)[1]


def test_why_and_report_read_it(moved: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", *moved, "a"]) == 0, capsys.readouterr().err
    assert "admissions" in said(capsys)[0]
    assert main(["report", *moved, "--json"]) == 0, capsys.readouterr().err
    assert '"total_calls": 1' in said(capsys)[0]


def test_lists_are_read_from_it(moved: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["leads", *moved, "--json"]) == 0, capsys.readouterr().err
    assert json.loads(said(capsys)[0]) == []
    assert main(["subscriptions", *moved, "weather"]) == 1
    assert "there is no list 'weather'" in said(capsys)[1]


def test_a_database_without_tables_has_nothing_to_read(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["why", *options, "a"]) == 1
    assert "there are no tables of missedd" in said(capsys)[1]


def test_a_poll_is_counted_again(moved: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["poll", *moved, "--recount", "singer"]) == 0, capsys.readouterr().err
    assert "singer" in said(capsys)[0]
    assert main(["poll", *moved, "--recount", "dancer"]) == 1
    assert "there is no poll 'dancer'" in said(capsys)[1]


def test_nodes_are_read_from_the_database_whether_a_daemon_runs_here_or_not(
    moved: list[str], database: PostgresqlDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.connect() as connection:
        connection.execute(NODE)
        connection.execute(
            "UPDATE leadership SET node = (SELECT id FROM nodes), epoch = 7, renewed_at = db_now_us()"
        )
    assert main(["nodes", *moved, "--json"]) == 0, capsys.readouterr().err
    out, err = said(capsys)
    (node,) = json.loads(out)["items"]
    assert (node["name"], node["role"], node["state"]) == ("delhi-1", "leads", "alive")
    assert "warning: synchronous_standby_names is empty" in err
    assert main(["nodes", *moved]) == 0
    assert re.search(r"delhi-1.*leads.*alive", said(capsys)[0])


def test_backup_and_restore_say_what_to_use_instead(
    moved: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["backup", *moved, str(tmp_path / "copy.db")]) == 1
    assert "pgBackRest" in said(capsys)[1]
    assert main(["restore", *moved, str(tmp_path / "missedd.db")]) == 2
    _, err = said(capsys)
    assert "pgBackRest" in err
    assert "--quarantine" in err


def test_after_a_restore_of_the_database_its_actions_wait_until_they_are_released(
    moved: list[str], database: PostgresqlDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    with database.connect() as connection:
        connection.execute(NODE)
    assert main(["restore", *moved, "--quarantine"]) == 1
    assert "daemons run on the database: delhi-1" in said(capsys)[1]
    with database.connect() as connection:
        connection.execute("DELETE FROM nodes")
    assert main(["restore", *moved, "--quarantine"]) == 0, capsys.readouterr().err
    assert "1 pending actions wait" in said(capsys)[0]
    with database.connect() as connection:
        assert connection.execute("SELECT reason FROM actions").fetchone() == ("quarantined",)
    assert main(["release", *moved]) == 0, capsys.readouterr().err
    assert "1 actions released" in said(capsys)[0]


def test_restore_of_a_file_has_no_quarantine_option(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "missedd.toml").write_text(CALLBACK, encoding="utf-8")
    options = ["--config", str(tmp_path / "missedd.toml")]
    assert main(["restore", *options, "--quarantine"]) == 2
    assert "--quarantine is for a PostgreSQL" in said(capsys)[1]
    assert main(["restore", *options]) == 2
    assert "name the BACKUP to restore" in said(capsys)[1]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM restores").fetchone() == (0,)


def test_the_wrong_password_is_not_shown(
    tmp_path: Path, database: PostgresqlDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(database.server.conninfo(), autocommit=True) as connection:
        connection.execute("CREATE ROLE secretive LOGIN PASSWORD 'another'")
    url = database.url.replace("postgres@", "secretive@")
    # The server trusts everybody, so it is the role without rights that is refused.
    assert main(["check", *config(tmp_path, url)]) == 1
    assert "GRANT CREATE, USAGE ON SCHEMA public TO secretive" in said(capsys)[1]
