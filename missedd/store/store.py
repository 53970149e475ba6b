"""The store as the engine knows it: open, write, read, closed in the right order."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

import trio

from missedd.store.backup.upgrade_copy import (
    AS_USUAL,
    Upgrade,
    Upgraded,
    check_copy,
    keep_copy,
    said_alive,
    version_ahead,
    way_back,
)
from missedd.store.db.database import Connection, NotDurable, StoreRefused, Unit
from missedd.store.db.integrity import check_integrity, way_out
from missedd.store.db.lock import exclusive
from missedd.store.db.migrate import LATEST, NewerSchema, check, known_version, migrate
from missedd.store.db.path_check import check_place, mounted_read_only
from missedd.store.db.read_access import check_there, may_not_read
from missedd.store.db.writer import Writer


class Driver(Protocol):
    async def open(self, path: Path, *, read_only: bool) -> Connection: ...


class Store:
    """One database: a writer with group commit, and a reader of its own."""

    def __init__(
        self,
        path: Path,
        writer: Writer,
        reader: Connection,
        *,
        is_checked: bool,
        upgraded: Upgraded | None = None,
    ) -> None:
        self.path = path
        self._writer = writer
        self._reader = reader
        self.is_checked = is_checked
        """Whether the whole file was read when it was opened, and found well."""
        self.upgraded = upgraded
        """What was done to its schema when it was opened."""

    async def write[T](
        self, unit: Unit[T], then: Callable[[T], None] | None = None, *, aside: bool = False
    ) -> T:
        """Run a unit of work durably; see `Writer.write` for its arguments and for what it raises."""
        return await self._writer.write(unit, then, aside=aside)

    @property
    def trouble(self) -> str | None:
        """Why nothing can be committed just now; None while all is well."""
        return self._writer.trouble

    @property
    def commit_failures(self) -> int:
        """How many transactions could not be made durable since the start."""
        return self._writer.commit_failures

    async def read[T](self, unit: Unit[T]) -> T:
        """Run a reading unit on a consistent snapshot that never waits for the writer."""
        return await self._reader.read(unit)


@asynccontextmanager
async def open_store(
    driver: Driver, path: Path, owner: str, upgrade: Upgrade = AS_USUAL
) -> AsyncIterator[Store]:
    """Open the daemon's store, alone on its file, with its schema up to date.

    Leaving the block lets the writer finish what waits, then closes both connections. Raises
    `StoreRefused` where the file cannot be used.
    """
    check_place(path)
    with exclusive(path, owner):
        connection, upgraded = await _upgraded(driver, path, upgrade)
        try:
            reader = await _open(driver, path, read_only=True)
            try:
                is_checked = await _checked(reader, path)
                async with trio.open_nursery() as nursery:
                    writer = Writer(connection)
                    nursery.start_soon(writer.run, name="store writer")
                    try:
                        yield Store(path, writer, reader, is_checked=is_checked, upgraded=upgraded)
                    finally:
                        writer.close()
            finally:
                with trio.CancelScope(shield=True):
                    await reader.close()
        finally:
            with trio.CancelScope(shield=True):
                await connection.close()


async def look_over(driver: Driver, path: Path) -> None:
    """Raise `StoreRefused` for all that would keep `open_store` from opening it, and change nothing.

    That a daemon has it is no such thing: it is looked at beside that one.
    """
    check_place(path)
    if path.exists():
        async with open_reader(driver, path, known_version) as reader:
            await _checked(reader, path)
    if (version := version_ahead(path)) is not None:
        check_copy(path, version)


@asynccontextmanager
async def open_reader(driver: Driver, path: Path, schema: Unit[int] = check) -> AsyncIterator[Connection]:
    """A reading connection beside a daemon that may be running: for `missedd why` and `missedd report`.

    `schema` refuses what this missedd cannot read: by default all but the newest version.
    """
    check_there(path)
    reader = await _open(driver, path, read_only=True, schema=schema)
    try:
        yield reader
    finally:
        with trio.CancelScope(shield=True):
            await reader.close()


async def _checked(reader: Connection, path: Path) -> bool:
    try:
        return await reader.read(check_integrity)
    except (sqlite3.Error, StoreRefused) as failure:
        raise StoreRefused(way_out(path, failure)) from failure


async def _upgraded(driver: Driver, path: Path, upgrade: Upgrade) -> tuple[Connection, Upgraded | None]:
    """A connection for writing; an older schema is kept as a copy, then brought up to date."""
    version = version_ahead(path)
    if version is None:
        return await _open(driver, path, read_only=False), None
    began_s = trio.current_time()
    with said_alive(upgrade.alive):
        copy = await trio.to_thread.run_sync(keep_copy, path, version) if upgrade.is_copied else None
        connection = await _open(driver, path, read_only=False)
    return connection, Upgraded(version, LATEST, copy, trio.current_time() - began_s)


async def _open(driver: Driver, path: Path, *, read_only: bool, schema: Unit[int] = check) -> Connection:
    """A connection on which the schema is the one we know; a damaged file shows here, if it can."""
    try:
        connection = await driver.open(path, read_only=read_only)
        try:
            if read_only:
                await connection.read(schema)
            else:
                (result,) = await connection.write([migrate], aside=True)
                if isinstance(result, BaseException):
                    raise result
        except BaseException:
            with trio.CancelScope(shield=True):
                await connection.close()
            raise
    except NewerSchema as refusal:
        raise StoreRefused(f"{refusal}{way_back(path, LATEST)}") from refusal
    except (sqlite3.Error, NotDurable) as failure:
        if read_only and not os.access(path.parent, os.W_OK):
            # A database in use is read by way of a file beside it.
            raise StoreRefused(mounted_read_only(path) or may_not_read(path)) from failure
        raise StoreRefused(way_out(path, failure)) from failure
    return connection
