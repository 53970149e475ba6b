"""`missedd release`: end the quarantine after a restore, through the running daemon or without one."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

import httpx
import trio

from missedd.clock import SystemClock
from missedd.commands.common import FAILED, OK, add_config, private_url, say_problems
from missedd.config import ConfigProblems, Settings, load
from missedd.store.aio import aio_driver
from missedd.store.database import StoreRefused
from missedd.store.quarantine import Released, release
from missedd.store.store import open_store

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "release",
        help="after a restore: let pending actions go, or drop them",
        description="After `missedd restore` nothing that is owed for an earlier call is sent. This ends "
        "that: what waits goes to its gates, where the too old expires, and the rest is sent. With --drop "
        "all of it is dropped.",
    )
    add_config(parser)
    parser.add_argument("--drop", action="store_true", help="send none of it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = load(args.config, os.environ)
    except ConfigProblems as problems:
        return say_problems(problems)
    try:
        count = _release(settings, drop=args.drop)
    except (StoreRefused, httpx.HTTPError) as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    print(f"{count:,} actions {'dropped' if args.drop else 'released'}; the quarantine is over")
    return OK


def _release(settings: Settings, *, drop: bool) -> int:
    """How many actions it was; by the daemon if there is one, as only it can wake for them."""
    with httpx.Client(base_url=private_url(settings), timeout=60, trust_env=False) as http:
        try:
            answer = http.post("/api/v1/quarantine/release", json={"drop": drop})
        except httpx.ConnectError:
            return _without_daemon(settings.store_path, drop=drop)
        answer.raise_for_status()
        return int(answer.json()["actions"])


def _without_daemon(path: Path, *, drop: bool) -> int:
    if not path.exists():
        raise StoreRefused(f"there is no database at {path}")

    async def write() -> Released:
        async with aio_driver() as driver, open_store(driver, path, "missedd release") as store:
            return await store.write(partial(release, now=SystemClock().now(), drop=drop))

    return trio.run(write).actions
