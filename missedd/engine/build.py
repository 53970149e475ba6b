"""Builds the engine: creates its parts and connects them. Nothing runs yet, and nothing waits.

engine = build_engine(settings, secrets, environment, log, store, recovered, ...)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random

import httpx

from missedd.config.loader import Settings
from missedd.config.secrets import Secrets
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.model import Kind, Lane, StatusReport
from missedd.core.policy import Policy
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.alerts.expiry_alerts import ExpiryTroubles
from missedd.engine.dispatch.attempts import AttemptRecorder
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.dispatch.lane_probes import LaneProbes
from missedd.engine.environment import Environment
from missedd.engine.intake.catch_up import CatchUp
from missedd.engine.intake.catch_up_trigger import CatchUpTrigger
from missedd.engine.intake.intake import Intake
from missedd.engine.intake.sms_applet import SmsAppletResponder
from missedd.engine.operator import Operator
from missedd.engine.poll_changes import PollChanges
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.provider_sender import ProviderSender, StatusCallbackUrls
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.engine.reconciliation.reconciler import Reconciler
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.engine.recovery import Recovered
from missedd.engine.retention import Retention
from missedd.engine.rollup_worker import RollupWorker
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import Timers
from missedd.engine.verifications import Verifications
from missedd.engine.webhooks.endpoint_alerts import EndpointTroubles
from missedd.engine.webhooks.endpoint_queues import WebhookQueues
from missedd.engine.webhooks.webhook_dispatcher import WebhookDispatcher
from missedd.engine.webhooks.webhook_sender import WebhookSender
from missedd.exotel.client import ExotelAccount, ExotelClient
from missedd.exotel.transport import MAX_CONNECTIONS
from missedd.log.logger import Logger
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import timers_between
from missedd.store.store import Store

MAX_IN_FLIGHT_PER_LANE = MAX_CONNECTIONS // 2 - 2
"""Requests in flight per lane. At the provider's usual 0.3 s each that is 4,000 a minute. Both lanes and
the lookups together need fewer connections than there are, so calls that hang do not delay SMS."""


@dataclass(frozen=True, slots=True)
class Engine:
    """All parts of the engine, as listeners and commands see them."""

    policy: Policy
    store: Store
    timers: Timers
    due_queues: Mapping[Lane, DueQueue]
    rate_limiters: Mapping[Lane, RateLimiter]
    troubles: ActiveTroubles
    breakers: CircuitBreakers
    status_reports: StatusReports
    dispatchers: Mapping[Lane, Dispatcher]
    probes: Mapping[Lane, LaneProbes]
    webhook_dispatcher: WebhookDispatcher
    reconciler: Reconciler
    rollups: RollupWorker
    expiries: ExpiryTroubles
    retention: Retention | None
    intake: Intake
    sms_applet: SmsAppletResponder
    catch_up: CatchUp
    poll_changes: PollChanges
    operator: Operator
    verifications: Verifications

    async def health_line(self) -> str:
        """Check that the store answers, and return one line about the timers and queues."""
        await self.store.check_answers()
        return f"{len(self.timers)} timers; due: " + ", ".join(
            f"{lane} {len(queue)}" for lane, queue in self.due_queues.items()
        )

    async def apply_status_report(self, kind: str, action_id: int, report: StatusReport) -> None:
        """Record a status report of the provider about the action; `kind` is `call` or `sms`."""
        action_kind = Kind.CALLBACK if kind == "call" else Kind.SMS
        await self.status_reports.apply(action_id, action_kind, report)


def build_engine(
    settings: Settings,
    secrets: Secrets,
    environment: Environment,
    log: Logger,
    store: Store,
    recovered: Recovered,
    exotel_http: httpx.AsyncClient,
    webhook_http: httpx.AsyncClient,
    public_url: str,
) -> Engine:
    """Create the parts and connect them. Exotel sends status reports to `public_url`."""
    policy, clock = settings.policy, environment.clock
    webhook_queues = WebhookQueues(
        {campaign.name: campaign.webhook.url for campaign in policy.campaigns if campaign.webhook}
    )
    due_queues = {lane: DueQueue() for lane in Lane} | {Lane.WEBHOOK: webhook_queues}
    rate_limiters = recovered.rate_limiters
    read_timers = partial(_read_timers, store)
    timers = Timers(clock, read_timers, due_queues, log, environment.clock_steps, environment.slept_s)
    status_reports = StatusReports(store, policy, clock, log, timers)
    troubles = ActiveTroubles()
    breakers = CircuitBreakers(clock, log, troubles, recovered.lanes_in_doubt)
    expiries = ExpiryTroubles(troubles, clock, log)
    client = ExotelClient(exotel_http, _account(settings, secrets), clock)
    provider = ProviderSender(client, policy, StatusCallbackUrls(public_url, secrets.webhook_token))
    dispatchers = {
        lane: Dispatcher(
            lane=lane,
            store=store,
            policy=policy,
            clock=clock,
            rng=_jitter_of(environment.rng),
            log=log,
            due_queue=due_queues[lane],
            timers=timers,
            send=provider.send,
            rate_limiter=rate_limiters[lane],
            max_in_flight=MAX_IN_FLIGHT_PER_LANE,
            breakers=breakers,
            on_expired=expiries.record_expired,
        )
        for lane in (Lane.VOICE, Lane.SMS)
    }
    probes = {
        lane: LaneProbes(
            lane=lane,
            store=store,
            clock=clock,
            breakers=breakers,
            client=client,
            rate_limiter=rate_limiters[lane],
            dispatcher=dispatcher,
        )
        for lane, dispatcher in dispatchers.items()
    }
    webhook_dispatcher = WebhookDispatcher(
        store=store,
        recorder=AttemptRecorder(store, policy, clock, log, timers),
        clock=clock,
        rng=_jitter_of(environment.rng),
        queues=webhook_queues,
        send=WebhookSender(webhook_http, secrets.signing_key, store, policy, clock).send,
        endpoint_troubles=EndpointTroubles(troubles, clock, log),
    )
    reconciler = Reconciler(
        store=store,
        policy=policy,
        clock=clock,
        log=log,
        client=client,
        rate_limiters=rate_limiters,
        due_queue=due_queues[Lane.LOOKUP],
        timers=timers,
        status_reports=status_reports,
        breakers=breakers,
    )
    rollups = RollupWorker(store, hour_grid_for(settings.timezone), clock, log)
    catch_up_trigger, poll_changes = CatchUpTrigger(), PollChanges()
    intake = Intake(
        store,
        policy,
        clock,
        log,
        timers,
        status_reports.apply_call_report,
        on_refusal=catch_up_trigger.request,
        on_admitted=rollups.on_admitted,
        on_vote=poll_changes.publish,
    )
    catch_up = CatchUp(
        store=store,
        policy=policy,
        clock=clock,
        log=log,
        client=client,
        rate_limiter=rate_limiters[Lane.VOICE],
        admit=intake.admit_all,
        trigger=catch_up_trigger,
        breakers=breakers,
    )
    return Engine(
        policy=policy,
        store=store,
        timers=timers,
        due_queues=due_queues,
        rate_limiters=rate_limiters,
        troubles=troubles,
        breakers=breakers,
        status_reports=status_reports,
        dispatchers=dispatchers,
        probes=probes,
        webhook_dispatcher=webhook_dispatcher,
        reconciler=reconciler,
        rollups=rollups,
        expiries=expiries,
        retention=_retention(settings.erase_after, store, environment, log),
        intake=intake,
        sms_applet=SmsAppletResponder(
            store,
            policy,
            clock,
            log,
            intake.after_commit,
            catch_up_trigger.request,
            timers.clock_watch.clock_ahead,
        ),
        catch_up=catch_up,
        poll_changes=poll_changes,
        operator=Operator(store, policy, clock, log, timers),
        verifications=Verifications(store, policy, clock, environment.rng, log),
    )


def _account(settings: Settings, secrets: Secrets) -> ExotelAccount:
    return ExotelAccount(
        sid=settings.exotel.account_sid,
        api_base=settings.exotel.api_base,
        key=secrets.api_key,
        token=secrets.api_token,
    )


def _retention(
    erase_after: timedelta | None, store: Store, environment: Environment, log: Logger
) -> Retention | None:
    return None if erase_after is None else Retention(store, erase_after, environment.clock, log)


def _jitter_of(rng: Random) -> Random:
    """A random source for one part, so that its draws do not shift another part's in a simulation."""
    return Random(rng.random())  # noqa: S311 - jitter


async def _read_timers(store: Store, after_us: int, until_us: int) -> list[Timer]:
    return await store.read(partial(timers_between, after_us=after_us, until_us=until_us))
