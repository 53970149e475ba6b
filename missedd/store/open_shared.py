"""Opens a PostgreSQL as a store, beside the daemons that have it open already."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from missedd.config.store_location import PostgresqlLocation
from missedd.store.backup.upgrade_copy import UpgradeOptions, UpgradeResult, reporting_alive
from missedd.store.db.database import DatabaseConnection, StoreRefused
from missedd.store.db.writer import Writer
from missedd.store.opened_store import Driver, SharedDriver, Store
from missedd.store.sqlite.read_access import NO_DATABASE_HINT


@asynccontextmanager
async def open_shared(
    driver: Driver, location: PostgresqlLocation, upgrade_options: UpgradeOptions, account_sid: str | None
) -> AsyncIterator[Store]:
    """See `open_store`. The database's own backups take the place of a copy before an upgrade."""
    shared = _shared(driver)
    upgraded = await _prepare(shared, location, upgrade_options, account_sid)
    connection = await driver.open(location, read_only=False)
    try:
        reader = await driver.open(location, read_only=True)
        try:
            async with trio.open_nursery() as nursery:
                writer = Writer(connection)
                nursery.start_soon(shared.keep_connected, connection, name="store connection")
                nursery.start_soon(_run_to_end, writer, nursery.cancel_scope, name="store writer")
                try:
                    yield Store(None, writer, reader, is_checked=True, upgrade_result=upgraded)
                finally:
                    writer.close()
        finally:
            with trio.CancelScope(shield=True):
                await reader.close()
    finally:
        with trio.CancelScope(shield=True):
            await connection.close()


async def check_shared(driver: Driver, location: PostgresqlLocation, account_sid: str | None) -> None:
    """See `check_openable`."""
    await _shared(driver).check(location, account_sid)


@asynccontextmanager
async def open_shared_reader(
    driver: Driver, location: PostgresqlLocation, *, any_schema: bool
) -> AsyncIterator[DatabaseConnection]:
    """See `open_reader`."""
    from missedd.store.postgresql.migrate import LATEST_VERSION

    version = await _shared(driver).check(location, read_only=True)
    if not version:
        raise StoreRefused(f"there are no tables of missedd in the database {location}; {NO_DATABASE_HINT}")
    if version < LATEST_VERSION and not any_schema:
        raise StoreRefused(
            f"the database {location} has schema version {version}, this missedd reads {LATEST_VERSION}; "
            "start its daemon once, which brings the database up to date"
        )
    reader = await driver.open(location, read_only=True)
    try:
        yield reader
    finally:
        with trio.CancelScope(shield=True):
            await reader.close()


async def _run_to_end(writer: Writer, scope: trio.CancelScope) -> None:
    """Run the writer until the units that wait are done; then nobody needs the connection any more."""
    await writer.run()
    scope.cancel()


async def _prepare(
    driver: SharedDriver,
    location: PostgresqlLocation,
    upgrade_options: UpgradeOptions,
    account_sid: str | None,
) -> UpgradeResult | None:
    began_s = trio.current_time()
    with reporting_alive(upgrade_options.report_alive):
        before, after = await driver.prepare(location, account_sid)
    return UpgradeResult(before, after, None, trio.current_time() - began_s) if 0 < before < after else None


def _shared(driver: Driver) -> SharedDriver:
    if not isinstance(driver, SharedDriver):
        raise AssertionError(f"{type(driver).__name__} is no driver of PostgreSQL")
    return driver
