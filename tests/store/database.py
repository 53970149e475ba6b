"""A database built from the migrations, with rows put in by hand, behind the reader's port."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import missedd.store
from missedd.base.clock import to_us

NOON = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
"""Noon in India, on a Monday."""

CALLER = "+919876543210"
EXOPHONE = "+918047120001"
MIGRATIONS = Path(missedd.store.__file__).parent / "sqlite" / "migrations"


@cache
def new_database() -> bytes:
    """The file of a new database. It is made once a process: the migrations cost more than most tests."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrations = sorted(MIGRATIONS.glob("*.sql"))
    for migration in migrations:
        connection.executescript(migration.read_text())
    # So that commands and stores, which ask for the newest schema, read it too.
    connection.execute(f"PRAGMA user_version = {len(migrations)}")
    content = connection.serialize()
    connection.close()
    return content


class FilledDatabase:
    """Answers `fetch_all` as the reader's connection does; `call`, `action` and so on put rows in."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(new_database())
        self._connection = sqlite3.connect(path, isolation_level=None)
        # What a test puts in need not survive a power cut, and hundreds of tests wait for it.
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA journal_mode = MEMORY")
        self.statements: list[str] = []

    def close(self) -> None:
        self._connection.close()

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        self.statements.append(sql)
        return self._connection.execute(sql, tuple(params)).fetchall()

    def put(self, table: str, **values: object) -> int:
        names = ", ".join(values)
        marks = ", ".join("?" for _ in values)
        kept = [to_us(each) if isinstance(each, datetime) else each for each in values.values()]
        cursor = self._connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", kept)
        return int(cursor.lastrowid or 0)

    def call(self, sid: str, at: datetime = NOON, **values: object) -> int:
        row: dict[str, object] = {
            "call_sid": sid,
            "campaign": "admissions",
            "caller": CALLER,
            "exophone": EXOPHONE,
            "called_at": at,
            "received_at": at + timedelta(seconds=1),
            "verdict": "accepted",
            "reason": "first-call",
            "shape": "native",
            "fields": "{}",
        }
        return self.put("calls", **row | values)

    def action(self, call_id: int, kind: str = "callback", **values: object) -> int:
        row: dict[str, object] = {
            "call_id": call_id,
            "kind": kind,
            "campaign": "admissions",
            "number": CALLER,
            "exophone": EXOPHONE,
            "state": "planned",
            "reason": "owed",
            "plan": "open",
            "base_at": NOON,
            "due_at": NOON + timedelta(seconds=30),
            "created_at": NOON,
        }
        row |= values
        if row["state"] != "done":
            row.setdefault("wake_at", row["due_at"])
        return self.put("actions", **row)

    def done(self, call_id: int, kind: str, outcome: str, **values: object) -> int:
        row: dict[str, object] = {"state": "done", "outcome": outcome, "closed_at": NOON}
        return self.action(call_id, kind, **row | values)

    def lead(self, call_id: int, number: str = CALLER, **values: object) -> int:
        row: dict[str, object] = {
            "campaign": "admissions",
            "number": number,
            "source": "missed_call",
            "first_seen_at": NOON,
            "last_seen_at": NOON,
            "count": 1,
            "first_call_id": call_id,
        }
        return self.put("leads", **row | values)

    def pause(self, campaign: str = "admissions", **values: object) -> int:
        row: dict[str, object] = {"campaign": campaign, "since_at": NOON, "why": "asked", "source": "api"}
        return self.put("pauses", **row | values)

    def poll(self, name: str = "singer", **rules: object) -> None:
        row = {"votes_per_number": 1, "keep": "first", "opens_at": None, "closes_at": None} | rules
        kept = {key: to_us(each) if isinstance(each, datetime) else each for key, each in row.items()}
        self.put("poll_rules", poll=name, rules=json.dumps(kept))

    def votes(self, option: str, count: int, poll: str = "singer", **others: int) -> None:
        """Set an option's tally."""
        self._connection.execute("DELETE FROM tallies WHERE poll = ? AND option = ?", (poll, option))
        self.put("tallies", poll=poll, option=option, votes=count, **others)

    def suppression(self, number: str, at: datetime = NOON, **values: object) -> None:
        row: dict[str, object] = {"number": number, "reason": "asked", "source": "api", "since_at": at}
        self.put("suppressions", **row | values)

    def subscription(self, call_id: int, number: str = CALLER, **values: object) -> int:
        row: dict[str, object] = {
            "list": "weather",
            "number": number,
            "purpose": "daily alerts",
            "campaign": "admissions",
            "call_id": call_id,
            "consented_at": NOON,
            "standing": "in-force",
        }
        return self.put("subscriptions", **row | values)
