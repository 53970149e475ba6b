"""A life of facts, drawn from a seed: any of them may come late, change, or be looked at in between."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from msgspec import to_builtins

from missedd.base.clock import to_us
from missedd.core.analytics import time_buckets
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.store.db.database import Database
from missedd.store.reads.reader import load_analytics
from missedd.store.rollups.roll_up import roll_up
from missedd.store.rollups.state import start_rollups
from simulator.invariants.figures_recount import differences, recount_analytics
from tests.core.campaigns import NOON

CAMPAIGNS = ("shop", "vote", None)
ZONES = ("Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
OUTCOMES_BY_KIND = {
    "callback": ("answered", "no-answer", "busy", "failed", "unknown"),
    "sms": ("delivered", "failed"),
}


class RandomHistory:
    """What happens to a database. Every instant is drawn, so that none of them comes in order."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.timezone = self.rng.choice(ZONES)
        self.span = timedelta(hours=self.rng.choice((2, 24, 100, 1000)))
        self.now = NOON
        self.step_count = 0
        self.spans = ((1, 2, 4), (1, 3, 15), time_buckets.SPANS)[seed % 3]
        """Short ones, mostly, so that a short history has buckets of each level."""

    async def start(self, db: Database, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(time_buckets, "SPANS", self.spans)
        await start_rollups(db, hour_grid_for(self.timezone))

    async def step(self, db: Database) -> None:
        deed = self.rng.choices(
            (
                self.call,
                self.redecide,
                self.add_action,
                self.change_action,
                self.settle,
                self.lead,
                self.convert,
                self.fold,
            ),
            (6, 2, 5, 6, 1, 2, 1, 2),
        )[0]
        self.step_count += 1
        await deed(db)

    def random_instant(self) -> int:
        """Now, mostly; else any time before, so that it may be summed already."""
        if self.rng.random() < 0.6:
            self.now += self.span / 200 * self.rng.random()
            return to_us(self.now)
        return to_us(self.now - self.span * self.rng.random())

    def number(self) -> str:
        return f"+9198765432{self.rng.randrange(40):02d}"

    async def one(self, db: Database, sql: str, *params: object) -> Any:
        rows = await db.fetch_all(sql, params)
        return self.rng.choice(rows)[0] if rows else None

    async def call(self, db: Database) -> None:
        verdict, reason, caller = self.rng.choice(
            (
                ("accepted", "first-call", self.number()),
                ("duplicate", "within-dedup-window", self.number()),
                ("suppressed", "caller-suppressed", self.number()),
                ("no-caller-id", "withheld-number", None),
                ("not-missed", "agent-event", self.number()),
            )
        )
        await db.execute(
            """INSERT INTO calls (call_sid, campaign, caller, called_at, received_at, verdict, reason, shape,
                                  fields)
               VALUES (?, ?, ?, ?, 0, ?, ?, ?, '{}')""",
            (
                f"sid-{self.step_count}",
                self.rng.choice(CAMPAIGNS),
                caller,
                self.random_instant(),
                verdict,
                reason,
                self.rng.choice(("native", "recovered")),
            ),
        )

    async def redecide(self, db: Database) -> None:
        """An agent's popup, and then the end of the same call."""
        call = await self.one(db, "SELECT id FROM calls WHERE verdict = 'not-missed'")
        await db.execute(
            """UPDATE calls SET campaign = ?, caller = ?, called_at = ?, verdict = 'accepted',
                                reason = 'first-call'
               WHERE id = ?""",
            (self.rng.choice(CAMPAIGNS), self.number(), self.random_instant(), call),
        )

    async def add_action(self, db: Database) -> None:
        call = await self.one(
            db, "SELECT id FROM calls WHERE verdict != 'not-missed' AND campaign IS NOT NULL"
        )
        if call is None:
            return
        kind = self.rng.choice(("callback", "sms", "lead"))
        done = (("done", "recorded", "recorded-at-once"), ("planned", None, "owed"))[kind != "lead"]
        await db.execute(
            """INSERT INTO actions (call_id, kind, campaign, number, exophone, state, outcome, reason, plan,
                                    retry_index, base_at, due_at, created_at)
               SELECT id, ?, campaign, coalesce(caller, ''), '', ?, ?, ?, 'open', ?, called_at, called_at, 0
               FROM calls WHERE id = ?""",
            (kind, *done, self.rng.choice((0, 0, 0, 1)), call),
        )

    async def change_action(self, db: Database) -> None:
        """An open action is held, placed, put back, or ends; one in many ends without being placed."""
        found = await db.fetch_all(
            """SELECT actions.id, kind, called_at, placed_at FROM actions JOIN calls ON calls.id = call_id
               WHERE state != 'done' ORDER BY actions.id"""
        )
        if not found:
            return
        action, kind, called_at, placed_at = self.rng.choice(found)
        later = called_at + int(
            1e6 * self.rng.choice((-1, 0.04, self.rng.uniform(5, 60), self.rng.expovariate(1e-4)))
        )
        match self.rng.randrange(5):
            case 0:
                await db.execute(
                    "UPDATE actions SET state = 'held', reason = 'quiet-hours' WHERE id = ?", (action,)
                )
            case 1 | 2:
                sql = "UPDATE actions SET state = 'attempting', placed_at = ? WHERE id = ?"
                await db.execute(sql, (later, action))
            case 3:
                sql = "UPDATE actions SET state = 'planned', placed_at = NULL WHERE id = ?"
                await db.execute(sql, (action,))
            case _:
                outcome = self.rng.choice(OUTCOMES_BY_KIND[kind] if placed_at else ("refused", "expired"))
                reason = self.rng.choice((f"because-{outcome}", "agent-busy", "agent-no-answer"))
                code = self.rng.choice((None, "20005", "23082"))
                sql = """UPDATE actions SET state = 'done', outcome = ?, reason = ?, code = ?, answered_at = ?
                         WHERE id = ?"""
                answered = later + 9_000_000 if outcome == "answered" and self.rng.random() < 0.9 else None
                await db.execute(sql, (outcome, reason, code, answered, action))

    async def settle(self, db: Database) -> None:
        action = await self.one(
            db, "SELECT id FROM actions WHERE outcome = 'unknown' AND settled_outcome IS NULL"
        )
        await db.execute("UPDATE actions SET settled_outcome = 'answered' WHERE id = ?", (action,))

    async def lead(self, db: Database) -> None:
        call = await self.one(db, "SELECT id FROM calls WHERE campaign IS NOT NULL AND caller IS NOT NULL")
        await db.execute(
            """INSERT INTO leads (campaign, number, source, first_seen_at, last_seen_at, count, first_call_id)
               SELECT campaign, caller, '', called_at, called_at, 1, id FROM calls WHERE id = ?
               ON CONFLICT (campaign, number) DO UPDATE SET
                   first_seen_at = min(leads.first_seen_at, excluded.first_seen_at),
                   count = leads.count + 1""",
            (call,),
        )

    async def convert(self, db: Database) -> None:
        lead = await self.one(db, "SELECT id FROM leads")
        at = self.random_instant()
        await db.execute(
            "UPDATE leads SET converted_at = ? WHERE id = ? AND converted_at IS NULL", (at, lead)
        )
        await db.execute(
            """INSERT INTO conversions (reference, campaign, number, lead_id, at, created_at)
               VALUES (?, ?, '', ?, ?, 0) ON CONFLICT (reference) DO NOTHING""",
            (f"order-{self.rng.randrange(40)}", self.rng.choice(("shop", "vote", "radio")), lead, at),
        )

    async def fold(self, db: Database) -> None:
        calls = self.rng.choice((1, 1, 3, 20))
        while (
            folded := await roll_up(db, hour_grid_for(self.timezone), self.now, calls)
        ) and folded.is_behind:
            pass

    async def check(self, db: Database) -> None:
        """The whole, and periods that end anywhere: on hours, near calls, within one hour."""
        bounds: list[datetime | None] = [None, NOON, self.now]
        bounds += [self.now - self.span * self.rng.random() for _ in range(4)]
        on_the_hour = self.now.replace(minute=0, second=0, microsecond=0)
        bounds += [on_the_hour, on_the_hour - timedelta(minutes=self.rng.randrange(60))]
        periods = [(None, None), *((self.rng.choice(bounds), self.rng.choice(bounds)) for _ in range(4))]
        for since, until in periods:
            campaign = self.rng.choice((None, "shop", "vote", "radio"))
            told = await load_analytics(db, campaign, since, until, self.timezone)
            counted = await recount_analytics(db.fetch_all, campaign, since, until, self.timezone)
            assert differences(to_builtins(told), counted) == {}, (campaign, since, until)
