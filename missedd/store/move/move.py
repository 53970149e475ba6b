"""Moves the content of a SQLite database into an empty PostgreSQL, in one transaction, and checks it there.

What was pending is sent by the daemons on the PostgreSQL from then on. At no moment may a daemon run on
either side: the file is locked and marked first, then the content is committed on the other side, and then
the mark says that it is there. Whatever dies in between, one of the two databases refuses, and a second run
finishes the first one or begins anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import trio

from missedd.base.clock import from_us, to_iso
from missedd.config.store_location import PostgresqlLocation
from missedd.core.api_types.analytics import FiguresJson
from missedd.store.cluster.running_nodes import check_no_daemon
from missedd.store.db.database import Database, NotDurable, ReadOnlyDatabase, Row, StoreRefused
from missedd.store.move.moved_tables import MovedTable, highest_ids, moved_tables, table_sums
from missedd.store.move.target import (
    check_columns,
    clear_tables,
    filled_table,
    set_sequences,
)
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.rollups.facts import campaigns
from missedd.store.rollups.query import load_analytics
from missedd.store.sqlite.inline_driver import InlineDatabase
from missedd.store.sqlite.lock import lock_database
from missedd.store.sqlite.migrate import check_schema
from missedd.store.sqlite.moved import Move, read_move, remove_move, write_move
from missedd.store.sqlite.read_access import check_database_exists
from missedd.store.sqlite.read_only import open_read_only

ROWS_PER_BATCH: Final = 5_000
"""Rows of one COPY: some megabytes, and a step of the progress bar that can be seen."""

CAMPAIGNS_COMPARED: Final = 5
RECENT: Final = timedelta(days=7)

type Progress = Callable[[int, int], None]
"""Called with the number of rows that are copied, and the number of all rows."""


@dataclass(frozen=True, slots=True)
class MoveResult:
    rows: dict[str, int]
    """The number of rows by table."""
    pending: int
    """Actions without an outcome."""
    was_there: bool = False
    """An earlier run had moved everything, and only its last step was missing."""


@dataclass(frozen=True, slots=True)
class _Source:
    """The SQLite database, read and locked: nothing of it changes meanwhile."""

    path: Path
    connection: sqlite3.Connection
    tables: list[MovedTable]
    sums: dict[str, Row]
    analytics: dict[tuple[str | None, datetime | None], FiguresJson]
    timezone: str

    @property
    def result(self) -> MoveResult:
        (pending,) = self.connection.execute("SELECT count(*) FROM actions WHERE state != 'done'").fetchone()
        return MoveResult({name: sums[0] for name, sums in self.sums.items()}, pending)


async def move_store(
    path: Path,
    location: PostgresqlLocation,
    account_sid: str,
    timezone: str,
    now: datetime,
    progress: Progress,
    *,
    dry_run: bool = False,
) -> MoveResult:
    """Move everything from the file at `path` to `location`. With `dry_run` only check that it would work.

    `account_sid` and `timezone` are those of the configuration that names `location`. Raises `StoreRefused`,
    and then nothing was moved.
    """
    check_database_exists(path)
    with lock_database(path, "missedd migrate-store"):
        try:
            with closing(open_read_only(path)) as connection:
                source = await _read_source(path, connection, timezone)
                return await _move(source, location, account_sid, now, progress, dry_run)
        except sqlite3.Error as failure:
            raise StoreRefused(f"cannot read the database {path}: {failure}") from failure


async def _read_source(path: Path, connection: sqlite3.Connection, timezone: str) -> _Source:
    db = InlineDatabase(connection)
    await check_schema(db)
    tables = moved_tables(connection)
    sums = {table.name: table_sums(connection, table) for table in tables}
    return _Source(path, connection, tables, sums, await _analytics(db, timezone), timezone)


async def _analytics(
    db: ReadOnlyDatabase, timezone: str
) -> dict[tuple[str | None, datetime | None], FiguresJson]:
    """The analytics of some campaigns, and of all together: of all time, and of the last days of calls."""
    ((latest,),) = await db.fetch_all("SELECT max(called_at) FROM calls")
    since = None if latest is None else from_us(latest) - RECENT
    names = sorted(await campaigns(db))[:CAMPAIGNS_COMPARED]
    return {
        (name, begin): await load_analytics(db, name, begin, None, timezone)
        for name in (None, *names)
        for begin in dict.fromkeys((None, since))
    }


async def _move(
    source: _Source,
    location: PostgresqlLocation,
    account_sid: str,
    now: datetime,
    progress: Progress,
    dry_run: bool,
) -> MoveResult:
    earlier = read_move(source.path)
    _check_earlier(source.path, earlier, location)
    driver = PostgresqlDriver()
    if dry_run:
        await driver.check(location, account_sid)
    else:
        await driver.prepare(location, account_sid)
    writing = await driver.open(location, read_only=dry_run)
    try:
        filled = await writing.read(lambda db: _check_target(db, source.tables))
        if filled is not None and earlier is None:
            raise StoreRefused(
                f"the database {location} is not empty: its table {filled} has rows; name an empty database"
            )
        if dry_run:
            return source.result
        move = Move(str(location), now, is_finished=False)
        if filled is not None:
            await writing.read(lambda db: _check_equal(db, source))
            write_move(source.path, replace(move, is_finished=True))
            return replace(source.result, was_there=True)
        write_move(source.path, move)
        try:
            (failure,) = await writing.write([lambda db: _copy_all(db, source, progress)], offload=True)
        except NotDurable as lost:
            failure = lost
        if failure is not None:
            # Nothing was committed: the daemon on the file may go on.
            remove_move(source.path)
            raise StoreRefused(f"nothing was moved to {location}: {failure}") from failure
        write_move(source.path, replace(move, is_finished=True))
        return source.result
    finally:
        with trio.CancelScope(shield=True):
            await writing.close()


def _check_earlier(path: Path, earlier: Move | None, location: PostgresqlLocation) -> None:
    if earlier is None:
        return
    if earlier.is_finished:
        raise StoreRefused(
            f"the database {path} was moved to {earlier.target} at {to_iso(earlier.at)} already"
        )
    if earlier.target != str(location):
        raise StoreRefused(
            f"a move of the database {path} to {earlier.target} was cut off; "
            f"run the command again with that url, and not with {location}"
        )


async def _check_target(db: ReadOnlyDatabase, tables: Sequence[MovedTable]) -> str | None:
    """A table that has rows already. Raises `StoreRefused` if the database cannot be filled at all."""
    if not await db.fetch_all("SELECT 1 WHERE to_regclass('nodes') IS NOT NULL"):
        return None  # a dry run, on a database without our tables
    await check_no_daemon(db)
    await check_columns(db, tables)
    return await filled_table(db, tables)


async def _copy_all(db: Database, source: _Source, progress: Progress) -> None:
    await clear_tables(db, source.tables)
    total, done = sum(sums[0] for sums in source.sums.values()), 0
    progress(0, total)
    for table in source.tables:
        rows = source.connection.execute(table.select)
        while batch := rows.fetchmany(ROWS_PER_BATCH):
            try:
                await db.executemany(table.insert, batch)
            except Exception as failure:
                failure.add_note(f"while rows of {table.name} were copied")
                raise
            done += len(batch)
            progress(done, total)
    await set_sequences(db, highest_ids(source.connection))
    await _check_equal(db, source)


async def _check_equal(db: ReadOnlyDatabase, source: _Source) -> None:
    """Raise `StoreRefused` unless counts, sums and analytics are those of the source."""
    for table in source.tables:
        (sums,) = await db.fetch_all(table.sums)
        if tuple(sums) != tuple(source.sums[table.name]):
            raise StoreRefused(
                f"the table {table.name} differs: {source.sums[table.name]} in the file, {sums} in the "
                "PostgreSQL (the number of rows, then counts and sums of each column)"
            )
    for (campaign, since), expected in source.analytics.items():
        if await load_analytics(db, campaign, since, None, source.timezone) != expected:
            raise StoreRefused(f"the analytics of {campaign or 'all campaigns'} since {since} differ")
