"""Erasing a number: it is nowhere any more, in no spelling, and nothing is counted otherwise than before."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from missedd.base.clock import to_us
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.audit import Actor, Source
from missedd.core.model import Outcome, Verdict
from missedd.core.people.conversions import ConversionInput
from missedd.core.people.erasure import (
    ErasureCause,
    ErasureRefusal,
    ErasureResult,
    is_erased,
    number_redactor,
)
from missedd.core.people.suppression import BLOCKS_CALLS, BLOCKS_SMS, RefusedSmsClass
from missedd.core.policy import SubscribePolicy, UnsubscribePolicy, VotePolicy
from missedd.core.reasons import Reason
from missedd.exotel.request_result import Accepted
from missedd.store.admission.catch_up import unknown_call_sids
from missedd.store.db.database import Database
from missedd.store.people.conversions import record_conversions
from missedd.store.people.erase import erase_number
from missedd.store.people.retention import BEFORE_ALL_NUMBERS, NUMBER_COLUMNS, erase_inactive, scan_numbers
from missedd.store.people.retention_clock import update_trusted_time
from missedd.store.people.suppressions import suppress, suppress_after_refusal
from missedd.store.polls.recount import open_snapshot, recount_from_calls, stored_tally, vote_digests
from missedd.store.polls.rule_changes import recount_changed_polls
from missedd.store.reads.audit import record_audit
from missedd.store.reads.reader import load_analytics
from missedd.store.rollups.roll_up import roll_up
from missedd.store.rollups.state import start_rollups
from missedd.store.sqlite.inline_driver import InlineDatabase, InlineDriver
from missedd.store.store import Store, open_store
from tests.core.campaigns import (
    CALLER,
    INDIA,
    NOON,
    OTHER,
    call,
    callback,
    campaign,
    minutes,
    policy,
    poll,
    seconds,
)
from tests.store.life import RandomHistory
from tests.store.reads.test_query_plans import GROWING
from tests.store.steps import (
    DUE,
    admit_calls,
    answer_action,
    claim_actions,
    report_outcome,
    rows,
    verdict_texts,
)

CALLED, VOTED, JOINED, LEFT = "+918047120001", "+918047120002", "+918047120003", "+918047120004"
CLOSES = NOON + minutes(30)
LATER = NOON + timedelta(days=1)
DIGITS = CALLER.removeprefix("+91")
OF = policy(
    campaign(exophones=(CALLED,), callback=callback(), lead_source="missed_call"),
    campaign(name="vote", exophones=(VOTED,), vote=VotePolicy("singer", "Asha")),
    campaign(name="join", exophones=(JOINED,), subscribe=SubscribePolicy("weather", "alerts")),
    campaign(name="leave", exophones=(LEFT,), unsubscribe=UnsubscribePolicy("weather", suppress=False)),
    polls=(poll(closes_at=CLOSES),),
)
MINE = "SELECT id FROM actions WHERE number = ?"
BY = Actor(Source.API, "127.0.0.1")
KEEP_IT = {"suppressions", "subscriptions", "withdrawals"}


async def erased(
    store: Store, number: str = CALLER, at: datetime = LATER, since: datetime | None = None
) -> ErasureResult | ErasureRefusal:
    unit = partial(erase_number, number=number, at=at, cause=ErasureCause.OPERATOR, unless_active_since=since)
    return await store.write(unit)


async def lived(store: Store) -> None:
    """Two callers who did everything that one can do, and the summaries that were made of it."""
    await store.write(partial(start_rollups, grid=hour_grid_for(INDIA)))
    await store.write(partial(recount_changed_polls, policy=OF))
    for caller, n in ((CALLER, 1), (OTHER, 2)):
        fields = {"From": f"0{caller[3:]}", "To": CALLED, "Note": f"{caller[3:8]} {caller[8:]} rang"}
        named = [(CALLED, 0), (VOTED, 1), (VOTED, 2), (JOINED, 3), (LEFT, 4), (CALLED, 9)]
        calls = [
            call(f"{caller[-4:]}-{i}", NOON + minutes(at), caller=caller, dialled=(to,), fields=fields)
            for i, (to, at) in enumerate(named)
        ]
        await admit_calls(store, *calls, of=OF, at=NOON + minutes(n))
    for action_id, sid in await rows(store, "SELECT id, 'sid-' || id FROM actions WHERE kind = 'callback'"):
        await claim_actions(store, action_id, at=DUE + minutes(10), of=OF)
        await answer_action(store, Accepted(sid, "200"), action_id, at=DUE + minutes(10))
        await report_outcome(store, Outcome.ANSWERED, action_id, sid=sid, at=DUE + minutes(12), of=OF)
    told = f"no call from {CALLER}, 0{DIGITS} or (0987) 654-3210"
    # What is told of our own callback by its flow: somebody else is the caller in it.
    ((sid,),) = await rows(store, "SELECT provider_sid FROM actions WHERE number = ? AND placed_at", CALLER)
    ours = call(sid, NOON + minutes(11), caller=CALLED, dialled=(), fields={"To": CALLER})
    await admit_calls(store, replace(ours, not_missed=Reason.OUTBOUND_LEG), of=OF, at=NOON + minutes(12))

    async def others(db: Database) -> None:
        said = [ConversionInput(f"order-{DIGITS}", number=CALLER, campaign="admissions")]
        await record_conversions(db, said, NOON + minutes(20))
        await record_audit(db, BY, "number.suppressed", CALLER, NOON, reason=told)
        await record_audit(db, BY, "action.settled", 1, NOON, note=told)
        await suppress(db, CALLER, "asked", "api", NOON, None)
        for bar in (BLOCKS_CALLS, BLOCKS_SMS):
            await suppress_after_refusal(db, CALLER, bar, "x", NOON)
        await db.execute(f"UPDATE attempts SET message = ? WHERE action_id IN ({MINE})", (told, CALLER))
        await db.execute("UPDATE actions SET settled_note = ? WHERE id = 1", (told,))
        fields = f'{{"To":"0{DIGITS}"}}'
        await db.execute(f"UPDATE reports SET fields = ? WHERE action_id IN ({MINE})", (fields, CALLER))
        await db.execute(
            """INSERT INTO verifications (id, number, campaign, exophone, created_at, expires_at, status,
                                          reason)
               VALUES ('v1', ?, 'admissions', ?, ?, ?, 'pending', 'awaiting-call')""",
            (CALLER, CALLED, to_us(NOON), to_us(NOON + minutes(5))),
        )
        while (folded := await roll_up(db, hour_grid_for(INDIA), LATER, 2)) and folded.is_behind:
            pass
        await db.execute("UPDATE calls SET reason = reason")  # so that there are late callers

    await store.write(others)


def holding(path: Path, digits: str = DIGITS) -> set[str]:
    """Every column of the database in which digits stand, whatever stands between them."""
    with closing(sqlite3.connect(path)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = set()
        for table in tables:
            cursor = db.execute(f"SELECT * FROM {table}")
            names = [each[0] for each in cursor.description]
            for row in cursor:
                found |= {
                    f"{table}.{name}"
                    for name, value in zip(names, row, strict=True)
                    if isinstance(value, str) and digits in re.sub(r"[^0-9]", "", value)
                }
    return found


@pytest.mark.sqlite
async def test_no_row_but_suppressions_and_consents_has_the_number(store: Store, path: Path) -> None:
    await lived(store)
    assert holding(path) == {
        *("calls.caller", "calls.fields", "actions.number", "actions.settled_note", "attempts.message"),
        *("reports.fields", "leads.number", "votes.number", "verifications.number", "conversions.number"),
        *("conversions.reference", "callers.number", "late_callers.number", "audit.subject"),
        *("audit.details", "suppressions.number", "subscriptions.number", "withdrawals.number"),
    }
    assert await erased(store) == ErasureResult("erased:1", suppressions=1, consents=1)
    assert {each.partition(".")[0] for each in holding(path)} == KEEP_IT
    assert holding(path, OTHER.removeprefix("+91")) > {"calls.caller", "actions.number", "votes.number"}
    named = await rows(store, "SELECT DISTINCT number FROM actions UNION SELECT caller FROM calls")
    assert set(named) == {("erased:1",), (OTHER,), (CALLED,)}
    assert await rows(store, "SELECT id, cause FROM erasures") == [(1, "operator")]
    assert await rows(store, "SELECT details FROM audit WHERE subject = '1'") == [
        ('{"note":"no call from erased:1, erased:1 or erased:1"}',)
    ]


@pytest.mark.sqlite
async def test_every_figure_and_the_polls_stay_what_they_were(store: Store, path: Path) -> None:
    await lived(store)
    unit = partial(load_analytics, campaign=None, since=None, until=None, timezone=INDIA)
    sums = "SELECT * FROM figures WHERE n UNION ALL SELECT * FROM call_hours WHERE n ORDER BY 1, 2, 3, 4"
    before, kept = await store.read(unit), await rows(store, sums)
    with open_snapshot(path) as reading:
        signed = vote_digests(reading, "singer")
    assert isinstance(await erased(store), ErasureResult)
    assert (await store.read(unit), await rows(store, sums)) == (before, kept)
    with open_snapshot(path) as reading:
        tally = stored_tally(reading, "singer")
        assert tally is not None
        counted = recount_from_calls(reading, tally)
        assert (counted.differences, counted.voter_count) == ([], 2)
        assert vote_digests(reading, "singer") == signed
    # Whatever is folded after that finds the same caller again.
    await admit_calls(store, call("new", LATER, caller=OTHER, dialled=(CALLED,)), of=OF, at=LATER)
    after = await store.read(unit)
    assert (after.total_calls, after.unique_callers) == (13, 2)
    await store.write(
        partial(roll_up, grid=hour_grid_for(INDIA), now=LATER + timedelta(days=1), calls_per_bucket=2)
    )
    assert await store.read(unit) == after
    assert await rows(store, "SELECT count(*) FROM late_callers") == [(0,)]


@pytest.mark.parametrize(
    "database", ["inline", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)
@pytest.mark.parametrize("seed", range(6))
async def test_the_figures_equal_a_recount_whoever_is_erased_when(
    store: Store, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    life = RandomHistory(seed)

    async def live(db: Database) -> None:
        await life.start(db, monkeypatch)
        done = 0
        for step in range(300):
            await life.step(db)
            if step % 3 == 2:
                done += isinstance(
                    await erase_number(db, life.number(), life.now, ErasureCause.RETENTION), ErasureResult
                )
            if step % 30 == 29:
                await life.check(db)
        assert done > 5

    await store.write(live)


async def test_what_is_owed_keeps_the_number(store: Store) -> None:
    assert await erased(store) is ErasureRefusal.UNKNOWN
    await store.write(partial(recount_changed_polls, policy=OF))
    await admit_calls(store, call("c1", dialled=(CALLED,)), of=OF)
    assert await erased(store) is ErasureRefusal.STILL_OWED
    await store.write(
        lambda db: db.execute("UPDATE actions SET state = 'done', outcome = '', wake_at = NULL")
    )
    await admit_calls(store, call("c2", dialled=(VOTED,)), of=OF)
    assert await erased(store, at=CLOSES - seconds(1)) is ErasureRefusal.POLL_OPEN
    assert await erased(store, at=CLOSES, since=NOON) is ErasureRefusal.ACTIVE_AGAIN
    assert await erased(store, at=CLOSES, since=NOON + minutes(1)) == ErasureResult("erased:1", 0, 0)
    assert await erased(store) is ErasureRefusal.UNKNOWN


async def test_a_pending_verification_blocks_the_erasure(store: Store) -> None:
    def pending(until: datetime) -> Callable[[Database], Any]:
        return lambda db: db.execute(
            """INSERT INTO verifications (id, number, campaign, exophone, created_at, expires_at, status,
                                          reason)
               VALUES ('v1', ?, 'verify', ?, 0, ?, 'pending', 'awaiting-call')""",
            (CALLER, CALLED, to_us(until)),
        )

    await store.write(pending(LATER + seconds(1)))
    assert await erased(store) is ErasureRefusal.BEING_VERIFIED
    assert isinstance(await erased(store, at=LATER + seconds(1)), ErasureResult)
    assert await rows(store, "SELECT number, status FROM verifications") == [("erased:1", "pending")]


async def test_an_erased_call_never_comes_in_again(store: Store) -> None:
    rung = call("c1", dialled=(VOTED,))
    interim = call("c2", dialled=(VOTED,))
    await admit_calls(store, rung, replace(interim, not_missed=Reason.STILL_IN_PROGRESS), of=OF)
    assert await store.read(partial(unknown_call_sids, sids=["c1", "c2", "c3"])) == {"c2", "c3"}
    assert isinstance(await erased(store), ErasureResult)
    assert await store.read(partial(unknown_call_sids, sids=["c1", "c2", "c3"])) == {"c3"}
    again = await admit_calls(store, rung, interim, replace(rung, shape="recovered"), of=OF, at=LATER)
    assert verdict_texts(again) == [Verdict.REDELIVERED] * 3
    assert await rows(store, "SELECT DISTINCT caller, fields FROM calls") == [("erased:1", "{}")]
    # Who rings anew is somebody new.
    await admit_calls(store, call("c4", LATER, dialled=(VOTED,)), of=OF, at=LATER)
    assert await erased(store) == ErasureResult("erased:2", 0, 0)


@pytest.mark.sqlite
async def test_a_late_report_does_not_bring_it_back(store: Store, path: Path) -> None:
    await lived(store)
    assert isinstance(await erased(store), ErasureResult)
    ((action_id,),) = await rows(
        store, "SELECT min(id) FROM actions WHERE number = 'erased:1' AND kind = 'callback'"
    )
    applied = await report_outcome(
        store, Outcome.BUSY, action_id, sid=f"sid-{action_id}", refused=RefusedSmsClass.PROMOTIONAL, of=OF
    )
    assert applied.effect == "ignored: the number is erased"
    assert await rows(store, "SELECT fields FROM reports ORDER BY id DESC LIMIT 1") == [("{}",)]
    assert await rows(store, "SELECT count(*) FROM suppressions WHERE number = 'erased:1'") == [(0,)]


async def test_every_row_is_found_by_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Sequence[object]] = {}
    fetch_all, execute = InlineDatabase.fetch_all, InlineDatabase.execute

    async def fetching(self: InlineDatabase, sql: str, params: Sequence[object] = ()) -> list[Any]:
        seen[sql] = params
        return await fetch_all(self, sql, params)

    async def executing(self: InlineDatabase, sql: str, params: Sequence[object] = ()) -> None:
        seen[sql] = params
        await execute(self, sql, params)

    async with open_store(InlineDriver(), tmp_path / "missedd.db", "a test") as store:
        await lived(store)
        monkeypatch.setattr(InlineDatabase, "fetch_all", fetching)
        monkeypatch.setattr(InlineDatabase, "execute", executing)
        assert await store.write(partial(update_trusted_time, now=LATER, elapsed=minutes(1))) is not None
        for table, column in NUMBER_COLUMNS:
            unit = partial(
                scan_numbers, table=table, column=column, after=BEFORE_ALL_NUMBERS, before=LATER, limit=9
            )
            assert (await store.read(unit)).inactive
        assert await store.write(partial(erase_inactive, numbers=[CALLER], before=LATER, now=LATER)) == 1
        statements = {
            sql: params for sql, params in seen.items() if re.match(r"\s*(SELECT|UPDATE|WITH)", sql)
        }
        assert len(statements) > 20
        for sql, params in statements.items():
            plan = [each[3] for each in await rows(store, f"EXPLAIN QUERY PLAN {sql}", *params)]
            assert not [step for step in plan if re.match(rf"SCAN ({'|'.join(GROWING)}|[a-z])\b", step)], sql


@pytest.mark.parametrize(
    "spelling",
    [
        *("+919876543210", "919876543210", "09876543210", "9876543210", "0091 98765 43210"),
        *("+91 (0) 98765-43210", "%2B919876543210", "sip:09876543210@example.in", "+91.98765.43210"),
    ],
)
def test_every_spelling_is_found(spelling: str) -> None:
    found = number_redactor(CALLER, "erased:1")(f"<{spelling}>, 9876543211")
    assert (re.findall(r"\d+", found), found[0]) == (["1", "9876543211"], "<")


def test_a_short_number_is_not_found_within_others() -> None:
    remove = number_redactor("+29012345", "erased:1")  # Saint Helena
    assert remove("+29012345 owes 912345 of 12345") == "erased:1 owes 912345 of erased:1"


def test_pseudonyms_are_told_apart() -> None:
    rng = Random(1)
    assert not any(is_erased(f"+{rng.randrange(10**12)}") for _ in range(99))
