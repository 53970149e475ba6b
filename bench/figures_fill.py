"""A store with a long history, filled fast: the rows that the daemon would have made, and no summaries.

Calls come by day and evening, most of them from people who ring again. The same numbers and seed give
the same rows. A call's fields are left out, which the daemon keeps and no figure looks at.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import Any, Final

HOUR_US: Final = 3_600_000_000
START_US: Final = 1_735_669_800_000_000
"""1 January 2025, midnight in India."""

CAMPAIGNS: Final = ("admissions", "offers", "weather")
KINDS: Final = {
    "admissions": ("lead", "callback"),
    "offers": ("lead", "sms"),
    "weather": ("sms", "callback"),
}
EVENINGS: Final = (1, 1, 1, 1, 1, 2, 4, 8, 14, 22, 26, 24, 20, 18, 18, 20, 24, 26, 24, 20, 14, 8, 4, 2)
BY_HOUR: Final = tuple(accumulate(EVENINGS))
BATCH: Final = 50_000
"""Calls to a transaction, and those whose order by time is not the order of their days."""

VERDICTS: Final = (
    (0.82, "accepted", "first-call"),
    (0.97, "duplicate", "within-dedup-window"),
    (0.99, "suppressed", "caller-suppressed"),
    (1.0, "no-caller-id", "withheld-number"),
)
ENDS: Final = (
    (0.6, "answered", "customer-answered"),
    (0.95, "no-answer", "customer-no-answer"),
    (1.0, "busy", "customer-busy"),
)
CALL: Final = """
INSERT INTO calls (id, call_sid, campaign, caller, exophone, called_at, received_at, verdict, reason, shape,
                   fields)
VALUES (?, ?, ?, ?, '+918047120001', ?, ?, ?, ?, ?, '{}')"""
ACTION: Final = """
INSERT INTO actions (call_id, kind, campaign, number, exophone, state, outcome, reason, code, plan, base_at,
                     due_at, placed_at, answered_at, created_at, closed_at)
VALUES (?, ?, ?, ?, '+918047120001', 'done', ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?)"""

type Rows = list[tuple[Any, ...]]


def fill(db: sqlite3.Connection, calls: int, days: int, seed: int = 1) -> None:
    """Put `calls` calls of `days` days into an empty database that has the schema."""
    db.execute("PRAGMA synchronous = OFF")  # nobody misses it if the machine stops
    db.execute("PRAGMA cache_size = -200000")
    indexes = db.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        db.execute(f"DROP INDEX {name}")
    rows = _Rows(calls, days, seed)
    while rows.made < calls:
        db.execute("BEGIN")
        new_calls, new_actions = rows.batch()
        db.executemany(CALL, new_calls)
        db.executemany(ACTION, new_actions)
        db.execute("COMMIT")
    _leads(db)
    for _, sql in indexes:  # much faster than to keep them
        db.execute(sql)


class _Rows:
    def __init__(self, calls: int, days: int, seed: int) -> None:
        self._rng = Random(seed)
        self._calls = calls
        self._days = days
        self.made = 0

    def batch(self) -> tuple[Rows, Rows]:
        """The next calls, in the order of their time, and their actions."""
        calls: Rows = []
        actions: Rows = []
        for at in self._times():
            self.made += 1
            campaign = CAMPAIGNS[self.made % 3]
            verdict, reason = self._one_of(VERDICTS)
            caller = None if verdict == "no-caller-id" else self._caller()
            shape = "recovered" if self._rng.random() < 0.001 else "native"
            sid = f"{self.made:032x}"
            calls.append((self.made, sid, campaign, caller, at, at + 1_000_000, verdict, reason, shape))
            if verdict == "accepted":
                actions += self._actions(at, campaign, caller)
        return calls, actions

    def _times(self) -> list[int]:
        share = min(BATCH, self._calls - self.made)
        first, last = (each * self._days / self._calls for each in (self.made, self.made + share))
        times = []
        for _ in range(share):
            day, hour = int(self._rng.uniform(first, last)), bisect(BY_HOUR, self._rng.random() * BY_HOUR[-1])
            times.append(START_US + (day * 24 + hour) * HOUR_US + self._rng.randrange(HOUR_US))
        return sorted(times)

    def _caller(self) -> str:
        """One of rather fewer people than there are calls, some of whom ring often."""
        person = int(self._rng.random() ** 2 * self._calls * 0.6)
        return f"+91{6_000_000_000 + person * 7_919 % 3_999_999_979}"

    def _one_of(self, shares: tuple[tuple[float, str, str], ...]) -> tuple[str, str]:
        chance = self._rng.random()
        return next((first, second) for share, first, second in shares if chance < share)

    def _actions(self, at: int, campaign: str, caller: str | None) -> Iterator[tuple[Any, ...]]:
        for kind in KINDS[campaign]:
            outcome, reason, code, placed_at, answered_at = "recorded", "recorded-at-once", None, None, None
            if kind == "sms":
                is_delivered = self._rng.random() < 0.93
                outcome, code = ("delivered", "20005") if is_delivered else ("failed", "23035")
                reason, placed_at = f"sms-{outcome}", at + self._rng.randrange(2_000_000, 6_000_000)
            elif kind == "callback":
                outcome, reason = self._one_of(ENDS)
                placed_at = at + int(30e6 + self._rng.expovariate(1 / 8e6))
                answered_at = placed_at + int(self._rng.uniform(4e6, 25e6)) if outcome == "answered" else None
            told = (outcome, reason, code, at, at + 30_000_000, placed_at, answered_at, at, at + 60_000_000)
            yield self.made, kind, campaign, caller, *told


def _leads(db: sqlite3.Connection) -> None:
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
