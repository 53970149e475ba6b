"""The store as the engine uses it: opened, written to, read from, and closed in the right order."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import copy
from functools import partial
from pathlib import Path
from typing import Protocol

import trio

from missedd.config.store_location import StoreLocation
from missedd.store.backup.upgrade_copy import (
    DEFAULT_UPGRADE,
    UpgradeOptions,
    UpgradeResult,
    check_copy_possible,
    downgrade_advice,
    make_upgrade_copy,
    outdated_version,
    reporting_alive,
)
from missedd.store.db.database import (
    Database,
    DatabaseConnection,
    NewerSchema,
    NotDurable,
    StoreRefused,
    UnitOfWork,
)
from missedd.store.db.lock_keys import EVERYTHING, LockKeys
from missedd.store.db.writer import Writer
from missedd.store.sqlite.integrity import check_integrity, recovery_advice
from missedd.store.sqlite.lock import lock_database
from missedd.store.sqlite.migrate import LATEST_VERSION, check_schema, migrate, supported_version
from missedd.store.sqlite.path_check import check_path, read_only_mount_message
from missedd.store.sqlite.read_access import check_database_exists, unreadable_message
from missedd.store.sqlite.sqlite_location import require_sqlite

SQLITE_ONLY = "this version keeps its database in a file"


class Driver(Protocol):
    async def open(self, path: Path, *, read_only: bool) -> DatabaseConnection: ...


class Store:
    """One database: a writer with group commit, and a reader of its own."""

    def __init__(
        self,
        path: Path,
        writer: Writer,
        reader: DatabaseConnection,
        *,
        is_checked: bool,
        upgrade_result: UpgradeResult | None = None,
    ) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self.is_checked = is_checked
        """Whether the whole file was checked when it was opened; a very large file is not."""
        self.upgrade_result = upgrade_result
        """The upgrade of the schema when the file was opened; None if the schema was the newest."""
        self._fence: UnitOfWork[None] | None = None

    def fenced(self, fence: UnitOfWork[None] | None) -> Store:
        """The same store, except that `fence` runs first in the transaction of each unit that writes.

        If it raises, the unit does not run, and `write` raises the same; other units are not hurt.
        """
        fenced = copy(self)
        fenced._fence = fence
        return fenced

    async def write[T](
        self,
        unit: UnitOfWork[T],
        on_commit: Callable[[T], None] | None = None,
        *,
        offload: bool = False,
        locks: LockKeys = EVERYTHING,
    ) -> T:
        """Run a unit of work durably; see `Writer.write` for its arguments and for what it raises."""
        if self._fence is not None:
            unit = partial(_run_fenced, fence=self._fence, unit=unit)
        return await self._writer.write(unit, on_commit, offload=offload, locks=locks)

    @property
    def last_commit_error(self) -> str | None:
        """Why nothing can be committed at the moment; None while commits succeed."""
        return self._writer.last_commit_error

    @property
    def commit_failures(self) -> int:
        """How many transactions could not be made durable since the start."""
        return self._writer.commit_failures

    async def read[T](self, unit: UnitOfWork[T]) -> T:
        """Run a reading unit on a consistent snapshot that never waits for the writer."""
        return await self._reader.read(unit)

    async def check_answers(self) -> None:
        """Read something small, for a watchdog; raises what every read raises."""
        await self._reader.read(lambda db: db.engine.schema_version(db))


async def _run_fenced[T](db: Database, fence: UnitOfWork[None], unit: UnitOfWork[T]) -> T:
    await fence(db)
    return await unit(db)


@asynccontextmanager
async def open_store(
    driver: Driver, location: StoreLocation, owner: str, upgrade_options: UpgradeOptions = DEFAULT_UPGRADE
) -> AsyncIterator[Store]:
    """Open the daemon's store, as the only daemon on the file, and bring its schema up to date.

    When the block ends, the writer finishes the units that wait, and then both connections are closed.
    Raises `StoreRefused` if the file cannot be used.
    """
    path = require_sqlite(location, SQLITE_ONLY)
    check_path(path)
    with lock_database(path, owner):
        connection, upgraded = await _open_upgraded(driver, path, upgrade_options)
        try:
            reader = await _open(driver, path, read_only=True)
            try:
                is_checked = await _check_integrity(reader, path)
                async with trio.open_nursery() as nursery:
                    writer = Writer(connection)
                    nursery.start_soon(writer.run, name="store writer")
                    try:
                        yield Store(path, writer, reader, is_checked=is_checked, upgrade_result=upgraded)
                    finally:
                        writer.close()
            finally:
                with trio.CancelScope(shield=True):
                    await reader.close()
        finally:
            with trio.CancelScope(shield=True):
                await connection.close()


async def check_openable(driver: Driver, location: StoreLocation) -> None:
    """Raise `StoreRefused` for everything that would make `open_store` fail; changes nothing.

    A daemon that has the database open is no failure: the check reads beside that daemon.
    """
    path = require_sqlite(location, SQLITE_ONLY)
    check_path(path)
    if path.exists():
        async with open_reader(driver, path, supported_version) as reader:
            await _check_integrity(reader, path)
    if (version := outdated_version(path)) is not None:
        check_copy_possible(path, version)


@asynccontextmanager
async def open_reader(
    driver: Driver, location: StoreLocation, schema: UnitOfWork[int] = check_schema
) -> AsyncIterator[DatabaseConnection]:
    """A reading connection, even while a daemon is running: for `missedd why` and `missedd report`.

    `schema` is the unit that refuses a schema which this missedd cannot read: by default every version but
    the newest. Raises `StoreRefused`.
    """
    path = require_sqlite(location, SQLITE_ONLY)
    check_database_exists(path)
    reader = await _open(driver, path, read_only=True, schema=schema)
    try:
        yield reader
    finally:
        with trio.CancelScope(shield=True):
            await reader.close()


async def _check_integrity(reader: DatabaseConnection, path: Path) -> bool:
    try:
        return await reader.read(check_integrity)
    except (sqlite3.Error, StoreRefused) as failure:
        raise StoreRefused(recovery_advice(path, failure)) from failure


async def _open_upgraded(
    driver: Driver, path: Path, upgrade_options: UpgradeOptions
) -> tuple[DatabaseConnection, UpgradeResult | None]:
    """A connection for writing; with an older schema, the database is copied and then migrated."""
    version = outdated_version(path)
    if version is None:
        return await _open(driver, path, read_only=False), None
    began_s = trio.current_time()
    with reporting_alive(upgrade_options.report_alive):
        copy = (
            await trio.to_thread.run_sync(make_upgrade_copy, path, version)
            if upgrade_options.makes_copy
            else None
        )
        connection = await _open(driver, path, read_only=False)
    return connection, UpgradeResult(version, LATEST_VERSION, copy, trio.current_time() - began_s)


async def _open(
    driver: Driver, path: Path, *, read_only: bool, schema: UnitOfWork[int] = check_schema
) -> DatabaseConnection:
    """A connection with a schema that we know; raises `StoreRefused`, for example for a damaged file."""
    try:
        connection = await driver.open(path, read_only=read_only)
        try:
            if read_only:
                await connection.read(schema)
            else:
                (result,) = await connection.write([migrate], offload=True)
                if isinstance(result, BaseException):
                    raise result
        except BaseException:
            with trio.CancelScope(shield=True):
                await connection.close()
            raise
    except NewerSchema as refusal:
        raise StoreRefused(f"{refusal}{downgrade_advice(path, LATEST_VERSION)}") from refusal
    except (sqlite3.Error, NotDurable) as failure:
        if read_only and not os.access(path.parent, os.W_OK):
            # A reader of a database in use must be able to write to the log's index beside it.
            raise StoreRefused(read_only_mount_message(path) or unreadable_message(path)) from failure
        raise StoreRefused(recovery_advice(path, failure)) from failure
    return connection
