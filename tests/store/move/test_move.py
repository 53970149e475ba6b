"""A SQLite database is moved into a PostgreSQL whole, or not at all, and never lives on both sides."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.database import StoreRefused
from missedd.store.db.lock_keys import NO_LOCKS
from missedd.store.move import move
from missedd.store.move.move import MoveResult, move_store
from missedd.store.move.moved_tables import moved_tables
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.sqlite.lock import lock_database
from missedd.store.sqlite.moved import Move, read_move, write_move
from missedd.store.store import check_openable, open_reader, open_store
from tests.postgresql_server import PostgresqlDatabase, PostgresqlServer
from tests.store.database import NOON, FilledDatabase
from tests.store.life import RandomHistory

ACCOUNT = "example1"
TIMEZONE = "Asia/Kolkata"


@pytest.fixture
def postgresql_database(postgresql_server: PostgresqlServer) -> Iterator[PostgresqlDatabase]:
    """A database without any table, as CREATE DATABASE makes it."""
    database = postgresql_server.fresh_database(migrated=False)
    yield database
    database.drop()


@pytest.fixture
def location(postgresql_database: PostgresqlDatabase) -> PostgresqlLocation:
    return PostgresqlLocation(postgresql_database.url)


@pytest.fixture
async def prepared(location: PostgresqlLocation) -> PostgresqlLocation:
    """The database with our tables."""
    await PostgresqlDriver().prepare(location, None)
    return location


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A database in which something of everything stands, some of it pending."""
    path = tmp_path / "missedd.db"
    db = FilledDatabase(path)
    call = db.call("a", fields='{"note": "tab\\t, line\\n, backslash \\\\, ünïcode"}')
    db.action(call, wake_at=NOON + timedelta(minutes=1))
    origin = db.done(call, "callback", "no-answer")
    db.action(call, origin_id=origin, number="+919876500001")
    db.lead(call)
    db.pause(until_at=NOON + timedelta(hours=1), peer="127.0.0.1")
    db.poll()
    db.votes("Asha", 3)
    db.suppression("+919876500002")
    db.subscription(call)
    db.put(
        "conversions",
        reference="r1",
        campaign="admissions",
        number="+919876543210",
        at=1,
        value=12.5,
        created_at=1,
    )
    db.put("caller_sets", campaign="admissions", level=0, bucket=0, callers=b"\x00\xff\\")
    db.close()
    return path


async def moved(path: Path, location: PostgresqlLocation, *, dry_run: bool = False) -> MoveResult:
    return await move_store(
        path, location, ACCOUNT, TIMEZONE, NOON, lambda done, total: None, dry_run=dry_run
    )


def rows_of(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute(f"SELECT * FROM {table}").fetchall(), key=repr)


def test_data_name_every_table(file: Path) -> None:
    """A table that the fixture leaves empty would be moved untested only if it looks like no other one."""
    kinds = {"INTEGER", "TEXT", "REAL", "BLOB"}
    with closing(sqlite3.connect(file)) as connection:
        tables = moved_tables(connection)
    filled = [table for table in tables if rows_of(file, table.name)]
    assert {kind for table in filled for _, kind in table.columns} == kinds


async def test_every_row_arrives_as_it_is(
    file: Path, location: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    result = await moved(file, location)
    assert result.pending == 2
    with closing(sqlite3.connect(file)) as connection:
        tables = moved_tables(connection)
    assert set(result.rows) == {table.name for table in tables}
    with postgresql_database.connect() as connection:
        for table in tables:
            names = ", ".join(name for name, _ in table.columns)
            arrived = connection.execute(f"SELECT {names} FROM {table.name}").fetchall()
            assert sorted(arrived, key=repr) == rows_of(file, table.name), table.name
            assert result.rows[table.name] == len(arrived)


async def test_a_long_history_with_rollups_arrives(
    tmp_path: Path, location: PostgresqlLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "missedd.db"
    history = RandomHistory(2)
    async with open_store(InlineDriver(), path, "a test") as store:

        async def live(db: object) -> None:
            await history.start(db, monkeypatch)  # type: ignore[arg-type]
            for _ in range(300):
                await history.step(db)  # type: ignore[arg-type]

        await store.write(live, offload=True)
    monkeypatch.setattr(move, "ROWS_PER_BATCH", 37)
    result = await move_store(path, location, ACCOUNT, history.timezone, NOON, lambda done, total: None)
    assert result.rows["calls"] > 37
    assert result.rows["figures"] > 0


async def test_ids_go_on_beyond_those_that_were_ever_given_out(
    file: Path, location: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("UPDATE sqlite_sequence SET seq = 700 WHERE name = 'actions'")
        (last_lead,) = connection.execute("SELECT max(id) FROM leads").fetchone()
    await moved(file, location)
    writing = await PostgresqlDriver().open(location, read_only=False)
    (ids,) = await writing.write([lambda db: db.engine.new_ids(db, "actions", 40)], locks=NO_LOCKS)
    assert min(ids) > 700
    await writing.close()
    with postgresql_database.connect() as connection:
        ((lead,),) = connection.execute(
            "INSERT INTO leads (campaign, number, source, first_seen_at, last_seen_at, count, first_call_id) "
            "VALUES ('x', 'y', 'z', 1, 1, 1, 1) RETURNING id"
        ).fetchall()
    assert lead == last_lead + 1


async def test_no_daemon_starts_on_the_file_afterwards_and_readers_read(
    file: Path, location: PostgresqlLocation
) -> None:
    await moved(file, location)
    assert read_move(file) == Move(str(location), NOON, is_finished=True)
    with pytest.raises(StoreRefused, match=f"was moved to {location} at 2026-11-23") as refusal:
        async with open_store(InlineDriver(), file, "a test"):
            pass
    assert "url under [store]" in str(refusal.value)
    with pytest.raises(StoreRefused, match="was moved to"):
        await check_openable(InlineDriver(), file)
    with pytest.raises(StoreRefused, match="already"):
        await moved(file, location)
    async with open_reader(InlineDriver(), file) as reader:
        assert await reader.read(lambda db: db.fetch_all("SELECT count(*) FROM calls")) == [(1,)]


async def test_a_dry_run_changes_nothing(
    file: Path, prepared: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    before = file.read_bytes()
    result = await moved(file, prepared, dry_run=True)
    assert (result.rows["calls"], result.rows["actions"]) == (1, 3)
    assert file.read_bytes() == before
    with postgresql_database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM database_account").fetchone() == (0,)


async def test_a_database_that_is_not_empty_is_refused(
    file: Path, prepared: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    with postgresql_database.connect() as connection:
        connection.execute("INSERT INTO audit (at, source, deed, subject) VALUES (1, 'api', 'x', 'y')")
    with pytest.raises(StoreRefused, match="is not empty: its table audit has rows"):
        await moved(file, prepared)
    assert read_move(file) is None


async def test_what_a_first_start_wrote_is_replaced(
    file: Path, prepared: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    with postgresql_database.connect() as connection:
        connection.execute("INSERT INTO catch_up VALUES (1, 5, 6)")
        connection.execute("INSERT INTO poll_rules VALUES ('dancer', '{}')")
    await moved(file, prepared)
    with postgresql_database.connect() as connection:
        assert connection.execute("SELECT poll FROM poll_rules").fetchall() == [("singer",)]
        assert connection.execute("SELECT * FROM catch_up").fetchall() == rows_of(file, "catch_up")


async def test_a_daemon_on_either_side_is_refused(
    file: Path, prepared: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    with lock_database(file, "missedd, process 4711"), pytest.raises(StoreRefused, match="process 4711"):
        await moved(file, prepared)
    with postgresql_database.connect() as connection:
        connection.execute(
            "INSERT INTO nodes (name, address, version, config, started_at, seen_at) "
            "VALUES ('delhi-1', '10.0.0.1:8081', '0', 'a', db_now_us(), db_now_us())"
        )
    with pytest.raises(StoreRefused, match=r"daemons run on the database: delhi-1 \(10\.0\.0\.1:8081\)"):
        await moved(file, prepared)
    assert read_move(file) is None


async def test_an_old_schema_is_refused(file: Path, location: PostgresqlLocation) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA user_version = 5")
    with pytest.raises(StoreRefused, match="start its daemon once"):
        await moved(file, location)


async def test_another_account_is_refused(
    file: Path, prepared: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    with postgresql_database.connect() as connection:
        connection.execute("INSERT INTO database_account VALUES (1, 'example2')")
    with pytest.raises(StoreRefused, match="belongs to the account example2"):
        await moved(file, prepared)


async def test_what_does_not_arrive_whole_is_undone(
    file: Path, prepared: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    with postgresql_database.connect() as connection:
        connection.execute("CREATE RULE loses AS ON INSERT TO leads DO INSTEAD NOTHING")
    with pytest.raises(StoreRefused, match="the table leads differs"):
        await moved(file, prepared)
    with postgresql_database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM calls").fetchone() == (0,)
        connection.execute("DROP RULE loses ON leads")
    assert read_move(file) is None
    await moved(file, prepared)


async def test_what_was_cut_off_before_the_commit_begins_anew(
    file: Path, location: PostgresqlLocation
) -> None:
    write_move(file, Move(str(location), NOON, is_finished=False))
    with pytest.raises(StoreRefused, match="was cut off; run `missedd migrate-store` again"):
        await check_openable(InlineDriver(), file)
    elsewhere = PostgresqlLocation("postgresql://h9/other")
    with pytest.raises(StoreRefused, match="run the command again with that url"):
        await moved(file, elsewhere)
    assert not (await moved(file, location)).was_there


async def test_what_was_cut_off_after_the_commit_is_compared_and_finished(
    file: Path, location: PostgresqlLocation, postgresql_database: PostgresqlDatabase
) -> None:
    await moved(file, location)
    write_move(file, Move(str(location), NOON, is_finished=False))
    assert (await moved(file, location)).was_there
    assert read_move(file) == Move(str(location), NOON, is_finished=True)
    write_move(file, Move(str(location), NOON, is_finished=False))
    with postgresql_database.connect() as connection:
        connection.execute("UPDATE calls SET reason = 'other'")
    with pytest.raises(StoreRefused, match="the table calls differs"):
        await moved(file, location)
