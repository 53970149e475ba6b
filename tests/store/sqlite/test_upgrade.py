"""A database of the release before this one: what its rows become, once the daemon has opened it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from missedd.base.clock import to_us
from missedd.store.store import Driver, open_store
from tests.core.campaigns import CALLER, EXOPHONE, NOON, OTHER, minutes, seconds
from tests.store.database import MIGRATIONS
from tests.store.steps import rows

BEFORE = 12
"""The last migration of the release before."""


class Before:
    """A database as that release left it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        for migration in sorted(MIGRATIONS.glob("*.sql"))[:BEFORE]:
            self._db.executescript(migration.read_text())
        self._db.execute(f"PRAGMA user_version = {BEFORE}")

    def call(self, sid: str, at_s: float, caller: str = CALLER) -> int:
        at = to_us(NOON + seconds(at_s))
        row = (sid, "shop", caller, EXOPHONE, at, at, "accepted", "first-call", "native", "{}")
        sql = """INSERT INTO calls (call_sid, campaign, caller, exophone, called_at, received_at, verdict,
                                    reason, shape, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
        return int(self._db.execute(sql, row).lastrowid or 0)

    def callback(self, call_id: int, due_s: float, number: str = CALLER, **values: object) -> int:
        at = to_us(NOON)
        row: dict[str, object] = {
            "call_id": call_id,
            "kind": "callback",
            "campaign": "shop",
            "number": number,
            "exophone": EXOPHONE,
            "state": "planned",
            "reason": "owed",
            "plan": "open",
            "base_at": self._db.execute("SELECT called_at FROM calls WHERE id = ?", (call_id,)).fetchone()[0],
            "due_at": to_us(NOON + seconds(due_s)),
            "wake_at": to_us(NOON + seconds(due_s)),
            "created_at": at,
        } | values
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        sql = f"INSERT INTO actions ({names}) VALUES ({marks})"
        return int(self._db.execute(sql, list(row.values())).lastrowid or 0)

    def close(self) -> None:
        self._db.close()


async def test_of_several_callbacks_that_wait_for_a_person_the_latest_call_s_remains(
    driver: Driver, path: Path
) -> None:
    before = Before(path)
    first, second, others = before.call("c1", 0), before.call("c2", 360), before.call("c3", 10, OTHER)
    early = before.callback(first, 30)
    late = before.callback(second, 390)
    retry = before.callback(first, 300, retry_index=1)
    alone = before.callback(others, 40, OTHER)
    before.close()
    async with open_store(driver, path, "a test") as store:
        found = await rows(
            store,
            """SELECT id, state, reason, due_at, wake_at, chain_at, details ->> 'replaced_by' FROM actions
               ORDER BY id""",
        )
        ended = await rows(store, "SELECT id FROM actions WHERE closed_at IS NOT NULL ORDER BY id")
    due_us, now_us = to_us(NOON + seconds(30)), to_us(NOON)
    assert found == [
        (early, "done", "already-owed", due_us, None, None, str(late)),
        (late, "planned", "owed", due_us, due_us, now_us, None),
        (retry, "done", "already-owed", to_us(NOON + seconds(300)), None, None, str(late)),
        (alone, "planned", "owed", to_us(NOON + seconds(40)), to_us(NOON + seconds(40)), None, None),
    ]
    assert ended == [(early,), (retry,)]


async def test_a_call_that_is_up_is_taken_for_as_long_as_it_may_be(driver: Driver, path: Path) -> None:
    before = Before(path)
    out = before.callback(before.call("c1", 0), 30, state="placed", placed_at=to_us(NOON))
    before.close()
    async with open_store(driver, path, "a test") as store:
        assert await rows(store, "SELECT id, state, busy_until FROM actions") == [
            (out, "placed", to_us(NOON + minutes(242)))
        ]
