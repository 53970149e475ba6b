"""What `/metrics` shows where everything has a value, and what stands in `ops/`."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from missedd.base.clock import to_us
from missedd.core.cluster.cluster_status import sole_node
from missedd.core.model import Lane
from missedd.core.upstream.trouble import TroubleKind
from missedd.store.reads.reader import StoreGauges
from missedd.web.private.metric_gauges import ClusterGauges, DaemonGauges, RateLimitGauges
from missedd.web.private.metrics import Metrics
from tests.core.campaigns import SECOND_EXOPHONE, callback, campaign, policy

ROOT: Final = Path(__file__).parent.parent.parent
RULES: Final = ROOT / "ops" / "prometheus" / "missedd.rules.yml"
DASHBOARD: Final = ROOT / "ops" / "grafana" / "missedd.json"
RUNBOOK: Final = ROOT / "docs" / "runbook.md"

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Where the clock of a rule's test begins."""

POLICY: Final = policy(
    campaign(callback=callback()),
    campaign(
        name="sales", exophones=(SECOND_EXOPHONE,), callback=callback(flow=None, agents=("+912222222222",))
    ),
)

GAUGES: Final = StoreGauges(
    open={("callback", "held"): 2},
    held={("callback", "business-closed"): 2},
    due={"callback": (1, to_us(EPOCH - timedelta(seconds=1)))},
    next_wake_at=to_us(EPOCH),
    suppressions=7,
    agents_absent=0,
    attention={"parked": 0, "unknown": 0, "lost": 0},
    quarantined=0,
    paused=[],
    sms_misconfigured={("admissions", "23185"): 0},
    told_early={"admissions": 0},
    last_webhook_at=to_us(EPOCH),
    schema=1,
)
STATUS: Final = replace(
    sole_node("delhi-1", "10.0.0.1:8081", "0.2.0", "0123456789ab", EPOCH, EPOCH), renewed_at=EPOCH
)
"""Of a node on a PostgreSQL that does not need a person."""

VITALS: Final = DaemonGauges(
    is_ready=True,
    budgets={lane: RateLimitGauges(60, 0.2, 0.0) for lane in (Lane.VOICE, Lane.SMS)},
    troubles={(kind, "voice"): False for kind in TroubleKind},
    campaigns=["admissions", "sales"],
    commit_failures=0,
    lines_lost=0,
    cluster=ClusterGauges(STATUS, leads=True),
    files={"main": 10**8, "wal": 10**6},
    disk_free=100 * 10**9,
    disk_size=200 * 10**9,
)
"""Of a daemon that is well, on the first of January 1970."""


def text() -> str:
    return Metrics(POLICY).exposition(GAUGES, EPOCH, VITALS)


def families() -> list[Metric]:
    return list(text_string_to_metric_families(text()))


def sample_names() -> set[str]:
    return {sample.name for family in families() for sample in family.samples}


def alerts() -> list[str]:
    """The names of all alerts in their order, those that are switched off too."""
    return re.findall(r"^ +#?- alert: (\w+)$", RULES.read_text("utf-8"), re.MULTILINE)


def with_all_switched_on() -> str:
    """The rules, with those that are marked as comments among them."""
    return re.sub(r"^( +)#(- alert:|  )", r"\1\2", RULES.read_text("utf-8"), flags=re.MULTILINE)
