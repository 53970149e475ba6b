"""The store as the engine uses it: opened, written to, read from, and closed in the right order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from missedd.config.store_location import PostgresqlLocation, StoreLocation
from missedd.store.backup.upgrade_copy import DEFAULT_UPGRADE, UpgradeOptions
from missedd.store.db.database import DatabaseConnection
from missedd.store.open_file import check_file, open_file, open_file_reader
from missedd.store.open_shared import check_shared, open_shared, open_shared_reader
from missedd.store.opened_store import Driver, SharedDriver, Store
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.store.sqlite.migrate import check_schema, supported_version

__all__ = [
    "Driver",
    "SharedDriver",
    "Store",
    "check_openable",
    "driver_for",
    "open_reader",
    "open_store",
]


@asynccontextmanager
async def driver_for(location: StoreLocation) -> AsyncIterator[Driver]:
    """The driver of the real daemon, and of commands, for this database."""
    if isinstance(location, PostgresqlLocation):
        # Only whoever configures a PostgreSQL loads its client library.
        from missedd.store.postgresql.driver import PostgresqlDriver

        yield PostgresqlDriver()
    else:
        async with aio_driver() as driver:
            yield driver


def open_store(
    driver: Driver,
    location: StoreLocation,
    owner: str,
    upgrade_options: UpgradeOptions = DEFAULT_UPGRADE,
    *,
    account_sid: str | None = None,
) -> AbstractAsyncContextManager[Store]:
    """Open the daemon's store, and bring its schema up to date.

    On a file this is the only daemon: another one is told of `owner`. On a PostgreSQL it is one of several,
    and all serve the account `account_sid`. When the block ends, the writer finishes the units that wait,
    and then the connections are closed. Raises `StoreRefused` if the database cannot be used.
    """
    if isinstance(location, PostgresqlLocation):
        return open_shared(driver, location, upgrade_options, account_sid)
    return open_file(driver, location, owner, upgrade_options)


async def check_openable(driver: Driver, location: StoreLocation, account_sid: str | None = None) -> None:
    """Raise `StoreRefused` for everything that would make `open_store` fail; changes nothing.

    A daemon that has the database open is no failure: the check reads beside that daemon.
    """
    if isinstance(location, PostgresqlLocation):
        await check_shared(driver, location, account_sid)
    else:
        await check_file(driver, location)


def open_reader(
    driver: Driver, location: StoreLocation, *, any_schema: bool = False
) -> AbstractAsyncContextManager[DatabaseConnection]:
    """A reading connection, even while a daemon is running: for `missedd why` and `missedd report`.

    Refuses a schema that is not the newest, unless `any_schema`: then only one that this missedd does not
    know. Raises `StoreRefused`.
    """
    if isinstance(location, PostgresqlLocation):
        return open_shared_reader(driver, location, any_schema=any_schema)
    return open_file_reader(driver, location, supported_version if any_schema else check_schema)
