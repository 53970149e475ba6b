"""`missedd release`: end the quarantine after a restore, through the running daemon or without one."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import trio

from missedd.base.clock import SystemClock
from missedd.commands.shared.daemon_client import DaemonNotRunning, call_api, run_with_settings
from missedd.commands.shared.options import FAILED, OK, add_config_option
from missedd.config.loader import Settings, StoreLocation
from missedd.store.actions.quarantine import quarantined_until, release_quarantine
from missedd.store.db.database import StoreRefused
from missedd.store.sqlite.read_access import check_database_exists
from missedd.store.store import driver_for, open_store

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "release",
        help="after a restore: let pending actions go, or drop them",
        description="After `missedd restore` nothing is sent for earlier calls: their actions wait in "
        "quarantine. This command ends the quarantine. Actions that are too old expire, and the others "
        "are sent. With --drop all of them are dropped.",
    )
    add_config_option(parser)
    parser.add_argument("--drop", action="store_true", help="drop the actions and send none of them")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_settings(args.config, partial(_release, args.drop))


def _release(drop: bool, settings: Settings) -> int:
    """By the daemon if there is one, as only it can wake for what is released."""
    try:
        said = call_api(settings, "/api/v1/quarantine", method="GET")
        is_over = said.is_ok and said.body["since"] is None
        if not is_over:
            said = call_api(settings, "/api/v1/quarantine/release", {"drop": drop})
        if not said.is_ok:
            print(said.detail, file=sys.stderr)
            return FAILED
        count = None if is_over else int(said.body["actions"])
    except DaemonNotRunning:
        try:
            count = _release_offline(settings.store, drop=drop)
        except StoreRefused as refusal:
            print(refusal, file=sys.stderr)
            return FAILED
    if count is None:
        print("there is no quarantine: nothing was restored, or it was released already")
        return OK
    if not count:
        print("nothing to release: no action waits after a restore")
        return OK
    print(f"{count:,} actions {'dropped' if drop else 'released'}; the quarantine is over")
    return OK


def _release_offline(location: StoreLocation, *, drop: bool) -> int | None:
    """How many actions it was; None where there is no quarantine."""
    if isinstance(location, Path):
        check_database_exists(location)

    async def write() -> int | None:
        async with driver_for(location) as driver, open_store(driver, location, "missedd release") as store:
            if await store.read(quarantined_until) is None:
                return None
            unit = partial(release_quarantine, now=SystemClock().now(), drop=drop)
            return (await store.write(unit, offload=True)).actions

    return trio.run(write)
