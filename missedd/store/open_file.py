"""Opens a SQLite file as a store: locked, checked, and with the newest schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from missedd.store.backup.upgrade_copy import (
    UpgradeOptions,
    UpgradeResult,
    check_copy_possible,
    downgrade_advice,
    make_upgrade_copy,
    outdated_version,
    reporting_alive,
)
from missedd.store.db.database import DatabaseConnection, NewerSchema, NotDurable, StoreRefused, UnitOfWork
from missedd.store.db.writer import Writer
from missedd.store.opened_store import Driver, Store
from missedd.store.sqlite.integrity import check_integrity, recovery_advice
from missedd.store.sqlite.lock import lock_database
from missedd.store.sqlite.migrate import LATEST_VERSION, check_schema, migrate, supported_version
from missedd.store.sqlite.moved import check_not_moved
from missedd.store.sqlite.path_check import check_path, read_only_mount_message
from missedd.store.sqlite.read_access import check_database_exists, unreadable_message


@asynccontextmanager
async def open_file(
    driver: Driver, path: Path, owner: str, upgrade_options: UpgradeOptions
) -> AsyncIterator[Store]:
    """See `open_store`. Nobody else uses the file meanwhile."""
    check_path(path)
    check_not_moved(path)
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


async def check_file(driver: Driver, path: Path) -> None:
    """See `check_openable`."""
    check_path(path)
    check_not_moved(path)
    if path.exists():
        async with open_file_reader(driver, path, supported_version) as reader:
            await _check_integrity(reader, path)
    if (version := outdated_version(path)) is not None:
        check_copy_possible(path, version)


@asynccontextmanager
async def open_file_reader(
    driver: Driver, path: Path, schema: UnitOfWork[int]
) -> AsyncIterator[DatabaseConnection]:
    """See `open_reader`; `schema` is the unit that refuses a schema which this missedd cannot read."""
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
