"""The start: actions without a timer get one, a quarantine is logged, memory is compared with the disk."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio

from missedd.core.contact_countries import ANY_COUNTRY
from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.engine.leader.recovery import (
    load_rate_limiter,
    load_timers,
    recover_actions,
    warn_left_out,
)
from missedd.engine.leadership.term import Term
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.rate_limiter import WINDOW_S
from missedd.engine.timing.timers import Timers
from missedd.exotel.request_result import Refused
from missedd.store.actions.claims import claim
from missedd.store.actions.quarantine import start_quarantine
from missedd.store.actions.rows import Timer
from tests.core.campaigns import callback, campaign, policy
from tests.engine.leadership.shared_terms import Election
from tests.engine.scene import EngineScene, scene
from tests.store.database import MIGRATIONS

CALLBACKS = policy(campaign(callback=callback()))


async def fresh_timers(stage: EngineScene, *, forgets: int = 0) -> Timers:
    """Timers as a new start would make them. A faulty load may leave some out."""

    async def load(after_us: int, until_us: int) -> list[Timer]:
        rows = await stage.rows(
            "SELECT wake_at, id FROM actions WHERE wake_at > ? AND wake_at <= ? ORDER BY 1",
            after_us,
            until_us,
        )
        lane = next(iter(stage.ready))
        return [Timer(at_us, action_id, lane) for at_us, action_id in rows][forgets:]

    return Timers(stage.clock, load, stage.ready, stage.clock_watch)


async def test_timers_in_memory_are_the_due_rows_on_disk(tmp_path: Path, autojump_clock: object) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.call("c1")
        await stage.call("c2", caller="+919876500002")
        timers = await fresh_timers(stage)
        await load_timers(timers, stage.store, Term(1))
        assert len(timers) == 2
        with pytest.raises(AssertionError, match="1 timers in memory, 2 due rows on disk"):
            await load_timers(await fresh_timers(stage, forgets=1), stage.store, Term(1))


async def test_on_a_shared_database_others_commit_while_the_timers_are_loaded(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.call("c1")
        await stage.call("c2", caller="+919876500002")
        timers = await fresh_timers(stage, forgets=1)
        await load_timers(timers, stage.store, Election().elect())
        assert len(timers) == 1


async def test_an_open_action_without_an_instant_is_mended_and_said(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.call("c1")
        await stage.store.write(lambda db: db.execute("UPDATE actions SET wake_at = NULL"))
        await recover_actions(stage.store, stage.policy, stage.clock, stage.log)
        assert [each["actions"] for each in stage.events("store.mended")] == [1]
        assert await stage.due_on_disk() == {1}
        await recover_actions(stage.store, stage.policy, stage.clock, stage.log)
        assert len(stage.events("store.mended")) == 1


async def test_a_quarantine_is_said_at_each_start(tmp_path: Path, autojump_clock: object) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.call("c1")
        await stage.store.write(partial(start_quarantine, now=stage.clock.now()))
        await recover_actions(stage.store, stage.policy, stage.clock, stage.log)
        (line,) = stage.events("store.quarantined")
        assert (line["level"], line["actions"]) == ("warning", 1)
        assert await stage.due_on_disk() == set()


async def test_who_is_not_contacted_any_more_is_told_at_the_first_start_after_an_upgrade(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        for i, caller in enumerate(["+971501234567", "+971501234567", "+881612345678", "+919876500002"]):
            await stage.call(f"c{i}", caller=caller)
        await warn_left_out(stage.store, CALLBACKS, stage.clock, stage.log)
        assert stage.events("callers.left_out") == []  # a database that had countries from the start
        await stage.store.write(
            lambda db: db.execute("INSERT INTO notices VALUES ('callers-left-out')"),
        )
        for _ in range(2):
            await warn_left_out(stage.store, CALLBACKS, stage.clock, stage.log)
        (said,) = stage.events("callers.left_out")
        assert said["campaign"] == "admissions"
        assert said["callers"] == "1 caller from AE (2 calls), 1 caller of no country (1 call)"
        assert '[campaign.contact] countries = "any"' in said["why"]


async def test_who_keeps_all_is_told_nothing(tmp_path: Path, autojump_clock: object) -> None:
    everywhere = policy(campaign(callback=callback(), countries=ANY_COUNTRY))
    async with scene(tmp_path, everywhere) as stage:
        await stage.call("c1", caller="+971501234567")
        await stage.store.write(lambda db: db.execute("INSERT INTO notices VALUES ('callers-left-out')"))
        await warn_left_out(stage.store, everywhere, stage.clock, stage.log)
        assert stage.events("callers.left_out") == []
        # A campaign without callback and SMS contacts nobody, so it has no excluded callers.
        await stage.store.write(lambda db: db.execute("INSERT INTO notices VALUES ('callers-left-out')"))
        await warn_left_out(stage.store, policy(campaign(lead_source="x")), stage.clock, stage.log)
        assert stage.events("callers.left_out") == []


def test_only_a_database_that_was_in_use_before_has_something_to_tell() -> None:
    told = []
    for was_in_use in (False, True):
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
            files = sorted(MIGRATIONS.glob("*.sql"))
            for migration in files[:12]:
                db.executescript(migration.read_text())
            if was_in_use:
                db.execute(
                    """INSERT INTO calls (call_sid, called_at, received_at, verdict, reason, shape, fields)
                       VALUES ('c1', 0, 0, 'accepted', 'first-call', 'native', '{}')"""
                )
            for migration in files[12:]:
                db.executescript(migration.read_text())
            told.append(db.execute("SELECT name FROM notices").fetchall())
    assert told == [[], [("callers-left-out",)]]


async def test_what_the_provider_held_is_tried_anew_and_its_lane_is_in_doubt(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.call("c1")
        await stage.store.write(
            lambda db: db.execute(
                "UPDATE actions SET state = 'held', reason = 'provider-auth', wake_at = expires_at"
            )
        )
        _, in_doubt = await recover_actions(stage.store, stage.policy, stage.clock, stage.log)
        assert in_doubt == {Lane.VOICE}
        assert await stage.actions("state, reason, wake_at = due_at") == [
            ("planned", "provider-reachable", 1)
        ]
        upstream = CircuitBreakers(stage.clock, stage.log, stage.troubles, in_doubt)
        assert [upstream.is_on_probation(lane) for lane in (Lane.VOICE, Lane.SMS)] == [True, False]
        assert upstream.hold_reason(Lane.VOICE) is None
        upstream.record_answer(Lane.VOICE, Refused(True, "connect-error", Reason.CONNECTION_FAILED), 1.0)
        assert upstream.hold_reason(Lane.VOICE) is Reason.PROVIDER_UNREACHABLE


@pytest.mark.parametrize("lane", [Lane.VOICE, Lane.SMS])
async def test_a_new_leader_counts_every_request_that_may_have_gone_out(
    tmp_path: Path, autojump_clock: object, lane: Lane
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.call("c1")
        term = Election().elect()
        limiter = await load_rate_limiter(stage.store, term, lane, 60, stage.clock)
        assert limiter.used_share == 1.0, "what has left no record counts as well"
        before = trio.current_time()
        for _ in range(60):
            await limiter.acquire()
        waited_s = trio.current_time() - before
        assert WINDOW_S * 0.9 < waited_s < WINDOW_S * 1.1, "one after the other, without a burst"


async def test_requests_of_another_leader_count_as_later_than_its_clock_said(
    tmp_path: Path, autojump_clock: object
) -> None:
    """Two clocks differ by up to 4 s: a request of 57 s ago by our clock may be one of 53 s ago."""
    async with scene(tmp_path, CALLBACKS) as stage:
        await stage.call("c1")
        await trio.sleep(30)
        unit = partial(claim, ids=[1], policy=stage.policy, now=stage.clock.now(), limit=1)
        await stage.store.write(unit)
        await trio.sleep(57)
        waits_s = [
            (await load_rate_limiter(stage.store, term, Lane.VOICE, 1, stage.clock)).wait_s
            for term in (Term(1), Election().elect())
        ]
        assert waits_s == pytest.approx([WINDOW_S - 57, WINDOW_S - 53], abs=0.01)
        await trio.sleep(6)  # it is older than a minute now, and may be younger than one
        limiter = await load_rate_limiter(stage.store, Election().elect(), Lane.VOICE, 1, stage.clock)
        assert limiter.wait_s == pytest.approx(WINDOW_S - 59, abs=0.01)


async def test_a_new_leader_of_an_empty_database_may_send_a_burst(
    tmp_path: Path, autojump_clock: object
) -> None:
    async with scene(tmp_path, CALLBACKS) as stage:
        limiter = await load_rate_limiter(stage.store, Election().elect(), Lane.VOICE, 60, stage.clock)
        assert limiter.used_share == 0.0
