"""Builds the leader's parts for one term: creates and connects them. Nothing runs yet, and nothing waits.

leader = build_leader(setup, store, term, recovered)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

import httpx

from missedd.base.clock import Clock
from missedd.config.loader import Settings
from missedd.config.secrets import Secrets
from missedd.core.analytics.hour_grid import hour_grid_for
from missedd.core.model import Lane
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.alerts.expiry_alerts import ExpiryTroubles
from missedd.engine.dispatch.attempts import AttemptRecorder
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.dispatch.lane_probes import LaneProbes
from missedd.engine.intake.catch_up import Admit, CatchUp
from missedd.engine.intake.catch_up_trigger import CatchUpTrigger
from missedd.engine.leader.leader import Leader
from missedd.engine.leader.recovery import Recovered
from missedd.engine.leader.retention import Retention
from missedd.engine.leader.rollup_worker import RollupWorker
from missedd.engine.leadership.term import Term
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.provider_sender import ProviderSender, StatusCallbackUrls
from missedd.engine.reconciliation.reconciler import Reconciler
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.engine.timing.clock_steps import ClockWatch
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.shared_timers import SharedTimers
from missedd.engine.timing.timers import Timers
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

MAX_IN_FLIGHT_PER_LANE: Final = MAX_CONNECTIONS // 2 - 2
"""Requests in flight per lane. At the provider's usual 0.3 s each that is 4,000 a minute. Both lanes and
the lookups together need fewer connections than there are, so calls that hang do not delay SMS."""


@dataclass(frozen=True, slots=True)
class LeaderSetup:
    """What a node's terms have in common: the leader of each is built from it."""

    settings: Settings
    secrets: Secrets
    clock: Clock
    clock_watch: ClockWatch
    rng: Random
    log: Logger
    exotel_http: httpx.AsyncClient
    webhook_http: httpx.AsyncClient
    public_url: str
    """Where Exotel sends status reports to."""
    admit: Admit
    """Intake's `admit_all`, for the calls that catch-up finds."""
    catch_up_trigger: CatchUpTrigger


def build_leader(setup: LeaderSetup, store: Store, term: Term, recovered: Recovered) -> Leader:
    """Create the parts of one term and connect them. The writes of `store` belong to the term."""
    settings, clock, log = setup.settings, setup.clock, setup.log
    policy, rate_limiters = settings.policy, recovered.rate_limiters
    webhook_queues = WebhookQueues(
        {campaign.name: campaign.webhook.url for campaign in policy.campaigns if campaign.webhook}
    )
    due_queues = {lane: DueQueue() for lane in Lane} | {Lane.WEBHOOK: webhook_queues}
    timers_type = SharedTimers if term.is_shared else Timers
    timers = timers_type(clock, partial(_read_timers, store), due_queues, setup.clock_watch)
    troubles = ActiveTroubles()
    breakers = CircuitBreakers(clock, log, troubles, recovered.lanes_in_doubt)
    expiries = ExpiryTroubles(troubles, clock, log)
    client = ExotelClient(setup.exotel_http, _account(settings, setup.secrets), clock)
    urls = StatusCallbackUrls(setup.public_url, setup.secrets.webhook_token)
    provider = ProviderSender(client, policy, urls)
    dispatchers = {
        lane: Dispatcher(
            lane=lane,
            store=store,
            policy=policy,
            clock=clock,
            rng=_jitter_of(setup.rng),
            log=log,
            due_queue=due_queues[lane],
            timers=timers,
            send=provider.send,
            rate_limiter=rate_limiters[lane],
            max_in_flight=MAX_IN_FLIGHT_PER_LANE,
            breakers=breakers,
            term=term,
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
        rng=_jitter_of(setup.rng),
        queues=webhook_queues,
        send=WebhookSender(setup.webhook_http, setup.secrets.signing_key, store, policy, clock).send,
        endpoint_troubles=EndpointTroubles(troubles, clock, log),
        term=term,
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
        status_reports=StatusReports(store, policy, clock, log, setup.clock_watch, timers.add),
        breakers=breakers,
    )
    catch_up = CatchUp(
        store=store,
        policy=policy,
        clock=clock,
        log=log,
        client=client,
        rate_limiter=rate_limiters[Lane.VOICE],
        admit=setup.admit,
        trigger=setup.catch_up_trigger,
        breakers=breakers,
    )
    erase_after = settings.erase_after
    return Leader(
        term=term,
        store=store,
        timers=timers,
        due_queues=due_queues,
        rate_limiters=rate_limiters,
        troubles=troubles,
        breakers=breakers,
        dispatchers=dispatchers,
        probes=probes,
        webhook_dispatcher=webhook_dispatcher,
        reconciler=reconciler,
        rollups=RollupWorker(store, hour_grid_for(settings.timezone), clock, log),
        expiries=expiries,
        retention=None if erase_after is None else Retention(store, erase_after, clock, log),
        catch_up=catch_up,
    )


def _account(settings: Settings, secrets: Secrets) -> ExotelAccount:
    return ExotelAccount(
        sid=settings.exotel.account_sid,
        api_base=settings.exotel.api_base,
        key=secrets.api_key,
        token=secrets.api_token,
    )


def _jitter_of(rng: Random) -> Random:
    """A random source for one part, so that its draws do not shift another part's in a simulation."""
    return Random(rng.random())  # noqa: S311 - jitter


async def _read_timers(store: Store, after_us: int, until_us: int) -> list[Timer]:
    return await store.read(partial(timers_between, after_us=after_us, until_us=until_us))
