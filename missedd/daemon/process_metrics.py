"""The daemon's own gauges for the metrics: rate limits, troubles, log, disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from missedd.base.url_redaction import redact_url
from missedd.core.cluster.cluster_status import ClusterStatus
from missedd.core.model import Lane
from missedd.core.policy import Policy
from missedd.core.upstream.trouble import TroubleKind
from missedd.engine.build import Engine
from missedd.log.logger import Logger
from missedd.web.private.metric_gauges import ClusterGauges, DaemonGauges, RateLimitGauges


class ProcessMetrics:
    """Reads the gauges from the engine, the log and the disk, at each scrape."""

    def __init__(self, engine: Engine, log: Logger, why_not_ready: Callable[[], str | None]) -> None:
        self._engine = engine
        self._log = log
        self._why_not_ready = why_not_ready
        self._known = dict.fromkeys(_possible_troubles(engine.policy, engine.requests_per_minute), False)
        """Possible and past troubles, each False, so that a series continues as 0 after its trouble."""

    def read(self, cluster: ClusterStatus | None) -> DaemonGauges:
        """The gauges now; `cluster` is None while the database cannot be read."""
        engine = self._engine
        # A node that does not lead has no troubles and no budget of its own: sums over all nodes are right.
        leader = engine.leader
        active = leader.troubles.active() if leader else ()
        limiters = leader.rate_limiters if leader else {}
        going_on = {(trouble.kind, trouble.subject): True for trouble in active}
        self._known |= dict.fromkeys(going_on, False)
        disk_free, disk_size = _disk_usage(engine.store.path)
        return DaemonGauges(
            is_ready=self._why_not_ready() is None,
            budgets={
                lane: RateLimitGauges(limiter.per_minute, limiter.used_share, limiter.pause_left_s)
                for lane, limiter in limiters.items()
            },
            troubles=self._known | going_on,
            campaigns=[campaign.name for campaign in engine.policy.campaigns],
            commit_failures=engine.store.commit_failures,
            lines_lost=self._log.lines_lost,
            files=_file_sizes(engine.store.path),
            disk_free=disk_free,
            disk_size=disk_size,
            cluster=ClusterGauges(
                cluster,
                leads=leader is not None,
                skew_s=_skew_s(engine),
                lost_commits_resolved=engine.store.counts.lost_commits_resolved,
                group_retries=engine.store.counts.group_retries,
            ),
        )


def _skew_s(engine: Engine) -> float:
    skew = engine.cluster.watch.skew if engine.cluster is not None else None
    return skew.ahead_s if skew is not None else 0.0


def _possible_troubles(policy: Policy, lanes: Iterable[Lane]) -> Iterator[tuple[TroubleKind, str]]:
    for lane in lanes:
        yield TroubleKind.PROVIDER_UNREACHABLE, lane
        yield TroubleKind.PROVIDER_REFUSES, lane
    for campaign in policy.campaigns:
        yield TroubleKind.EXPIRING, campaign.name
        if campaign.webhook is not None:
            yield TroubleKind.WEBHOOK_FAILING, redact_url(campaign.webhook.url)


def _file_sizes(database: Path | None) -> dict[str, int]:
    sizes: dict[str, int] = {}
    if database is None:  # a PostgreSQL, whose files are another program's
        return sizes
    for name, path in (("main", database), ("wal", database.with_name(f"{database.name}-wal"))):
        try:
            sizes[name] = path.stat().st_size
        except OSError:
            continue  # an unknown size has no sample
    return sizes


def _disk_usage(database: Path | None) -> tuple[int | None, int | None]:
    """Free bytes for this process and total bytes of the database's disk; None if they are unknown."""
    if database is None:
        return None, None
    try:
        usage = shutil.disk_usage(database.parent)
    except OSError:
        return None, None
    return usage.free, usage.total
