"""A store with a long history, filled fast: the rows that the daemon would have made, without its summaries.

Calls come by day and evening over a year, most of them from callers who ring again. The same
count and seed give the same rows.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Any

HOUR_US = 3_600_000_000
START_US = 1_735_669_800_000_000
"""1 January 2025, midnight in India."""

CAMPAIGNS = ("admissions", "offers", "weather")
BY_HOUR = tuple(
    accumulate((1, 1, 1, 1, 1, 2, 4, 8, 14, 22, 26, 24, 20, 18, 18, 20, 24, 26, 24, 20, 14, 8, 4, 2))
)
ACTION = "INSERT INTO actions VALUES (" + ", ".join("?" * 26) + ")"
BATCH = 50_000

type Rows = list[tuple[Any, ...]]


def fill(db: sqlite3.Connection, calls: int, days: int, seed: int = 1) -> None:
    """Put `calls` calls of `days` days into an empty database that has the schema."""
    indexes = db.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    columns = len(db.execute("PRAGMA table_info(actions)").fetchall())
    action = f"INSERT INTO actions VALUES ({', '.join('?' * columns)})"  # noqa: S608 - marks
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    rows = _Rows(calls, days, seed, columns)
    for _ in range(0, calls, BATCH):
        new_calls, new_actions = rows.batch()
        db.execute("BEGIN")
        db.executemany("INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", new_calls)
        db.executemany(action, new_actions)
        db.execute("COMMIT")
    _leads(db, calls)
    for _, sql in indexes:
        db.execute(sql)


class _Rows:
    def __init__(self, calls: int, days: int, seed: int, columns: int) -> None:
        self._rng = Random(seed)  # noqa: S311 - rows to be counted
        self._calls = calls
        self._days = days
        self._padding = (None,) * (columns - 24)
        self._made = 0
        self._actions = 0

    def batch(self) -> tuple[Rows, Rows]:
        """The next calls, in the order of their time, and their actions."""
        calls: Rows = []
        actions: Rows = []
        for at in self._times():
            self._made += 1
            call_id = self._made
            chance = self._rng.random()
            campaign = CAMPAIGNS[call_id % 3]
            caller: str | None = f"+91{6_000_000_000 + self._caller()}"
            verdict, reason = "accepted", "first-call"
            if chance < 0.15:
                verdict, reason = "duplicate", "within-dedup-window"
            elif chance < 0.17:
                verdict, reason = "suppressed", "caller-suppressed"
            elif chance < 0.18:
                verdict, reason, caller = "no-caller-id", "withheld-number", None
            shape = "recovered" if chance > 0.999 else "native"
            calls.append(
                (
                    call_id,
                    f"{call_id:032x}",
                    campaign,
                    caller,
                    "+918047120001",
                    at,
                    at + 1_000_000,
                    verdict,
                    reason,
                )
                + (shape, 0, "{}")
            )
            if verdict == "accepted":
                actions += self._actions_of(call_id, campaign, caller, at)
        return calls, actions

    def _times(self) -> list[int]:
        share = min(BATCH, self._calls - self._made)
        length = self._days / self._calls
        first, last = self._made * length, (self._made + share) * length
        times = []
        for _ in range(share):
            day = int(self._rng.uniform(first, last))
            hour = bisect(BY_HOUR, self._rng.random() * BY_HOUR[-1])
            times.append(START_US + (day * 24 + hour) * HOUR_US + self._rng.randrange(HOUR_US))
        return sorted(times)

    def _caller(self) -> int:
        """One of half as many people as there are calls; the few ring often."""
        person = int(self._rng.random() ** 2 * self._calls * 0.6)
        return person * 7_919 % 3_999_999_979

    def _actions_of(
        self, call_id: int, campaign: str, caller: str | None, at: int
    ) -> Iterator[tuple[Any, ...]]:
        if campaign != "weather":
            yield self._action(call_id, "lead", campaign, caller, at, "recorded", "recorded-at-once", None)
        if campaign != "admissions":
            placed = at + self._rng.randrange(2_000_000, 6_000_000)
            outcome = (
                ("delivered", "sms-delivered") if self._rng.random() < 0.93 else ("failed", "sms-failed")
            )
            yield self._action(call_id, "sms", campaign, caller, at, *outcome, placed)
        if campaign != "offers":
            placed = at + int(30_000_000 + self._rng.expovariate(1 / 8_000_000))
            chance = self._rng.random()
            outcome = ("answered", "customer-answered")
            if chance > 0.95:
                outcome = ("busy", "customer-busy")
            elif chance > 0.6:
                outcome = ("no-answer", "customer-no-answer")
            yield self._action(call_id, "callback", campaign, caller, at, *outcome, placed)

    def _action(
        self,
        call_id: int,
        kind: str,
        campaign: str,
        caller: str | None,
        at: int,
        outcome: str,
        reason: str,
        placed: int | None,
    ) -> tuple[Any, ...]:
        self._actions += 1
        return (
            (
                self._actions,
                call_id,
                kind,
                campaign,
                caller,
                "+918047120001",
                "done",
                outcome,
                reason,
                "open",
                0,
            )
            + (None, at, at + 30_000_000, None, None, placed, None, 0, "{}", at + 1_000_000, at + 60_000_000)
            + (None, None)
            + self._padding
        )


def _leads(db: sqlite3.Connection, calls: int) -> None:
    db.execute("BEGIN")
    db.execute(
        """INSERT INTO leads (campaign, number, source, first_seen_at, last_seen_at, count, first_call_id,
                              converted_at)
           SELECT campaign, caller, 'missed_call', min(called_at), max(called_at), count(*), min(id),
                  iif(min(id) % 20 = 0, max(called_at), NULL)
           FROM calls WHERE campaign != 'weather' AND verdict IN ('accepted', 'duplicate') GROUP BY 1, 2"""
    )
    db.execute(
        """INSERT INTO conversions (reference, campaign, number, lead_id, at, created_at)
           SELECT 'order-' || id, campaign, number, id, converted_at, converted_at FROM leads
           WHERE converted_at IS NOT NULL"""
    )
    db.execute("COMMIT")
