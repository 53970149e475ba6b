"""What `missedd check` asks of the database: whether a daemon would start on it, and what then happens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from missedd.base.clock import SystemClock
from missedd.config.loader import PostgresqlLocation, Settings
from missedd.core.contact_countries import ExcludedCallers
from missedd.store.backup.upgrade_copy import COPY_RETENTION, check_copy_possible, outdated_version
from missedd.store.cluster.standbys import why_not_synchronous
from missedd.store.cluster.status import read_cluster_status
from missedd.store.people.excluded_callers import load_excluded_callers
from missedd.store.sqlite.lock import lock_holder
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.sqlite.read_access import has_database
from missedd.store.store import Driver, SharedDriver, check_openable, driver_for, open_reader


@dataclass(frozen=True, slots=True)
class StoreCheck:
    """The state of a database on which a daemon would start."""

    excluded: tuple[ExcludedCallers, ...] = ()
    """Recent callers whom the configuration would not contact."""
    warnings: tuple[str, ...] = ()
    next_start: tuple[str, ...] = ()
    """What the next start does to the database, in words."""
    users: str = ""
    """Who uses it now, in words; empty for nobody."""


async def check_store(settings: Settings) -> StoreCheck:
    """Raises `StoreRefused` for everything that would keep a daemon from starting; changes nothing."""
    async with driver_for(settings.store) as driver:
        if isinstance(settings.store, PostgresqlLocation):
            if not isinstance(driver, SharedDriver):
                raise AssertionError("the driver of a PostgreSQL is shared")
            return await _check_shared(driver, settings.store, settings)
        await check_openable(driver, settings.store)
        return StoreCheck(
            await _excluded(driver, settings) if has_database(settings.store) else (),
            next_start=tuple(_upgrade_of(settings.store)),
            users=lock_holder(settings.store) or "",
        )


async def _check_shared(driver: SharedDriver, location: PostgresqlLocation, settings: Settings) -> StoreCheck:
    from missedd.store.postgresql.migrate import LATEST_VERSION as LATEST_SHARED_VERSION

    version = await driver.check(location, settings.exotel.account_sid)
    reading = await driver.open(location, read_only=True)
    try:
        why_not = await reading.read(why_not_synchronous)
    finally:
        await reading.close()
    single = (
        f"store.url: {why_not}, so acknowledged calls are lost if the database's machine is; docs/cluster.md "
        "says how to set up a synchronous standby"
    )
    warnings = () if why_not is None else (single,)
    if not version:
        return StoreCheck(warnings=warnings, next_start=("the next start makes missedd's tables",))
    next_start = (
        (f"the next start brings the database from schema version {version} to {LATEST_SHARED_VERSION}",)
        if version < LATEST_SHARED_VERSION
        else ()
    )
    async with open_reader(driver, location, any_schema=True) as reader:
        status = await reader.read(read_cluster_status)
    return StoreCheck(
        await _excluded(driver, settings),
        warnings,
        next_start,
        ", ".join(node.label for node in status.living),
    )


async def _excluded(driver: Driver, settings: Settings) -> tuple[ExcludedCallers, ...]:
    """A database that awaits its upgrade is read too: that is when it matters most."""
    query = partial(load_excluded_callers, policy=settings.policy, now=SystemClock().now())
    async with open_reader(driver, settings.store, any_schema=True) as reader:
        return tuple(await reader.read(query))


def _upgrade_of(path: Path) -> Iterator[str]:
    if (version := outdated_version(path)) is not None:
        yield (
            f"the next start brings the database from schema version {version} to {LATEST_VERSION}, and "
            f"keeps a copy of it as {check_copy_possible(path, version).name} for {COPY_RETENTION.days} days"
        )
