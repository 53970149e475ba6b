"""A status report that never arrived: the call or SMS is looked up by its Sid."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from missedd.core.actions.resolution import Resolution
from missedd.core.model import Kind, Outcome, StatusReport
from missedd.exotel.request_result import Accepted
from missedd.store.actions.operator_changes import resolve_unknown as settle_unknown
from tests.engine.reconciliation.scene import FLOW, TEXTS, Exotel, attempted, lost, missed, reconciling
from tests.engine.scene import scene


async def test_a_placed_call_that_nobody_reports_on_is_asked_after_and_given_up(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        (admitted,) = await stage.calls(missed("c1"))
        exotel.call("out-1")
        await attempted(stage, admitted.timers[0].action_id, Accepted("out-1"))
        await trio.sleep(4 * 3600)
        assert await stage.actions() == [("done", "unknown", "no-report")]
        assert exotel.asked == ["out-1.json"] * 6


async def test_a_report_that_came_needs_no_look_up(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel) as reports:
        (admitted,) = await stage.calls(missed("c1"))
        await attempted(stage, admitted.timers[0].action_id, Accepted("out-1"))
        ended = StatusReport("out-1", "completed", fields={"Status": "completed", "CallSid": "out-1"})
        assert (await reports.apply(1, Kind.CALLBACK, ended)).effect == "applied"
        await trio.sleep(4 * 3600)
        assert exotel.asked == []
        assert len(stage.timers) == 0


async def test_what_a_report_has_ended_is_not_said_to_be_found(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel) as reports:
        await lost(stage)
        exotel.call("out-1")
        await trio.sleep(4)
        stage.disk.takes_s = 3  # so that the lookup begins while the report is being committed
        ended = StatusReport("out-1", "completed", fields={"Status": "completed", "CallSid": "out-1"})
        await reports.apply(1, Kind.CALLBACK, ended)
        await trio.sleep(30)
        assert exotel.asked == ["Calls.json"]
        assert await stage.actions() == [("done", "answered", "customer-answered")]
        assert stage.events("action.found") == []


@pytest.mark.parametrize(
    ("status", "expected"),
    [("sent", ("done", "delivered")), ("failed", ("done", "failed")), ("queued", ("placed", None))],
)
async def test_an_sms_is_asked_after(
    autojump_clock: MockClock, tmp_path: Path, status: str, expected: tuple[str, str | None]
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, TEXTS) as stage, reconciling(stage, exotel):
        (admitted,) = await stage.calls(missed("c1"))
        await attempted(stage, admitted.timers[0].action_id, Accepted("sms-1"))
        exotel.messages["sms-1"] = status
        await trio.sleep(200)
        assert (await stage.actions())[0][:2] == expected


async def test_a_lost_sms_waits_for_its_report_and_asks_nobody(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, TEXTS) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(1700)
        assert await stage.actions("state") == [("attempting",)]
        await trio.sleep(200)
        assert await stage.actions() == [("done", "unknown", "not-found")]
        assert exotel.asked == []


async def test_a_lost_sms_that_a_first_report_named_is_asked_after(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    exotel.messages["sms-1"] = "sent"
    async with scene(tmp_path, TEXTS) as stage, reconciling(stage, exotel) as reports:
        await lost(stage)
        first = StatusReport("sms-1", "queued", is_terminal=False)
        assert (await reports.apply(1, Kind.SMS, first)).effect == "noted: not final"
        await trio.sleep(7200)
        assert await stage.actions() == [("done", "delivered", "sms-delivered")]


async def test_a_full_disk_at_a_look_up_is_waited_out(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        exotel.call("out-1")
        stage.disk.is_full = True
        await trio.sleep(60)
        assert await stage.actions("state") == [("attempting",)]
        stage.disk.is_full = False
        await trio.sleep(60)
        assert await stage.actions("state, provider_sid") == [("placed", "out-1")]


async def test_an_action_that_an_operator_settled_is_looked_for_no_more(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel = Exotel()
    async with scene(tmp_path, FLOW) as stage, reconciling(stage, exotel):
        await lost(stage)
        await trio.sleep(10)
        now = stage.clock.now()
        unit = partial(
            settle_unknown, action_id=1, outcome=Outcome.ANSWERED, note=None, policy=stage.policy, now=now
        )
        assert (await stage.store.write(unit)).resolution is Resolution.SETTLED
        await trio.sleep(7200)
        assert exotel.asked == ["Calls.json"]
        assert await stage.actions("outcome, settled_outcome") == [("unknown", "answered")]
