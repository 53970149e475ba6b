"""The gauges of the metrics: values of one instant, from the store, the engine and the machine.

A gauge without a sample means that the value is unknown, not that it is 0.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from missedd.base.clock import to_us
from missedd.base.version import __version__
from missedd.core.actions.possible_outcomes import OPEN_STATES
from missedd.core.cluster.cluster_status import ClusterStatus
from missedd.core.model import LANE_BY_KIND, Lane
from missedd.core.upstream.trouble import TroubleKind
from missedd.store.reads.reader import StoreGauges

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class RateLimitGauges:
    """One lane's budget. `used_share` is the share of it that the last minute's requests took, from 0 to
    1."""

    per_minute: int
    used_share: float
    pause_left_s: float


@dataclass(frozen=True, slots=True)
class ClusterGauges:
    """The nodes on this database, and what this one has to do with them."""

    status: ClusterStatus | None
    """None while the database cannot be read."""
    leads: bool
    """Whether this node leads."""
    skew_s: float = 0.0
    """By how much its clock is ahead of the database's."""
    lost_commits_resolved: int = 0
    group_retries: int = 0


@dataclass(frozen=True, slots=True)
class DaemonGauges:
    """Values of the running daemon and its disk. Sizes are in bytes, None if unknown."""

    is_ready: bool
    budgets: Mapping[Lane, RateLimitGauges]
    troubles: Mapping[tuple[TroubleKind, str], bool]
    """Whether each trouble lasts now; a trouble that has ended since the start is False."""
    campaigns: Sequence[str]
    commit_failures: int
    lines_lost: int
    cluster: ClusterGauges
    files: Mapping[str, int] = field(default_factory=dict)
    """The sizes of the database files: `main`, and `wal` for changes that are not in `main` yet."""
    disk_free: int | None = None
    disk_size: int | None = None


def metric_families(
    gauges: StoreGauges | None, daemon: DaemonGauges | None, now: datetime
) -> Iterator[Metric]:
    """All gauges: those that the store told at `now`, if it could be read, and those of `daemon`."""
    if gauges is not None:
        yield from _action_gauges(gauges, now)
        yield from _store_gauges(gauges)
    if daemon is not None:
        yield from _engine_gauges(daemon)
        if gauges is not None:
            yield from _campaign_gauges(gauges, daemon)
        yield from _node_gauges(daemon.cluster)
        if daemon.cluster.status is not None:
            yield from _cluster_gauges(daemon.cluster.status)
        yield from _disk_gauges(daemon)


def _action_gauges(gauges: StoreGauges, now: datetime) -> Iterator[Metric]:
    counts = {(kind, state): 0 for kind in LANE_BY_KIND for state in OPEN_STATES} | dict(gauges.open)
    yield _labelled_gauge(
        "missedd_actions_open", "Actions without an outcome, by kind and state.", ("kind", "state"), counts
    )
    yield _labelled_gauge(
        "missedd_actions_held",
        "Actions that wait for something, by kind and reason.",
        ("kind", "reason"),
        gauges.held,
    )
    due = {(kind,): gauges.due.get(kind, (0, None)) for kind in LANE_BY_KIND}
    yield _labelled_gauge(
        "missedd_actions_due",
        "Actions whose instant has come and that wait for their turn, by kind.",
        ("kind",),
        {kind: n for kind, (n, _) in due.items()},
    )
    now_us = to_us(now)
    yield _labelled_gauge(
        "missedd_oldest_due_seconds",
        "For how long the action has been due that waits for its turn the longest; 0 if none waits.",
        ("kind",),
        {kind: 0.0 if since is None else (now_us - since) / _US for kind, (_, since) in due.items()},
    )
    if gauges.next_wake_at is not None:
        yield _gauge(
            "missedd_next_wake_seconds",
            "Seconds until the next action is due; negative when overdue.",
            (gauges.next_wake_at - now_us) / _US,
        )


def _store_gauges(gauges: StoreGauges) -> Iterator[Metric]:
    yield _gauge("missedd_suppressions", "Numbers on the suppression list.", gauges.suppressions)
    yield _gauge(
        "missedd_agents_absent", "Agents who missed five calls in a row or more.", gauges.agents_absent
    )
    yield _gauge(
        "missedd_webhooks_parked",
        "Webhooks that the application never took, at most 1,001.",
        gauges.attention["parked"],
    )
    yield _gauge(
        "missedd_actions_unknown",
        "Actions whose outcome nobody learnt and no operator said, at most 1,001.",
        gauges.attention["unknown"],
    )
    yield _gauge(
        "missedd_actions_lost",
        "Actions that are looked up because the answer to their request was lost, at most 1,001.",
        gauges.attention["lost"],
    )
    yield _gauge(
        "missedd_actions_quarantined",
        "Actions from before a restore that wait for an operator's word.",
        gauges.quarantined,
    )
    yield _labelled_gauge(
        "missedd_sms_misconfigured",
        "SMS of the last 24 hours that every operator refuses until somebody corrects them.",
        ("campaign", "code"),
        gauges.sms_misconfigured,
    )
    yield _labelled_gauge(
        "missedd_told_early",
        "Calls of the last 24 hours that a flow reported before they ended, and that were called "
        "back too early.",
        ("campaign",),
        {(campaign,): count for campaign, count in gauges.told_early.items()},
    )
    if gauges.last_webhook_at is not None:
        yield _gauge(
            "missedd_last_webhook_timestamp_seconds",
            "When the latest call came in by a webhook, in seconds since 1970 UTC.",
            gauges.last_webhook_at / _US,
        )
    build = GaugeMetricFamily(
        "missedd_build_info",
        "Always 1; the labels say what runs.",
        labels=("version", "python", "schema"),
    )
    build.add_metric((__version__, platform.python_version(), str(gauges.schema)), 1)
    yield build


def _engine_gauges(daemon: DaemonGauges) -> Iterator[Metric]:
    yield _gauge("missedd_ready", "Whether calls can be taken in, as /readyz says: 1 or 0.", daemon.is_ready)
    budgets = daemon.budgets
    yield _labelled_gauge(
        "missedd_budget_per_minute",
        "Requests a minute that the configuration allows, by lane.",
        ("lane",),
        {(lane,): budget.per_minute for lane, budget in budgets.items()},
    )
    yield _labelled_gauge(
        "missedd_budget_used_ratio",
        "The share of it that the last minute's requests took, from 0 to 1.",
        ("lane",),
        {(lane,): budget.used_share for lane, budget in budgets.items()},
    )
    yield _labelled_gauge(
        "missedd_budget_paused_seconds",
        "How long the lane still pauses after the provider refused too many requests.",
        ("lane",),
        {(lane,): budget.pause_left_s for lane, budget in budgets.items()},
    )
    yield _labelled_gauge(
        "missedd_troubles",
        "Whether a trouble that needs a person lasts, by kind and subject: 1 or 0.",
        ("kind", "subject"),
        daemon.troubles,
    )
    yield CounterMetricFamily(
        "missedd_commit_failures_total",
        "Transactions that could not be made durable.",
        value=daemon.commit_failures,
    )
    yield CounterMetricFamily(
        "missedd_log_lines_lost_total", "Log lines that nobody took in time.", value=daemon.lines_lost
    )


def _campaign_gauges(gauges: StoreGauges, daemon: DaemonGauges) -> Iterator[Metric]:
    paused = gauges.paused
    yield _labelled_gauge(
        "missedd_campaign_paused",
        "Whether an operator has paused the campaign: 1 or 0.",
        ("campaign",),
        {(name,): name in paused for name in daemon.campaigns},
    )


def _node_gauges(node: ClusterGauges) -> Iterator[Metric]:
    yield _gauge("missedd_leader", "Whether this node leads: 1 or 0.", node.leads)
    yield _gauge(
        "missedd_clock_skew_seconds",
        "By how much this node's clock is ahead of the database's; negative if it is behind.",
        node.skew_s,
    )
    yield CounterMetricFamily(
        "missedd_lost_commits_resolved_total",
        "Commits whose answer was lost and that were asked for again until it was known.",
        value=node.lost_commits_resolved,
    )
    yield CounterMetricFamily(
        "missedd_group_retries_total",
        "Transactions that ran again because of a deadlock or a lock that was found to be missing.",
        value=node.group_retries,
    )


def _cluster_gauges(status: ClusterStatus) -> Iterator[Metric]:
    yield _gauge("missedd_leader_epoch", "The number of the latest term; each leader has one.", status.epoch)
    yield _gauge("missedd_nodes_alive", "Nodes on this database that are alive.", len(status.living))
    yield _gauge(
        "missedd_nodes_vanished",
        "Nodes that went without a stop in the last day and did not come back.",
        len(status.vanished),
    )
    yield _gauge(
        "missedd_node_configurations",
        "How many different configurations the living nodes have; 1 is right.",
        len({node.config for node in status.living}),
    )
    if status.is_shared:
        yield _gauge(
            "missedd_synchronous_standby",
            "Whether each commit waits for a standby of the PostgreSQL: 1 or 0.",
            status.why_not_synchronous is None,
        )


def _disk_gauges(daemon: DaemonGauges) -> Iterator[Metric]:
    yield _labelled_gauge(
        "missedd_database_bytes",
        "The size of the database's files: main, and wal for what is still to be moved there.",
        ("file",),
        {(name,): size for name, size in daemon.files.items()},
    )
    if daemon.disk_free is not None:
        yield _gauge("missedd_disk_free_bytes", "Free space on the database's file system.", daemon.disk_free)
    if daemon.disk_size is not None:
        yield _gauge("missedd_disk_bytes", "The size of the disk where the database lies.", daemon.disk_size)


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=value)


def _labelled_gauge(
    name: str, help_text: str, labels: Sequence[str], samples: Mapping[tuple[Any, ...], float]
) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for values, value in samples.items():
        family.add_metric([str(each) for each in values], value)
    return family
