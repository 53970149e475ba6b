"""What a running daemon shows is what the rules, the dashboard and the table are tried against."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx
import trio
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import MockClock

from missedd.core.upstream.trouble import TroubleKind
from missedd.daemon.apps import build_private_site, metrics_listener
from missedd.daemon.process_metrics import ProcessMetrics
from missedd.engine.engine import running_engine
from missedd.engine.environment import Environment
from missedd.log.logger import create_logger
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.web.private.metrics import Metrics
from tests.core.campaigns import call
from tests.engine.scene import WallClock
from tests.engine.test_engine import SECRETS, settings
from tests.ops.exposition import EPOCH, STATUS, VITALS, sample_names
from tests.ops.promtool import PROMTOOL, promtool


def lost(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("lost")


async def test_a_running_daemon_shows_what_the_alerts_are_tried_with(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    clock, of = WallClock(), settings(tmp_path)
    log, metrics = create_logger(io.StringIO(), now=clock.now), Metrics(of.policy)
    log.add_listener(metrics_listener(metrics))
    world = Environment(clock, Random(1), InlineDriver(), httpx.MockTransport(lost))
    async with running_engine(of, SECRETS, world, log, "a test", "http://here") as engine:
        client = build_private_site(
            engine, clock, of.timezone, log, metrics, lambda: "stopping"
        ).test_client()
        await engine.intake.admit(call("c1", clock.now()))
        await engine.intake.admit(call("c2", clock.now() - timedelta(hours=5), caller="+919876500002"))
        leader = engine.leader
        assert leader is not None
        leader.troubles.record(TroubleKind.EXPIRING, "shop", "many expire", "look", clock.now())
        await trio.sleep(8)
        text = await (await client.get("/metrics")).get_data(as_text=True)
        for line in (
            'missedd_campaign_calls_total{campaign="shop",verdict="accepted"} 2.0',
            'missedd_actions_closed_at_once_total{kind="callback",outcome="expired"} 1.0',
            'missedd_actions_closed_at_once_total{kind="sms",outcome="dropped"} 0.0',
            'missedd_refusals_total{kind="callback",reason="reply-lost"} 1.0',
            'missedd_attempts_total{kind="callback",result="unknown"} 1.0',
            'missedd_actions_closed_total{kind="callback",outcome="unknown"} 0.0',
            'missedd_budget_per_minute{lane="voice"} 200.0',
            'missedd_budget_used_ratio{lane="sms"} 0.0',
            'missedd_troubles{kind="expiring",subject="shop"} 1.0',
            'missedd_troubles{kind="provider-unreachable",subject="sms"} 0.0',
            'missedd_campaign_paused{campaign="shop"} 0.0',
            "missedd_actions_lost 1.0",
            "missedd_ready 0.0",
            "missedd_commit_failures_total 0.0",
            "missedd_log_lines_lost_total 0.0",
        ):
            assert line in text.splitlines(), line
        # Of what it has not: no SMS is misconfigured, nothing told early or held, no agents, no PostgreSQL.
        only_where_there_is_any = {
            *("missedd_sms_misconfigured", "missedd_told_early", "missedd_actions_held"),
            "missedd_agent_misses_total",
            "missedd_synchronous_standby",
        }
        shown = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
        assert shown == sample_names() - only_where_there_is_any
        if PROMTOOL is not None:
            promtool("check", "metrics", text=text)
        leader.troubles.resolve(TroubleKind.EXPIRING, "shop")
        text = await (await client.get("/metrics")).get_data(as_text=True)
        assert 'missedd_troubles{kind="expiring",subject="shop"} 0.0' in text.splitlines()


def test_a_database_that_is_away_leaves_what_the_daemon_knows_by_itself() -> None:
    away = replace(VITALS, is_ready=False, cluster=replace(VITALS.cluster, status=None))
    text = Metrics().exposition(None, EPOCH, away)
    assert "missedd_ready 0.0" in text.splitlines()
    assert "missedd_leader 1.0" in text.splitlines()
    assert "missedd_commit_failures_total 0.0" in text.splitlines()
    for unknown in ("missedd_actions_open", "missedd_nodes_alive", "missedd_campaign_paused"):
        assert unknown not in text


async def test_what_cannot_be_told_has_no_sample(autojump_clock: MockClock, tmp_path: Path) -> None:
    clock, of = WallClock(), settings(tmp_path)
    log = create_logger(io.StringIO(), now=clock.now)
    world = Environment(clock, Random(1), InlineDriver(), httpx.MockTransport(lost))
    async with running_engine(of, SECRETS, world, log, "a test", "http://here") as engine:
        well = ProcessMetrics(engine, log, lambda: None).read(STATUS)
        assert well.files["main"] > 0
        assert 0 < (well.disk_free or 0) <= (well.disk_size or 0)
        engine.store.path = tmp_path / "gone" / "missedd.db"
        gone = ProcessMetrics(engine, log, lambda: None).read(STATUS)
        assert (gone.files, gone.disk_free, gone.disk_size) == ({}, None, None)
