"""The least that a durable answer costs: missedd's public site and group commit, and nothing decided.

    python -m bench.durable_floor PORT DATABASE

The request is read as missedd reads it: its token, its path, its fields. The fields are stored as they came,
all requests that wait in one transaction, and answered after its commit. What missedd needs beyond this is
what it does about a call: to know the caller's history, to decide, and to record what it owes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import trio

from missedd.base.clock import SystemClock
from missedd.core.model import InboundCall, StatusReport, Verdict
from missedd.daemon.apps import PublicRequestLog, TimedPublicSite
from missedd.log.logger import create_logger
from missedd.store.db.database import Database
from missedd.store.db.json_values import compact_json
from missedd.store.db.writer import Writer
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.web.private.metrics import Metrics
from missedd.web.public.app import PublicSite
from missedd.web.public.listener import open_listeners, serve_public
from missedd.web.public.responses import NotStored
from tests.real.daemon import TOKEN

_SCHEMA = "CREATE TABLE calls (id INTEGER PRIMARY KEY, received_at INTEGER, fields TEXT)"
_INSERT = "INSERT INTO calls (received_at, fields) VALUES (?, ?)"


class _Floor:
    """Stores missed calls, and refuses whatever else may come."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    async def admit(self, call: InboundCall) -> Verdict:
        row = (time.time_ns() // 1000, compact_json(dict(call.fields)))

        async def store(db: Database) -> None:
            await db.execute(_INSERT, row)

        await self._writer.write(store)
        return Verdict.ACCEPTED

    async def report(self, kind: str, action_id: int, report: StatusReport) -> None:
        raise NotStored("missed calls only")

    async def hand_over_sms(self, call: InboundCall) -> str:
        raise NotStored("missed calls only")

    async def preview_sms(self, call: InboundCall) -> str:
        raise NotStored("missed calls only")


async def _create(db: Database) -> None:
    await db.execute(_SCHEMA)


async def main(port: int, database: Path) -> None:
    log = create_logger(sys.stdout, now=SystemClock().now)
    metrics = Metrics()
    edge = PublicRequestLog(log, metrics)
    async with aio_driver() as driver, trio.open_nursery() as nursery:
        writer = Writer(await driver.open(database, read_only=False))
        nursery.start_soon(writer.run)
        await writer.write(_create)
        floor = _Floor(writer)
        site = PublicSite(TOKEN, floor.admit, floor.report, floor, edge, is_ready=lambda: True)
        answer = TimedPublicSite(site, edge, metrics).answer
        await serve_public(await open_listeners("127.0.0.1", port), answer, stop=trio.Event())


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]), Path(sys.argv[2]))
