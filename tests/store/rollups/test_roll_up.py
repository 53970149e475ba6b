"""The summaries: whatever happens to the facts, and whenever, the figures equal a recount."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random

import pytest

from missedd.base.clock import to_us
from missedd.core.analytics.figures import RollupsBehind
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.analytics.latency_buckets import bucket_of
from missedd.core.api_types.analytics import HourJson
from missedd.store.db.database import Database
from missedd.store.reads.reader import ReadOnlyDatabase, load_analytics
from missedd.store.rollups.roll_up import next_rollup_step, roll_up
from missedd.store.rollups.state import load_rollup_state, start_rollups
from missedd.store.sqlite.migrate import LATEST_VERSION
from missedd.store.store import Driver, Store, open_store
from tests.core.campaigns import NOON
from tests.store.database import MIGRATIONS
from tests.store.life import RandomHistory
from tests.store.steps import rows

INDIA = "Asia/Kolkata"
SCHEMA = "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name"


@pytest.mark.parametrize(
    "database", ["inline", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
@pytest.mark.parametrize("seed", range(16))
async def test_the_figures_equal_a_recount(store: Store, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    life = RandomHistory(seed)

    async def live(db: Database) -> None:
        await life.start(db, monkeypatch)
        for step in range(300):
            await life.step(db)
            if step % 30 == 29:
                await life.check(db)

    await store.write(live)


async def _put_calls(db: Database, instants: Sequence[int], campaign: str = "shop") -> None:
    await db.executemany(
        """INSERT INTO calls (call_sid, campaign, caller, called_at, received_at, verdict, reason, shape,
                              fields)
           VALUES (?, ?, ?, ?, 0, 'accepted', 'first-call', 'native', '{}')""",
        [(f"{campaign}-{at}-{i}", campaign, f"+9198{i:08d}", at) for i, at in enumerate(instants)],
    )


async def _follow(store: Store, timezone: str, now: datetime, calls: int) -> list[int]:
    """Fold until nothing is left to be folded; up to where each went."""
    went: list[int] = []
    while True:
        folded = await store.write(
            partial(roll_up, grid=hour_grid_for(timezone), now=now, calls_per_bucket=calls)
        )
        if folded is None:
            return went
        went.append(folded.until_us)
        assert folded.is_behind == await store.read(partial(_is_behind, timezone, now, calls))


async def _is_behind(timezone: str, now: datetime, calls: int, db: ReadOnlyDatabase) -> bool:
    summary = await load_rollup_state(db, hour_grid_for(timezone))
    return summary is not None and await next_rollup_step(db, summary, now, calls) is not None


async def test_a_stretch_is_folded_when_it_is_full_or_old(store: Store) -> None:
    base = to_us(NOON)
    await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
    await store.write(partial(_put_calls, instants=[base + i * 1_000_000 for i in range(25)]))
    assert await _follow(store, INDIA, NOON + timedelta(seconds=35), 10) == []  # young still
    assert await _follow(store, INDIA, NOON + timedelta(minutes=2), 10) == [
        base + 10_000_000,
        base + 20_000_000,
    ]
    assert await _follow(store, INDIA, NOON + timedelta(minutes=59), 10) == []  # no full stretch
    later = NOON + timedelta(hours=2)
    assert await _follow(store, INDIA, later, 10) == [to_us(later - timedelta(hours=1))]
    assert await _follow(store, INDIA, later + timedelta(days=1), 10) == []  # nothing new


async def test_more_calls_than_that_at_one_instant_are_one_stretch(store: Store) -> None:
    base = to_us(NOON)
    await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
    await store.write(partial(_put_calls, instants=[base] * 30 + [base + 9]))
    assert await _follow(store, INDIA, NOON + timedelta(minutes=2), 4) == [base + 1]


async def test_old_stretches_are_larger(store: Store) -> None:
    base = to_us(NOON)
    await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
    await store.write(partial(_put_calls, instants=[base + i for i in range(100)]))
    went = await _follow(store, INDIA, NOON + timedelta(days=2), 10)
    assert went == [base + 40, base + 80, base + 90, to_us(NOON + timedelta(days=2, hours=-1))]


async def test_another_time_zone_begins_anew_and_the_same_goes_on(store: Store) -> None:
    base = to_us(NOON)
    assert await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
    await store.write(partial(_put_calls, instants=[base + i for i in range(9)]))
    later = NOON + timedelta(days=3)
    await _follow(store, INDIA, later, 2)
    assert not await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
    found = await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA))
    assert (found.total_calls, found.unique_callers) == (9, 9)
    # A command with another zone in its configuration counts one by one.
    in_utc = await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone="UTC"))
    assert (in_utc.unique_callers, in_utc.peak_hours[6]) == (9, HourJson(6, 9))
    assert await store.write(partial(start_rollups, grid=hour_grid_for("UTC")))
    await _follow(store, "UTC", later, 2)
    assert (
        await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone="UTC"))
        == in_utc
    )
    again = await store.read(partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA))
    assert again == found


OLD_SUMS = """
    INSERT INTO summary (id, width_us, phase_us, until_at, last_call, callers)
        VALUES (1, 3600000000, 1800000000, 9000000000000000, 7, 7);
    INSERT INTO figures VALUES ('shop', 0, 7, 'call|accepted|first-call|', 7), ('shop', 1, 0, 'lead|', 7);
    INSERT INTO hourly_calls VALUES ('shop', 7, 7);
    INSERT INTO callers VALUES ('+919000000007', 7);
    INSERT INTO caller_sets (campaign, level, bucket, callers) VALUES ('shop', 0, 7, x'00');
    INSERT INTO late_callers VALUES ('shop', 7, '+919000000007');
"""
"""Sums by hour as a database of version 9 or 10 may hold them; wrong ones, so that one kept would show."""


@pytest.mark.sqlite
@pytest.mark.parametrize("version", range(1, LATEST_VERSION))
async def test_a_database_of_before_is_brought_up_to_date(driver: Driver, path: Path, version: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        for migration in sorted(MIGRATIONS.glob("*.sql"))[:version]:
            old.executescript(migration.read_text())
        old.execute(f"PRAGMA user_version = {version}")
        old.execute(
            """INSERT INTO calls (call_sid, campaign, caller, called_at, received_at, verdict, reason, shape,
                                  fields)
               VALUES ('sid', 'shop', '+919876543210', ?, 0, 'accepted', 'first-call', 'native', '{}')""",
            (to_us(NOON),),
        )
        if version in (9, 10):
            old.executescript(OLD_SUMS)
    async with open_store(driver, path, "a test") as store:
        unit = partial(load_analytics, campaign="shop", since=None, until=None, timezone=INDIA)
        counted = await store.read(unit)
        assert (counted.total_calls, counted.unique_callers) == (1, 1)
        await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
        assert len(await _follow(store, INDIA, NOON + timedelta(days=9), 10)) == 1
        assert await store.read(unit) == counted
        new = await rows(store, SCHEMA)
    async with open_store(driver, path.with_name("new.db"), "a test") as store:
        assert new == await rows(store, SCHEMA)


async def test_what_is_too_much_to_count_is_refused_until_it_is_summed(store: Store) -> None:
    await store.write(partial(_put_calls, instants=[to_us(NOON) + i for i in range(9)]))
    unit = partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA, max_calls=8)
    with pytest.raises(RollupsBehind, match="have not begun"):
        await store.read(unit)
    assert (await store.read(partial(unit, until=NOON + timedelta(microseconds=8)))).total_calls == 8
    await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
    await store.write(
        partial(roll_up, grid=hour_grid_for(INDIA), now=NOON + timedelta(minutes=1), calls_per_bucket=8)
    )
    assert (await store.read(unit)).total_calls == 9
    await store.write(partial(_put_calls, instants=[to_us(NOON) + 100 + i for i in range(9)], campaign="b"))
    with pytest.raises(RollupsBehind, match="2026-11-23T06:30:00"):
        await store.read(unit)


async def test_the_database_has_the_same_buckets(store: Store) -> None:
    rng, base = Random(1), to_us(NOON)
    tenths = [*range(2000), *(2**n + d for n in range(11, 24) for d in (-1, 0, 1))]
    tenths += [int(10 ** rng.uniform(0, 7)) for _ in range(2000)]

    async def called_back(db: Database) -> None:
        await _put_calls(db, [base])
        await db.executemany(
            """INSERT INTO actions (call_id, kind, campaign, number, exophone, state, reason, plan, base_at,
                                    due_at, created_at, placed_at)
               VALUES (1, 'callback', 'shop', '', '', 'placed', '', 'open', 0, 0, 0, ?)""",
            [(base + each * 100_000 + rng.randrange(100_000),) for each in tenths],
        )

    await store.write(called_back)
    kept = await rows(store, "SELECT fact FROM facts WHERE fact LIKE 'called-back|%' ORDER BY id")
    assert [fact for (fact,) in kept] == [f"called-back|{bucket_of(each / 10)}" for each in tenths]
