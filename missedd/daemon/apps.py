"""Connects the public and the private site to a running engine.

Only this module and `daemon` know both the engine and the web. A simulation uses this module too, so it
talks to the same sites as the daemon serves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import trio
from quart_trio import QuartTrio

from missedd.base.clock import Clock
from missedd.core.actions.possible_outcomes import CLOSED_AT_ADMISSION
from missedd.core.analytics.figures import is_agent_miss
from missedd.core.model import StatusReport
from missedd.daemon.cluster_reader import sole_node_reader
from missedd.daemon.process_metrics import ProcessMetrics
from missedd.engine.build import Engine
from missedd.engine.intake.intake_queue import Overloaded, limited_wait
from missedd.exotel.misdirected_requests import OtherProduct
from missedd.exotel.webhook_request import WebhookRequest
from missedd.log.logger import Event, Logger
from missedd.store.db.database import NotDurable
from missedd.store.reads.reader import StoreReader, gauges
from missedd.web.auth.access import AccessPolicy
from missedd.web.private.app import NO_AUTH, PrivateDependencies, build_private
from missedd.web.private.metrics import Metrics
from missedd.web.public.app import READINESS_PATH, PublicSite
from missedd.web.public.responses import HttpReply
from missedd.web.shared.ports import ClusterReader

MISPLACED_LOG_INTERVAL_S: Final = 3_600.0
"""Seconds between two warnings about one product: it may send hundreds of wrong requests a minute."""


class PublicRequestLog:
    """Logs and counts requests to the public site that were refused, misdirected or failed."""

    def __init__(self, log: Logger, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics
        self._misplaced: dict[str, tuple[float, int]] = {}
        """For each product: when it was last logged, in seconds of trio's clock, and its requests since."""

    def refused(self, status: int, place: str, why: str) -> None:
        self._metrics.refused.add(status)
        fields = {"status": status, "place": place, "why": why}
        self._log.log_throttled(
            "warning", Event.WEBHOOK_REFUSED, f"{status} {_path_prefix(place)} {why}", **fields
        )

    def misdirected(self, product: OtherProduct) -> None:
        now_s = trio.current_time()
        told_s, since = self._misplaced.get(product.name, (-MISPLACED_LOG_INTERVAL_S, 0))
        if now_s - told_s < MISPLACED_LOG_INTERVAL_S:
            self._misplaced[product.name] = (told_s, since + 1)
            return
        self._misplaced[product.name] = (now_s, 0)
        self._log.warning(
            Event.WEBHOOK_MISPLACED,
            product=product.name,
            requests=since + 1,
            advice=f"the missed-call address is set in the wrong place: {product.setting}",
        )

    def unavailable(self, place: str, error: Exception) -> None:
        self._metrics.refused.add(503)
        why = str(error) or type(error).__name__
        self._log.log_throttled("error", Event.REQUEST_FAILED, why, status=503, place=place, why=why)

    def failed(self, place: str, error: Exception) -> None:
        self._metrics.refused.add(503)
        key = f"{_path_prefix(place)} {type(error).__name__}"
        self._log.log_throttled("error", Event.REQUEST_FAILED, key, status=503, place=place, exc_info=error)


def _path_prefix(place: str, parts: int = 1) -> str:
    """The first `parts` of a path, without ids: failures are throttled by it."""
    return "/".join(place.split("/")[:parts])


class TimedPublicSite:
    """The public site, which also measures how long each answer takes."""

    def __init__(self, site: PublicSite, edge: PublicRequestLog, metrics: Metrics) -> None:
        self._site = site
        self._metrics = metrics
        self.request_log = edge
        # The clock of this run, for each call twice: `trio.current_time` looks for it every time.
        self._now_s = trio.lowlevel.current_clock().current_time

    async def answer(self, path: str, request: WebhookRequest) -> HttpReply:
        began_s = self._now_s()
        reply = await self._site.answer(path, request)
        if path == READINESS_PATH:
            return reply  # a readiness probe is no call, and comes every second
        self._metrics.acknowledgement.observe(self._now_s() - began_s)
        return reply

    def on_refusal(self, status: int, why: str) -> None:
        """Record a request that the listener refused before it was parsed."""
        self.request_log.refused(status, "?", why)


def build_public_site(
    engine: Engine,
    token: str,
    log: Logger,
    metrics: Metrics,
    why_not_ready: Callable[[], str | None] | None = None,
) -> TimedPublicSite:
    """Build the public listener's site. Without `why_not_ready` it is ready while the store can commit."""

    async def report(kind: str, action_id: int, report: StatusReport) -> None:
        # We stop waiting, but the commit may still succeed. Missed calls have the same limit in intake.
        with limited_wait(engine.store.max_wait_s):
            await engine.apply_status_report(kind, action_id, report)
        metrics.reports.add(kind)

    edge = PublicRequestLog(log, metrics)

    def is_ready() -> bool:
        return (why_not_ready() if why_not_ready else engine.store.last_commit_error) is None

    site = PublicSite(
        token,
        engine.intake.admit,
        report,
        engine.sms_applet,
        edge,
        is_ready,
        retry_errors=(NotDurable, Overloaded),
    )
    return TimedPublicSite(site, edge, metrics)


def build_private_site(
    engine: Engine,
    clock: Clock,
    timezone: str,
    log: Logger,
    metrics: Metrics,
    why_not_ready: Callable[[], str | None],
    keys: AccessPolicy = NO_AUTH,
    cluster: ClusterReader | None = None,
) -> QuartTrio:
    """Build the private listener's site. Without `cluster` the daemon is the only one on its database."""
    read = StoreReader(engine.store.read)
    cluster = cluster or sole_node_reader("localhost", "", "", clock)
    signs = ProcessMetrics(engine, log, why_not_ready)

    async def exposition() -> str:
        now = clock.now()
        try:
            stored, status = await read(gauges, now), await cluster()
        except NotDurable:
            # A PostgreSQL that is away. What this daemon knows by itself is needed now more than ever.
            return metrics.exposition(None, now, signs.read(None))
        return metrics.exposition(stored, now, signs.read(status))

    def on_failure(path: str, error: Exception) -> None:
        key = f"{_path_prefix(path, 4)} {type(error).__name__}"
        log.log_throttled("error", Event.REQUEST_FAILED, key, status=500, place=path, exc_info=error)

    def on_login(is_right: bool, peer: str) -> None:
        if is_right:
            log.info(Event.OPERATOR_LOGGED_IN, peer=peer)
            log.reset_throttle(Event.LOGIN_REFUSED, peer)
        else:
            log.log_throttled("warning", Event.LOGIN_REFUSED, peer, peer=peer)

    needs = PrivateDependencies(
        read=read,
        operations=engine.operator,
        verifier=engine.verifications,
        poll_feed=engine.poll_changes,
        cluster=cluster,
        policy=engine.policy,
        clock=clock,
        why_not_ready=why_not_ready,
        metrics=exposition,
        on_failure=on_failure,
        on_login=on_login,
        access_policy=keys,
        requests_per_minute=engine.requests_per_minute,
        troubles=lambda: engine.leader_state().troubles,
        hold_reason=lambda lane: engine.leader_state().hold_reasons.get(lane),
    )
    return build_private(needs)


def metrics_listener(metrics: Metrics) -> Callable[[Event, dict[str, object]], None]:
    """A log listener that updates the metrics. Each event reaches it once, whether or not it is printed."""

    def hear(event: Event, fields: dict[str, object]) -> None:
        match event:
            case Event.WEBHOOK_ADMITTED:
                metrics.calls.add(fields["verdict"])
                if fields["campaign"] is not None:
                    metrics.campaign_calls.add(fields["campaign"], fields["verdict"])
                _count_closed_at_once(fields)
            case Event.CALL_RECOVERED:
                metrics.recovered.add(fields["verdict"])
                _count_closed_at_once(fields)
            case Event.ATTEMPT_ACCEPTED | Event.ATTEMPT_REFUSED | Event.ATTEMPT_UNKNOWN:
                metrics.attempts.add(fields["kind"], event.value.partition(".")[2])
                metrics.lateness.observe(max(0.0, float(str(fields["late_ms"])) / 1000))
                _count_closed(fields)
                if event is not Event.ATTEMPT_ACCEPTED:
                    metrics.refusals.add(fields["kind"], fields["reason"])
            case Event.ACTION_CLOSED | Event.REPORT_APPLIED:
                _count_closed(fields)
            case Event.TIMER_CLOCK_STEPPED:
                metrics.clock_steps.inc()

    def _count_closed_at_once(fields: Mapping[str, Any]) -> None:
        for action in fields["actions"]:
            if (closed := CLOSED_AT_ADMISSION.get(action)) is not None:
                metrics.closed_at_once.add(*closed)

    def _count_closed(fields: dict[str, object]) -> None:
        if fields.get("outcome") is not None:
            metrics.closed.add(fields["kind"], fields["outcome"])
        if is_agent_miss(str(fields.get("outcome")), fields.get("reason")):
            metrics.agent_misses.add(fields["campaign"], fields["reason"])

    return hear
