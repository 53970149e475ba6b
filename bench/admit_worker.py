"""Admits calls in batches, as one node's writer does, and says what each call has cost this process.

Started by `bench.cluster`. It waits for a line on its input once its statements are prepared, so that several
begin together. Arguments: a file or a URL, calls a batch, seconds, and a number of its own.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import trio

from missedd.config.store_location import PostgresqlLocation
from missedd.core.model import InboundCall
from missedd.store.admission.admit import admit
from missedd.store.db.database import DatabaseConnection
from missedd.store.db.lock_keys import LockKeys
from missedd.store.postgresql.driver import PostgresqlDriver
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.store.store import open_store
from tests.core.campaigns import EXOPHONE, call, callback, campaign, policy, sms

POLICY = policy(
    campaign(callback=callback(delay=timedelta(minutes=20), give_up_after=timedelta(hours=3)), sms=sms())
)
WARM_UP_BATCHES = 5


@asynccontextmanager
async def _opened(database: str) -> AsyncIterator[DatabaseConnection]:
    if database.startswith("postgresql:"):
        on_server = await PostgresqlDriver().open(PostgresqlLocation(database), read_only=False)
        yield on_server
        await on_server.close()
        return
    async with aio_driver() as driver:
        async with open_store(driver, Path(database), "a bench"):
            pass  # which makes the schema
        connection = await driver.open(Path(database), read_only=False)
        yield connection
        await connection.close()


def _calls(number: int, batch: int) -> Iterator[list[InboundCall]]:
    rng = Random(number)
    for turn in count():
        now = datetime.now(UTC)
        yield [
            call(
                f"{number:04d}{turn:020d}{index:08d}",
                now,
                caller=f"+9198{rng.randrange(100_000_000):08d}",
                dialled=(EXOPHONE,),
                fields={"CallSid": "x" * 32, "From": "09812345678", "To": "08047120001"},
            )
            for index in range(batch)
        ]


async def _admit(connection: DatabaseConnection, calls: list[InboundCall]) -> None:
    unit = partial(admit, calls=calls, policy=POLICY, received_at=datetime.now(UTC))
    locks = LockKeys.of(*(each.caller for each in calls), *(each.call_sid for each in calls))
    (result,) = await connection.write([unit], locks=locks)
    if isinstance(result, BaseException):
        raise result


async def _run(database: str, batch: int, for_s: float, number: int) -> dict[str, Any]:
    batches = _calls(number, batch)
    async with _opened(database) as connection:
        for _ in range(WARM_UP_BATCHES):
            await _admit(connection, next(batches))
        print("ready", flush=True)
        await trio.to_thread.run_sync(sys.stdin.readline)
        began_s, cpu_s, calls = time.monotonic(), time.process_time(), 0
        took_ms: list[float] = []
        while time.monotonic() - began_s < for_s:
            due, sent_s = next(batches), time.monotonic()
            await _admit(connection, due)
            took_ms.append((time.monotonic() - sent_s) * 1000)
            calls += batch
        cpu_s = time.process_time() - cpu_s
        took_ms.sort()
        return {"calls": calls, "cpu_s": cpu_s, "p99_ms": took_ms[int(len(took_ms) * 0.99)]}


if __name__ == "__main__":
    print(json.dumps(trio.run(_run, sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))))
