"""The least that a durable answer costs: missedd's listener and group commit, and nothing decided.

    python -m bench.durable_floor PORT DATABASE

The raw request is stored, all requests that wait in one transaction, and answered after its commit. What
missedd needs beyond this is what it does about a call: reading its fields, deciding, and recording what it
owes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import trio

from missedd.exotel.webhook_request import WebhookRequest
from missedd.store.db.database import Database
from missedd.store.db.writer import Writer
from missedd.store.sqlite.aiosqlite_driver import aio_driver
from missedd.web.public.listener import open_listeners, serve_public
from missedd.web.public.responses import EMPTY, HttpReply

_SCHEMA = "CREATE TABLE calls (id INTEGER PRIMARY KEY, received_at INTEGER, path TEXT, query BLOB, body BLOB)"
_INSERT = "INSERT INTO calls (received_at, path, query, body) VALUES (?, ?, ?, ?)"


async def _create(db: Database) -> None:
    await db.execute(_SCHEMA)


async def main(port: int, database: Path) -> None:
    async with aio_driver() as driver, trio.open_nursery() as nursery:
        writer = Writer(await driver.open(database, read_only=False))
        nursery.start_soon(writer.run)
        await writer.write(_create)

        async def answer(path: str, request: WebhookRequest) -> HttpReply:
            row = (time.time_ns() // 1000, path, request.query, request.body)

            async def store(db: Database) -> None:
                await db.execute(_INSERT, row)

            await writer.write(store)
            return EMPTY

        await serve_public(await open_listeners("127.0.0.1", port), answer, stop=trio.Event())


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]), Path(sys.argv[2]))
