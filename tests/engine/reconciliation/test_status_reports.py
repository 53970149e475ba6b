"""Status reports: the outcome of a rejected SMS, an agent's miss, and the levels of their log lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from trio.testing import MockClock

from missedd.core.model import Outcome, StatusReport
from missedd.daemon.apps import metrics_listener
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.exotel.request_result import Accepted
from missedd.exotel.sms_status_codes import resolve_code
from missedd.web.private.metrics import Metrics
from tests.core.campaigns import AGENTS, NOON, callback, campaign, minutes, policy, sms
from tests.engine.reconciliation.scene import attempted
from tests.engine.scene import EngineScene, scene

TEXTS = policy(campaign(sms=sms()))


class Texts:
    """SMS that were accepted one after the other, and the operator's code for each."""

    def __init__(self, stage: EngineScene) -> None:
        self.stage = stage
        self.reports = StatusReports(
            stage.store, stage.policy, stage.clock, stage.log, stage.clock_watch, stage.timers.add
        )
        self.count = 0

    async def sent(self, status: str, code: str | None) -> None:
        self.count += 1
        caller = f"+9198{self.count:08}"
        admitted = await self.stage.call(f"c{self.count}", NOON - minutes(1), caller=caller)
        action_id, sid = admitted.timers[0].action_id, f"sms-{self.count}"
        await attempted(self.stage, action_id, Accepted(sid))
        meaning = resolve_code(status, code)
        report = StatusReport(sid, status, code, meaning.is_terminal, meaning.outcome, {})
        await self.reports.apply_sms_report(action_id, report)

    def told(self) -> list[tuple[str, str | None, str | None, int | None]]:
        lines = self.stage.events("report.applied")
        return [(each["level"], each["code"], each.get("reason"), each.get("times")) for each in lines]


@asynccontextmanager
async def texting(folder: Path) -> AsyncIterator[Texts]:
    async with scene(folder, TEXTS) as stage:
        yield Texts(stage)


async def test_a_text_that_the_operators_reject_needs_a_person(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with texting(tmp_path) as texts:
        await texts.sent("failed", "23185")
        assert await texts.stage.actions("outcome, reason, code") == [
            (Outcome.FAILED, "sms-misconfigured", "23185")
        ]
        assert texts.told() == [("error", "23185", "sms-misconfigured", None)]


@pytest.mark.parametrize("code", ["23040", "24010", "23999", None])
async def test_any_other_failure_is_a_unit_of_work(
    autojump_clock: MockClock, tmp_path: Path, code: str | None
) -> None:
    async with texting(tmp_path) as texts:
        await texts.sent("failed", code)
        assert await texts.stage.actions("outcome, reason, code") == [(Outcome.FAILED, "sms-failed", code)]
        assert texts.told() == [("info", code, None, None)]


async def test_it_is_told_once_and_again_after_it_was_mended(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with texting(tmp_path) as texts:
        for _ in range(11):
            await texts.sent("failed", "23185")
        await texts.sent("failed", "23072")
        await texts.sent("sent", "20005")
        await texts.sent("failed", "23185")
        assert texts.told() == [
            ("error", "23185", "sms-misconfigured", None),
            ("error", "23185", "sms-misconfigured", 10),
            ("error", "23072", "sms-misconfigured", None),
            ("info", "20005", None, None),
            ("error", "23185", "sms-misconfigured", None),
        ]


@pytest.mark.parametrize(
    ("agent", "customer", "reason", "misses"),
    [
        ("busy", "null", "agent-busy", 1),
        ("no-answer", "", "agent-no-answer", 1),
        ("completed", "busy", "customer-busy", 0),
    ],
)
async def test_an_agents_miss_is_told_and_counted_by_campaign(
    autojump_clock: MockClock, tmp_path: Path, agent: str, customer: str, reason: str, misses: int
) -> None:
    of, metrics = policy(campaign(callback=callback(flow=None, agents=AGENTS))), Metrics()
    fields = {"Status": agent, "Legs[0][Status]": agent, "Legs[1][Status]": customer}
    async with scene(tmp_path, of) as stage:
        stage.log.add_listener(metrics_listener(metrics))
        reports = StatusReports(
            stage.store, stage.policy, stage.clock, stage.log, stage.clock_watch, stage.timers.add
        )
        await stage.call("c1", NOON - minutes(1))
        await attempted(stage, 1, Accepted("sid-1"))
        await reports.apply_call_report(1, StatusReport("sid-1", agent, None, True, None, fields))
        assert [each["reason"] for each in stage.events("report.applied")] == [reason]
        assert metrics.agent_misses.value("admissions", reason) == misses
