"""The summaries: whatever happens to the facts, and whenever, the figures equal a recount."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from missedd.clock import to_us
from missedd.core.analytics import TooMuchToCount
from missedd.core.grid import grid_of
from missedd.core.latency import bucket_of
from missedd.store.database import Database
from missedd.store.inline import InlineDriver
from missedd.store.reads import Rows, figures
from missedd.store.store import Store, open_store
from missedd.store.summaries import begin, fold, next_bound
from simulator.runner.recount import disagreements, recount
from tests.core.campaigns import NOON

INDIA = "Asia/Kolkata"
CAMPAIGNS = ("shop", "vote", None)
ZONES = ("Asia/Kolkata", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")
ENDS = {"callback": ("answered", "no-answer", "busy", "failed", "unknown"), "sms": ("delivered", "failed")}


class Life:
    """Draws what happens to a database: any fact may come late, change, or be looked at in between."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.timezone = self.rng.choice(ZONES)
        self.span = timedelta(days=self.rng.choice((1, 4, 40)))
        self.now = NOON
        self.n = 0

    async def step(self, db: Database) -> None:
        deed = self.rng.choices(
            (
                self.call,
                self.redecide,
                self.act,
                self.move_on,
                self.settle,
                self.lead,
                self.convert,
                self.fold,
            ),
            (6, 1, 5, 6, 1, 2, 1, 2),
        )[0]
        self.n += 1
        await deed(db)

    def some_time(self) -> int:
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
            """INSERT INTO calls (call_sid, campaign, caller, called_at, received_at, verdict, reason, shape, fields)
               VALUES (?, ?, ?, ?, 0, ?, ?, ?, '{}')""",
            (
                f"sid-{self.n}",
                self.rng.choice(CAMPAIGNS),
                caller,
                self.some_time(),
                verdict,
                reason,
                self.rng.choice(("native", "recovered")),
            ),
        )

    async def redecide(self, db: Database) -> None:
        """An agent's popup, and then the end of the same call."""
        call = await self.one(db, "SELECT id FROM calls WHERE verdict = 'not-missed'")
        await db.execute(
            """UPDATE calls SET campaign = ?, caller = ?, called_at = ?, verdict = 'accepted', reason = 'first-call'
               WHERE id = ?""",
            (self.rng.choice(CAMPAIGNS), self.number(), self.some_time(), call),
        )

    async def act(self, db: Database) -> None:
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

    async def move_on(self, db: Database) -> None:
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
                outcome = self.rng.choice(ENDS[kind] if placed_at else ("refused", "expired"))
                code = self.rng.choice((None, "20005", "23082"))
                sql = """UPDATE actions SET state = 'done', outcome = ?, reason = ?, code = ?, answered_at = ?
                         WHERE id = ?"""
                answered = later + 9_000_000 if outcome == "answered" and self.rng.random() < 0.9 else None
                await db.execute(sql, (outcome, f"because-{outcome}", code, answered, action))

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
                   first_seen_at = min(first_seen_at, excluded.first_seen_at), count = count + 1""",
            (call,),
        )

    async def convert(self, db: Database) -> None:
        lead = await self.one(db, "SELECT id FROM leads")
        at = self.some_time()
        await db.execute(
            "UPDATE leads SET converted_at = ? WHERE id = ? AND converted_at IS NULL", (at, lead)
        )
        await db.execute(
            """INSERT OR IGNORE INTO conversions (reference, campaign, number, lead_id, at, created_at)
               VALUES (?, ?, '', ?, ?, 0)""",
            (f"order-{self.rng.randrange(40)}", self.rng.choice(("shop", "vote", "radio")), lead, at),
        )

    async def fold(self, db: Database) -> None:
        await fold(db, grid_of(self.timezone), self.now, piece=self.rng.choice((1, 3, 20)))

    async def check(self, db: Database) -> None:
        """The whole, and periods that end anywhere: on hours, near calls, within one hour."""
        bounds: list[datetime | None] = [None, NOON, self.now]
        bounds += [self.now - self.span * self.rng.random() for _ in range(4)]
        on_the_hour = self.now.replace(minute=0, second=0, microsecond=0)
        bounds += [on_the_hour, on_the_hour - timedelta(minutes=self.rng.randrange(60))]
        periods = [(None, None), *((self.rng.choice(bounds), self.rng.choice(bounds)) for _ in range(4))]
        for since, until in periods:
            campaign = self.rng.choice((None, "shop", "vote", "radio"))
            told = await figures(db, campaign, since, until, self.timezone)
            counted = await recount(db.fetch_all, campaign, since, until, self.timezone)
            assert disagreements(told, counted) == {}, (campaign, since, until)


@pytest.mark.parametrize("seed", range(16))
async def test_the_figures_equal_a_recount(tmp_path: Path, seed: int) -> None:
    life = Life(seed)
    async with open_store(InlineDriver(), tmp_path / "missedd.db", "a test") as store:

        async def live(db: Database) -> None:
            await begin(db, grid_of(life.timezone))
            for step in range(300):
                await life.step(db)
                if step % 30 == 29:
                    await life.check(db)

        await store.write(live)


async def _put_calls(db: Database, instants: Sequence[int], campaign: str = "shop") -> None:
    await db.executemany(
        """INSERT INTO calls (call_sid, campaign, caller, called_at, received_at, verdict, reason, shape, fields)
           VALUES (?, ?, ?, ?, 0, 'accepted', 'first-call', 'native', '{}')""",
        [(f"{campaign}-{at}-{i}", campaign, f"+9198{i:08d}", at) for i, at in enumerate(instants)],
    )


async def _follow(store: Store, timezone: str, now: datetime, piece: int) -> list[int]:
    """Fold until nothing is left to be folded; up to where each piece went."""
    went: list[int] = []
    while True:
        folded = await store.write(partial(fold, grid=grid_of(timezone), now=now, piece=piece))
        if folded is None:
            return went
        went.append(folded.until_us)
        assert folded.is_behind == (await store.read(partial(_bound, timezone, now, piece)) is not None)


async def _bound(timezone: str, now: datetime, piece: int, db: Rows) -> int | None:
    return await next_bound(db, grid_of(timezone), now, piece)


async def test_a_piece_is_folded_when_it_is_full_or_old(store: Store) -> None:
    base = to_us(NOON)
    await store.write(partial(begin, grid=grid_of(INDIA)))
    await store.write(partial(_put_calls, instants=[base + i * 1_000_000 for i in range(25)]))
    assert await _follow(store, INDIA, NOON + timedelta(seconds=35), 10) == []  # young still
    assert await _follow(store, INDIA, NOON + timedelta(minutes=2), 10) == [
        base + 10_000_000,
        base + 20_000_000,
    ]
    assert await _follow(store, INDIA, NOON + timedelta(minutes=59), 10) == []  # no full piece
    later = NOON + timedelta(hours=2)
    assert await _follow(store, INDIA, later, 10) == [to_us(later - timedelta(hours=1))]
    assert await _follow(store, INDIA, later + timedelta(days=1), 10) == []  # nothing new


async def test_more_than_a_piece_at_one_instant_is_one_piece(store: Store) -> None:
    base = to_us(NOON)
    await store.write(partial(begin, grid=grid_of(INDIA)))
    await store.write(partial(_put_calls, instants=[base] * 30 + [base + 9]))
    assert await _follow(store, INDIA, NOON + timedelta(minutes=2), 4) == [base + 1]


async def test_old_pieces_are_larger(store: Store) -> None:
    base = to_us(NOON)
    await store.write(partial(begin, grid=grid_of(INDIA)))
    await store.write(partial(_put_calls, instants=[base + i for i in range(100)]))
    went = await _follow(store, INDIA, NOON + timedelta(days=2), 10)
    assert went == [base + 40, base + 80, base + 90, to_us(NOON + timedelta(days=2, hours=-1))]


async def test_another_time_zone_begins_anew_and_the_same_goes_on(store: Store) -> None:
    base = to_us(NOON)
    assert await store.write(partial(begin, grid=grid_of(INDIA)))
    await store.write(partial(_put_calls, instants=[base + i for i in range(9)]))
    later = NOON + timedelta(days=3)
    await _follow(store, INDIA, later, 2)
    assert not await store.write(partial(begin, grid=grid_of(INDIA)))
    found = await store.read(partial(figures, campaign=None, since=None, until=None, timezone=INDIA))
    assert (found["total_calls"], found["unique_callers"]) == (9, 9)
    # A command with another zone in its configuration counts one by one.
    in_utc = await store.read(partial(figures, campaign=None, since=None, until=None, timezone="UTC"))
    assert (in_utc["unique_callers"], in_utc["peak_hours"][6]) == (9, {"hour": 6, "calls": 9})
    assert await store.write(partial(begin, grid=grid_of("UTC")))
    await _follow(store, "UTC", later, 2)
    assert await store.read(partial(figures, campaign=None, since=None, until=None, timezone="UTC")) == in_utc
    again = await store.read(partial(figures, campaign=None, since=None, until=None, timezone=INDIA))
    assert again == found


async def test_what_is_too_much_to_count_is_refused_until_it_is_summed(store: Store) -> None:
    await store.write(partial(_put_calls, instants=[to_us(NOON) + i for i in range(9)]))
    unit = partial(figures, campaign=None, since=None, until=None, timezone=INDIA, most=8)
    with pytest.raises(TooMuchToCount, match="have not begun"):
        await store.read(unit)
    assert (await store.read(partial(unit, until=NOON + timedelta(microseconds=8))))["total_calls"] == 8
    await store.write(partial(begin, grid=grid_of(INDIA)))
    await store.write(partial(fold, grid=grid_of(INDIA), now=NOON + timedelta(minutes=1), piece=8))
    assert (await store.read(unit))["total_calls"] == 9
    await store.write(partial(_put_calls, instants=[to_us(NOON) + 100 + i for i in range(9)], campaign="b"))
    with pytest.raises(TooMuchToCount, match="2026-11-23T06:30:00"):
        await store.read(unit)


async def test_the_database_has_the_same_buckets(store: Store) -> None:
    rng, base = Random(1), to_us(NOON)
    tenths = [*range(2000), *(2**n + d for n in range(11, 24) for d in (-1, 0, 1))]
    tenths += [int(10 ** rng.uniform(0, 7)) for _ in range(2000)]

    async def called_back(db: Database) -> None:
        await _put_calls(db, [base])
        await db.executemany(
            """INSERT INTO actions (call_id, kind, campaign, number, exophone, state, reason, plan, base_at, due_at,
                                    created_at, placed_at)
               VALUES (1, 'callback', 'shop', '', '', 'placed', '', 'open', 0, 0, 0, ?)""",
            [(base + each * 100_000 + rng.randrange(100_000),) for each in tenths],
        )

    await store.write(called_back)
    rows = await store.read(
        lambda db: db.fetch_all("SELECT fact FROM facts WHERE fact LIKE 'called-back|%' ORDER BY id")
    )
    assert [fact for (fact,) in rows] == [f"called-back|{bucket_of(each / 10)}" for each in tenths]
