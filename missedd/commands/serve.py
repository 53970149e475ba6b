"""`missedd serve`: the daemon in the foreground."""

from __future__ import annotations

import argparse
import logging
import os
import resource
import sys
from functools import partial
from random import SystemRandom

import trio

from missedd.base.clock import SystemClock, suspended_s
from missedd.commands.shared.options import FAILED, OK, add_config_option, run_with_config
from missedd.config.loader import LoadedConfig
from missedd.daemon.daemon import serve
from missedd.daemon.listen_checks import CannotListen
from missedd.engine.environment import Environment
from missedd.log.library_warnings import LibraryLogBridge
from missedd.log.logger import Event, create_logger
from missedd.store.backup.upgrade_copy import ALIVE_INTERVAL_S, UpgradeOptions
from missedd.store.db.database import StoreRefused
from missedd.store.store import driver_for
from missedd.systemd import notify

type Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(commands: Subparsers) -> None:
    parser = commands.add_parser(
        "serve",
        help="run the daemon in the foreground",
        description="Serves Exotel's webhooks on the public address and the API, console and metrics on "
        "the private one. Logs are JSON lines on stdout, or readable text on a terminal. After SIGTERM "
        "or Ctrl-C the daemon finishes the requests that are in progress and exits with 0. It ignores "
        "SIGHUP.",
    )
    add_config_option(parser)
    parser.add_argument(
        "--no-copy",
        action="store_true",
        help="upgrade the database of an older release without keeping a copy of it (see `missedd backup`)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    return run_with_config(partial(_serve, not args.no_copy), args.config)


def _serve(is_copied: bool, loaded: LoadedConfig) -> int:
    _raise_file_limit()
    clock = SystemClock()
    log = create_logger(
        sys.stdout,
        now=clock.now,
        secrets=loaded.secret_texts,
        environ=os.environ,
        in_background=True,
    )
    library_words = LibraryLogBridge(log)
    logging.getLogger().addHandler(library_words)

    upgrade = UpgradeOptions(is_copied, _extend_start)

    async def main() -> None:
        async with driver_for(loaded.settings.store) as driver:
            await serve(
                loaded, Environment(clock, SystemRandom(), driver, upgrade=upgrade, slept_s=suspended_s), log
            )

    refusals: list[str] = []

    def refused(group: BaseExceptionGroup[StoreRefused | CannotListen]) -> None:
        pending: list[BaseException] = [group]
        while pending:
            each = pending.pop()
            if isinstance(each, BaseExceptionGroup):
                pending += each.exceptions
            else:
                refusals.append(str(each))

    has_failed = False
    try:
        trio.run(main)
    except* (StoreRefused, CannotListen) as group:
        refused(group)
    except* Exception as failure:
        has_failed = True
        log.error(Event.DAEMON_FAILED, exc_info=failure)
    finally:
        logging.getLogger().removeHandler(library_words)
        log.close()
    for refusal in refusals:
        print(f"missedd: {refusal}", file=sys.stderr)
    return FAILED if refusals or has_failed else OK


def _extend_start() -> None:
    """Systemd gives a start so much time; an upgrade of a large database takes longer."""
    notify.extend_start_timeout(6 * ALIVE_INTERVAL_S)
    notify.status("bringing the database of an older release up to date")


def _raise_file_limit() -> None:
    """Use all the file descriptors that the system allows us: each connection is one.

    The usual soft limit of 1,024 is what the public listener's connections alone could use up.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = hard if hard != resource.RLIM_INFINITY else max(soft, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
