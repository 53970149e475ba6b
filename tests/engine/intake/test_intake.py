"""Intake: one commit for many calls, an answer for each, and only after the commit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from missedd.core.model import InboundCall, StatusReport, Verdict
from missedd.core.reasons import Reason
from missedd.engine.intake.intake import Intake, Overloaded
from missedd.engine.intake.intake_queue import MAX_PENDING_CALLS
from missedd.log.throttle import MAX_LINES_PER_SECOND
from missedd.store.actions.claims import claim
from missedd.store.db.database import NotDurable
from tests.core.campaigns import call, callback, campaign, everything, policy
from tests.engine.scene import EngineScene, scene

ALL = policy(everything())


class Told:
    """Receives the reports of callbacks; with `fails` it fails as a full disk would make it."""

    def __init__(self) -> None:
        self.reports: list[tuple[int, StatusReport]] = []
        self.fails = False

    async def __call__(self, action_id: int, report: StatusReport) -> None:
        if self.fails:
            raise NotDurable("database or disk is full")
        self.reports.append((action_id, report))


@asynccontextmanager
async def admitting(
    stage: EngineScene, told: Told | None = None, *, runs: bool = True
) -> AsyncIterator[Intake]:
    intake = Intake(
        stage.store, stage.policy, stage.clock, stage.log, stage.clock_watch, stage.timers.add, told or Told()
    )
    async with trio.open_nursery() as nursery:
        if runs:
            nursery.start_soon(intake.run)
        yield intake
        nursery.cancel_scope.cancel()


async def answers(intake: Intake, *calls: InboundCall) -> list[Verdict | Exception]:
    """Admit all calls at once. Returns each call's verdict, or its exception."""
    found: dict[int, Verdict | Exception] = {}

    async def one(index: int, each: InboundCall) -> None:
        try:
            found[index] = await intake.admit(each)
        except Exception as failure:
            found[index] = failure

    async with trio.open_nursery() as nursery:
        for index, each in enumerate(calls):
            nursery.start_soon(one, index, each)
    return [found[index] for index in range(len(calls))]


def many(count: int) -> list[InboundCall]:
    return [call(f"c{index}", caller=f"+9198{index:08}") for index in range(count)]


async def test_many_calls_share_commits_and_each_has_its_answer(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        assert await answers(intake, *many(600)) == [Verdict.ACCEPTED] * 600
        assert await stage.rows("SELECT count(*), count(DISTINCT call_sid) FROM calls") == [(600, 600)]
        await trio.sleep(1.5)
        told = [each["calls"] for each in stage.events("webhooks.admitted")]
        assert len(stage.events("webhook.admitted")) == MAX_LINES_PER_SECOND
        assert told == [600 - MAX_LINES_PER_SECOND], "the others in one line"
        await trio.sleep(2)
        assert stage.timers.pending_ids() == await stage.due_on_disk()


async def test_one_call_delivered_twice_at_once_is_decided_once(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        verdicts = await answers(intake, *[call("same")] * 5)
        assert sorted(map(str, verdicts)) == ["accepted", *["redelivered"] * 4]
        assert await stage.rows("SELECT redeliveries FROM calls") == [(4,)]


async def test_a_full_disk_refuses_each_and_keeps_nothing(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        stage.disk.is_full = True
        failures = await answers(intake, *many(10))
        assert all(isinstance(each, NotDurable) for each in failures)
        assert len({id(each) for each in failures}) == 10, "an exception of its own for each"
        stage.disk.is_full = False
        assert await stage.rows("SELECT count(*) FROM calls") == [(0,)]
        assert await answers(intake, *many(10)) == [Verdict.ACCEPTED] * 10


async def test_commits_that_fail_are_counted_and_told_now_and_then(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        stage.disk.is_full = True
        for each in many(123):
            await answers(intake, each)
        stage.disk.is_full = False
        await answers(intake, *many(1))
        await answers(intake, *many(1))
        failed = stage.events("store.commit_failed")
        assert [each.get("times") for each in failed] == [None, 10, 100]
        assert {(each["unit"], each["level"]) for each in failed} == {("admit", "error")}
        (ended,) = stage.events("log.repeats_ended")
        assert (ended["of"], ended["times"]) == ("store.commit_failed", 123)


async def test_a_full_mailbox_says_so_at_once(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with (
        scene(tmp_path, ALL) as stage,
        admitting(stage, runs=False) as intake,
        trio.open_nursery() as nursery,
    ):
        for each in many(MAX_PENDING_CALLS):
            nursery.start_soon(intake.admit, each)
        await wait_all_tasks_blocked()
        with pytest.raises(Overloaded):
            await intake.admit(call("one too many"))
        nursery.cancel_scope.cancel()


async def test_a_call_that_comes_after_the_close_is_asked_to_come_again(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        intake.close()
        with pytest.raises(Overloaded):
            await intake.admit(call())


async def test_what_waits_at_the_close_is_still_decided(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, ALL) as stage:
        intake = Intake(
            stage.store, stage.policy, stage.clock, stage.log, stage.clock_watch, stage.timers.add, Told()
        )
        async with trio.open_nursery() as nursery:
            for each in many(3):
                nursery.start_soon(intake.admit, each)
            await wait_all_tasks_blocked()
            intake.close()
            await intake.run()
        assert await stage.rows("SELECT count(*) FROM calls") == [(3,)]


async def test_a_call_that_is_beyond_us_harms_only_itself(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        calls = many(20)
        # The parsers reject such an early date. It stands for any fault that they overlook.
        calls[7] = call("poisoned", datetime.min.replace(tzinfo=UTC))
        found = await answers(intake, *calls)
        assert isinstance(found.pop(7), OverflowError)
        assert found == [Verdict.ACCEPTED] * 19
        assert await stage.rows("SELECT count(*) FROM calls") == [(19,)]


async def test_a_caller_that_hangs_up_is_decided_all_the_same(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(intake.admit, call("gone"))
            await trio.lowlevel.checkpoint()
            nursery.cancel_scope.cancel()
        assert await answers(intake, call("gone")) == [Verdict.REDELIVERED]


async def test_a_repeat_within_one_batch_is_a_duplicate(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        found = await answers(intake, call("c1"), call("c2"), call("c3", caller="+919800000005"))
        assert sorted(map(str, found)) == ["accepted", "accepted", "duplicate"]


def leg(sid: str) -> InboundCall:
    return call(sid, not_missed=Reason.OUTBOUND_LEG, report=StatusReport(sid, "completed"))


async def placed(stage: EngineScene, sid: str) -> None:
    await stage.call()
    unit = "UPDATE actions SET provider_sid = ?, state = 'placed' WHERE kind = 'callback'"
    await stage.store.write(lambda db: db.execute(unit, (sid,)))


async def test_a_request_about_a_callback_of_ours_is_passed_on(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    told = Told()
    of = policy(campaign(callback=callback()))
    async with scene(tmp_path, of) as stage, admitting(stage, told) as intake:
        await placed(stage, "out-1")
        assert await answers(intake, leg("out-1"), leg("stranger")) == [Verdict.NOT_MISSED] * 2
        await wait_all_tasks_blocked()
        assert [(each, report.provider_sid) for each, report in told.reports] == [(1, "out-1")]


async def test_a_report_that_cannot_be_kept_is_not_acknowledged_and_stops_nobody(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    told = Told()
    told.fails = True
    of = policy(campaign(callback=callback()))
    async with scene(tmp_path, of) as stage, admitting(stage, told) as intake:
        await placed(stage, "out-1")
        with pytest.raises(NotDurable):
            await intake.admit(leg("out-1"))
        assert await answers(intake, call("next", caller="+919800000005")) == [Verdict.ACCEPTED]


async def test_a_strange_exophone_is_a_warning(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        assert await answers(intake, call(dialled=("+918047129999",))) == [Verdict.UNKNOWN_EXOPHONE]
        (line,) = stage.events("webhook.admitted")
        assert line["level"] == "warning"


async def test_no_log_line_shows_a_whole_number(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with scene(tmp_path, ALL) as stage, admitting(stage) as intake:
        await answers(intake, call())
        assert "9876543210" not in stage.lines.getvalue()


async def test_a_flow_that_tells_of_a_call_too_early_is_warned_of(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    of = policy(campaign(callback=callback()))
    taken = [call(sid, caller=f"+9198{sid[1:]:>08}", not_missed=Reason.CONVERSATION) for sid in ("c1", "c2")]
    missed = [call(each.call_sid, caller=each.caller) for each in taken]
    async with scene(tmp_path, of) as stage, admitting(stage) as intake:
        assert [await intake.admit(each) for each in missed] == [Verdict.ACCEPTED] * 2
        await trio.sleep(31)
        await stage.store.write(partial(claim, ids=[1], policy=of, now=stage.clock.now(), limit=1))
        assert [await intake.admit(each) for each in taken] == [Verdict.NOT_MISSED] * 2
        (line,) = stage.events("call.told_early")
        told = {key: line[key] for key in ("level", "call_sid", "campaign", "reached_by", "actions")}
        assert told == {
            "level": "warning",
            "call_sid": "c1",
            "campaign": "admissions",
            "reached_by": "conversation",
            "actions": [1],
        }
        assert "put the Passthru applet after the Connect" in line["advice"]
        assert [each["action"] for each in stage.events("action.closed")] == [2]
