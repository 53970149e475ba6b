"""No statement that runs while calls come in looks at more than it must, however large the tables grow.

Scenarios are replayed and every statement the daemon runs is kept; SQLite then tells how it would
find the rows. A statement that passes over a whole table, or over all of a campaign, is a mistake:
it is fast in every test and slow in the second year.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from missedd.store.sqlite.inline_driver import InlineDatabase
from simulator.harness.replay import replay_scenario
from simulator.scenario.loader import load_scenario
from tests.store.database import MIGRATIONS

SCENARIOS = Path(__file__).parents[3] / "scenarios"
PLAYED = (
    "after-hours",
    "agents",
    "agents-in-turn",
    "broken-webhook",
    "failed-sms",
    "few-channels",
    "lost-reply",
    "on-the-telephone",
    "reached-otherwise",
    "restart-during-delay",
    "status-reports",
    "suppressed-and-quiet",
)
GROWING = (
    "calls",
    "actions",
    "attempts",
    "reports",
    "leads",
    "votes",
    "subscriptions",
    "conversions",
    "audit",
)

OF_WHAT_IS_OPEN = ("actions_open", "callbacks_going_on", "callbacks_waiting")

ALLOWED = {
    "SELECT min(received_at), max(received_at) FROM calls": "only at the very first start with catch-up",
    "SELECT 1 FROM calls LIMIT 1": "one row",
}


@pytest.fixture(scope="module")
def statements() -> Iterator[dict[str, tuple[object, ...]]]:
    """Every statement that the daemon ran, with parameters it once had."""
    seen: dict[str, tuple[object, ...]] = {}
    fetch_all, execute, executemany = (
        InlineDatabase.fetch_all,
        InlineDatabase.execute,
        InlineDatabase.executemany,
    )

    async def fetching(
        self: InlineDatabase, sql: str, params: Sequence[object] = ()
    ) -> list[tuple[object, ...]]:
        seen.setdefault(sql, tuple(params))
        return await fetch_all(self, sql, params)

    async def executing(self: InlineDatabase, sql: str, params: Sequence[object] = ()) -> None:
        seen.setdefault(sql, tuple(params))
        await execute(self, sql, params)

    async def executing_many(self: InlineDatabase, sql: str, rows: Sequence[Sequence[object]]) -> None:
        if rows:
            seen.setdefault(sql, tuple(rows[0]))
        await executemany(self, sql, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InlineDatabase, "fetch_all", fetching)
        patch.setattr(InlineDatabase, "execute", executing)
        patch.setattr(InlineDatabase, "executemany", executing_many)
        for name in PLAYED:
            assert replay_scenario(load_scenario(SCENARIOS / f"{name}.toml")).passed
        yield seen


def test_the_daemon_finds_rows_by_an_index_that_fits(statements: dict[str, tuple[object, ...]]) -> None:
    migrations = [path.read_text() for path in sorted(MIGRATIONS.glob("*.sql"))]
    run_once = "".join(map(_text, migrations))
    looked_at, faults = 0, []
    with closing(sqlite3.connect(":memory:")) as db:
        for migration in migrations:
            db.executescript(migration)
        for sql, params in statements.items():
            text = _text(sql)
            if not re.match(r"SELECT|UPDATE|DELETE|WITH", text) or text in run_once:
                continue
            if any(text.startswith(each) for each in ALLOWED):
                continue
            plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
            looked_at += 1
            faults += [f"{text}\n    {step}" for step in plan if _is_slow(step, text, plan)]
    assert looked_at > 30, "the scenarios run the daemon's statements"
    assert not faults, "\n".join(faults)


def _text(sql: str) -> str:
    """A statement, or several, in one line and without comments."""
    return " ".join(re.sub(r"--.*", "", sql).split())


def _is_slow(step: str, sql: str, plan: Sequence[str]) -> bool:
    if re.fullmatch(
        r"SEARCH \w+ USING (COVERING )?INDEX actions_by_campaign \(campaign=\? AND kind=\?\)", step
    ):
        return True  # all callbacks of a campaign, to find those of one number
    if re.match(r"SEARCH \w+ USING .*INDEX \w+ \((caller|number)>\?\)", step) and "LIMIT" not in sql:
        return True  # all rows in which it is not NULL
    table = re.match(rf"SCAN ({'|'.join(GROWING)}|[a-z])\b", step)
    if table is None or any(index in step for index in OF_WHAT_IS_OPEN):
        return False  # what is open is never much
    # In the order of an index up to a limit it stops early.
    return "LIMIT" not in sql or any("TEMP B-TREE FOR ORDER BY" in each for each in plan)
