"""The recipe that many would reach for: FastAPI, uvicorn on uvloop, aiosqlite. Done right.

    python -m bench.fastapi_recipe PORT DATABASE

Each missed call is one transaction: a CallSid seen before is a redelivery, a caller accepted within
five minutes a duplicate, anyone else is owed a callback within the cap of two an hour; call and
callback are on disk before the 200. A lock keeps transactions apart, as tasks on one connection
would share one. Indexes, WAL and prepared statements are as good as they get.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone

import aiosqlite
import uvicorn
from anyio import Lock
from fastapi import FastAPI, HTTPException, Request, Response

TOKEN = "token-for-tests-only"
IST = timezone(timedelta(hours=5, minutes=30))
DEDUP_WINDOW_S = 300
MAX_PER_HOUR = 2
DELAY_S = 1200

SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    id INTEGER PRIMARY KEY, call_sid TEXT NOT NULL UNIQUE, caller TEXT NOT NULL, exophone TEXT NOT NULL,
    called_at INTEGER NOT NULL, received_at INTEGER NOT NULL, verdict TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS calls_by_caller ON calls (caller, called_at) WHERE verdict = 'accepted';
CREATE TABLE IF NOT EXISTS actions (
    id INTEGER PRIMARY KEY, call_id INTEGER NOT NULL REFERENCES calls (id), kind TEXT NOT NULL,
    number TEXT NOT NULL, state TEXT NOT NULL, due_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS actions_by_due ON actions (due_at) WHERE state = 'planned';
CREATE INDEX IF NOT EXISTS actions_by_number ON actions (number, due_at);
"""


def e164(text: str) -> str | None:
    """The caller's number in one spelling."""
    digits = re.sub(r"[\s()+-]", "", text)
    if digits.startswith("0"):
        digits = digits.lstrip("0")
    if len(digits) == 10:
        digits = "91" + digits
    return f"+{digits}" if re.fullmatch(r"[1-9][0-9]{7,14}", digits) else None


def build(database: str) -> FastAPI:
    lock = Lock()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with aiosqlite.connect(database, isolation_level=None) as db:
            await db.execute("PRAGMA journal_mode = WAL")
            await db.execute("PRAGMA synchronous = FULL")
            await db.executescript(SCHEMA)
            app.state.db = db
            yield

    app = FastAPI(lifespan=lifespan, openapi_url=None)

    @app.post("/exotel/{token}/missed-call")
    async def missed_call(token: str, request: Request) -> Response:
        if token != TOKEN:
            raise HTTPException(404)
        form = await request.form()
        sid, caller = str(form.get("CallSid", "")), e164(str(form.get("From", "")))
        if not sid or caller is None:
            raise HTTPException(400)
        received = int(time.time())
        created = form.get("DateCreated")
        called = received
        if isinstance(created, str):
            called = int(datetime.fromisoformat(created).replace(tzinfo=IST).timestamp())
        async with lock:
            verdict = await _admit(app.state.db, sid, caller, str(form.get("To", "")), called, received)
        return Response(headers={"Missedd-Verdict": verdict})

    return app


async def _admit(
    db: aiosqlite.Connection, sid: str, caller: str, exophone: str, called: int, received: int
) -> str:
    await db.execute("BEGIN IMMEDIATE")
    try:
        verdict = await _decide(db, sid, caller, exophone, called, received)
    except BaseException:
        await db.execute("ROLLBACK")
        raise
    await db.execute("COMMIT")
    return verdict


async def _decide(
    db: aiosqlite.Connection, sid: str, caller: str, exophone: str, called: int, received: int
) -> str:
    if await db.execute_fetchall("SELECT 1 FROM calls WHERE call_sid = ?", (sid,)):
        return "redelivered"
    earlier = await db.execute_fetchall(
        "SELECT 1 FROM calls WHERE caller = ? AND verdict = 'accepted' AND called_at > ? LIMIT 1",
        (caller, called - DEDUP_WINDOW_S),
    )
    verdict = "duplicate" if earlier else "accepted"
    inserted = await db.execute(
        """INSERT INTO calls (call_sid, caller, exophone, called_at, received_at, verdict)
           VALUES (?, ?, ?, ?, ?, ?)""",
        (sid, caller, exophone, called, received, verdict),
    )
    if verdict == "accepted":
        due = called + DELAY_S
        ((planned,),) = await db.execute_fetchall(
            "SELECT count(*) FROM actions WHERE number = ? AND due_at > ?", (caller, due - 3600)
        )
        if planned < MAX_PER_HOUR:
            await db.execute(
                """INSERT INTO actions (call_id, kind, number, state, due_at)
                   VALUES (?, 'callback', ?, 'planned', ?)""",
                (inserted.lastrowid, caller, due),
            )
    return verdict


if __name__ == "__main__":
    uvicorn.run(
        build(sys.argv[2]),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=30,
    )
