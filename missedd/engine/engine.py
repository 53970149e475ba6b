"""The actors put together, in the order in which they must stop.

Nesting is the shutdown order: intake innermost, so that no new work arrives; then the timers;
then the dispatchers, whose requests in flight have a deadline; the store outermost, so that
everybody can still write down what they know.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

import httpx
import trio

from missedd.base.clock import Clock
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
from missedd.engine.intake.catch_up import CatchUp
from missedd.engine.intake.catch_up_trigger import CatchUpTrigger
from missedd.engine.intake.intake import Intake
from missedd.engine.intake.sms_applet import SmsAppletResponder
from missedd.engine.operator import Operator
from missedd.engine.poll_changes import PollChanges
from missedd.engine.provider.lane_state import CircuitBreakers
from missedd.engine.provider.provider_sender import ProviderSender, StatusCallbackUrls
from missedd.engine.provider.rate_limiter import WINDOW_S, RateLimiter
from missedd.engine.reconciliation.reconciler import Reconciler
from missedd.engine.reconciliation.status_reports import StatusReports
from missedd.engine.recovery import load_timers, recount_polls, recover, warn_left_out
from missedd.engine.retention import Retention
from missedd.engine.rollup_worker import RollupWorker
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import ClockChanges, Timers, check_every_few_seconds
from missedd.engine.verifications import Verifications
from missedd.engine.webhooks.endpoint_alerts import EndpointTroubles
from missedd.engine.webhooks.endpoint_queues import WebhookQueues
from missedd.engine.webhooks.webhook_dispatcher import WebhookDispatcher
from missedd.engine.webhooks.webhook_sender import WebhookSender
from missedd.engine.webhooks.webhook_sender import new_webhook_client as new_webhook_http
from missedd.exotel.client import ExotelAccount, ExotelClient, new_exotel_client
from missedd.exotel.transport import MAX_CONNECTIONS
from missedd.log.logger import Event, Logger
from missedd.store.actions.rows import Timer
from missedd.store.actions.timers import has_calls, recent_attempt_times, timers_between
from missedd.store.admission.catch_up import load_watermark
from missedd.store.backup.upgrade_copy import DEFAULT_UPGRADE, UpgradeOptions
from missedd.store.db.migrate import schema_version
from missedd.store.store import Driver, Store, open_store

IN_FLIGHT_GRACE_S = 8.0
"""How long requests in flight may take to end at a stop. With the listeners' five seconds and the
store's own it stays below the service's TimeoutStopSec."""

MAX_IN_FLIGHT_PER_LANE = MAX_CONNECTIONS // 2 - 2
"""Requests out at once per lane: at the provider's usual 0.3 s each, 4,000 a minute. Both lanes and the
look-ups together stay below the connections there are, so that calls that hang hold up no SMS."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Everything that is not decided by us: time, chance, the disk and the network."""

    clock: Clock
    rng: Random
    """Outside a simulation the system's own: ids that must not be guessed are drawn from it."""
    driver: Driver
    exotel_transport: httpx.AsyncBaseTransport | None = None
    webhook_transport: httpx.AsyncBaseTransport | None = None
    clock_steps: ClockChanges = check_every_few_seconds
    slept_s: Callable[[], float] = lambda: 0.0
    """For how long the machine was asleep so far, which trio's clock does not count."""
    upgrade: UpgradeOptions = DEFAULT_UPGRADE
    """How a database of an older release is gone about."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The running engine, as the listeners and the command line see it."""

    store: Store
    policy: Policy
    intake: Intake
    sms_applet: SmsAppletResponder
    status_reports: StatusReports
    timers: Timers
    due_queues: dict[Lane, DueQueue]
    rate_limiters: dict[Lane, RateLimiter]
    operator: Operator
    verifications: Verifications
    poll_changes: PollChanges
    troubles: ActiveTroubles
    breakers: CircuitBreakers

    async def health_line(self) -> str:
        """Ask the store for a sign of life, and say in a line what waits."""
        await self.store.read(schema_version)
        return f"{len(self.timers)} timers; due: " + ", ".join(
            f"{lane} {len(queue)}" for lane, queue in self.due_queues.items()
        )

    async def apply_status_report(self, kind: str, action_id: int, report: StatusReport) -> None:
        await self.status_reports.apply(action_id, Kind.CALLBACK if kind == "call" else Kind.SMS, report)


@asynccontextmanager
async def running_engine(
    settings: Settings, secrets: Secrets, environment: Environment, log: Logger, owner: str, public_url: str
) -> AsyncIterator[Engine]:
    """Open the store, recover, start the actors; leaving the block drains and stops them in order.

    `owner` is what a second daemon is told of this one; status reports come to `public_url`.
    Raises `StoreRefused` where the database cannot be used. A failing actor cancels the block:
    the daemon goes down and its next start recovers.
    """
    policy, clock = settings.policy, environment.clock
    async with open_store(environment.driver, settings.store_path, owner, environment.upgrade) as store:
        rescued, in_doubt = await recover(store, policy, clock, log)
        await recount_polls(store, policy, log)
        await warn_left_out(store, policy, clock, log)
        mark = (
            await store.write(partial(load_watermark, now=clock.now())) if settings.exotel.catch_up else None
        )
        webhooks = WebhookQueues({each.name: each.webhook.url for each in policy.campaigns if each.webhook})
        ready = {lane: DueQueue() for lane in Lane} | {Lane.WEBHOOK: webhooks}
        timers = Timers(
            clock, partial(_read_due_timers, store), ready, log, environment.clock_steps, environment.slept_s
        )
        budgets = {
            Lane.VOICE: await _restore_rate_limiter(
                store, Lane.VOICE, settings.exotel.calls_per_minute, clock
            ),
            Lane.SMS: await _restore_rate_limiter(store, Lane.SMS, settings.exotel.sms_per_minute, clock),
        }
        reports = StatusReports(store, policy, clock, log, timers)
        troubles = ActiveTroubles()
        upstream = CircuitBreakers(clock, log, troubles, in_doubt)
        expiries = ExpiryTroubles(troubles, clock, log)
        async with (
            new_exotel_client(environment.exotel_transport) as exotel_http,
            new_webhook_http(environment.webhook_transport) as webhook_http,
        ):
            account = ExotelAccount(
                sid=settings.exotel.account_sid,
                api_base=settings.exotel.api_base,
                key=secrets.api_key,
                token=secrets.api_token,
            )
            client = ExotelClient(exotel_http, account, clock)
            urls = StatusCallbackUrls(public_url, secrets.webhook_token)
            provider = ProviderSender(client, policy, urls)
            deliveries = WebhookSender(webhook_http, secrets.signing_key, store, policy, clock)
            dispatchers = {
                lane: Dispatcher(
                    lane=lane,
                    store=store,
                    policy=policy,
                    clock=clock,
                    rng=Random(environment.rng.random()),  # noqa: S311 - jitter
                    log=log,
                    due_queue=ready[lane],
                    timers=timers,
                    send=provider.send,
                    rate_limiter=budgets[lane],
                    max_in_flight=MAX_IN_FLIGHT_PER_LANE,
                    breakers=upstream,
                    on_expired=expiries.record_expired,
                )
                for lane in (Lane.VOICE, Lane.SMS)
            }
            probes = {
                lane: LaneProbes(
                    lane=lane,
                    store=store,
                    clock=clock,
                    breakers=upstream,
                    client=client,
                    rate_limiter=budgets[lane],
                    dispatcher=dispatcher,
                )
                for lane, dispatcher in dispatchers.items()
            }
            webhook_dispatcher = WebhookDispatcher(
                store=store,
                recorder=AttemptRecorder(store, policy, clock, log, timers),
                clock=clock,
                rng=Random(environment.rng.random()),  # noqa: S311 - jitter
                queues=webhooks,
                send=deliveries.send,
                endpoint_troubles=EndpointTroubles(troubles, clock, log),
            )
            reconciler = Reconciler(
                store=store,
                policy=policy,
                clock=clock,
                log=log,
                client=client,
                rate_limiters=budgets,
                due_queue=ready[Lane.LOOKUP],
                timers=timers,
                status_reports=reports,
                breakers=upstream,
            )
            operator = Operator(store, policy, clock, log, timers)
            summaries = RollupWorker(store, hour_grid_for(settings.timezone), clock, log)
            verifier = Verifications(store, policy, clock, environment.rng, log)
            doubt, news = CatchUpTrigger(), PollChanges()
            intake = Intake(
                store,
                policy,
                clock,
                log,
                timers,
                reports.apply_call_report,
                on_refusal=doubt.request,
                on_admitted=summaries.on_admitted,
                on_vote=news.publish,
            )
            texts = SmsAppletResponder(
                store, policy, clock, log, intake.after_commit, doubt.request, timers.clock_watch.clock_ahead
            )
            catch_up = CatchUp(
                store=store,
                policy=policy,
                clock=clock,
                log=log,
                client=client,
                rate_limiter=budgets[Lane.VOICE],
                admit=intake.admit_all,
                trigger=doubt,
                breakers=upstream,
            )
            async with trio.open_nursery() as sending:
                sending.start_soon(webhook_dispatcher.run, name="webhooks")
                for lane, dispatcher in dispatchers.items():
                    sending.start_soon(dispatcher.run, probes[lane].run, name="dispatcher")
                async with trio.open_nursery() as waking:
                    await load_timers(timers, store)
                    await waking.start(timers.run, name="timers")
                    waking.start_soon(reconciler.run, name="reconciler")
                    waking.start_soon(summaries.run, name="summaries")
                    waking.start_soon(expiries.run, name="expiries")
                    if settings.erase_after is not None:
                        retention = Retention(store, settings.erase_after, clock, log)
                        waking.start_soon(retention.run, name="retention")
                    log.info(Event.STORE_RECOVERED, timers=len(timers), in_flight_found=rescued)
                    async with trio.open_nursery() as admitting:
                        admitting.start_soon(intake.run, name="intake")
                        async with trio.open_nursery() as asking:
                            if mark is not None:
                                asking.start_soon(catch_up.run, mark, name="catch-up")
                            yield Engine(
                                store=store,
                                policy=policy,
                                intake=intake,
                                sms_applet=texts,
                                status_reports=reports,
                                timers=timers,
                                due_queues=ready,
                                rate_limiters=budgets,
                                operator=operator,
                                verifications=verifier,
                                poll_changes=news,
                                troubles=troubles,
                                breakers=upstream,
                            )
                            news.close()
                            asking.cancel_scope.cancel()
                        intake.close()
                    waking.cancel_scope.cancel()
                for dispatcher in dispatchers.values():
                    dispatcher.stop()
                webhook_dispatcher.stop()
                sending.cancel_scope.deadline = trio.current_time() + IN_FLIGHT_GRACE_S


async def _read_due_timers(store: Store, after_us: int, until_us: int) -> list[Timer]:
    return await store.read(partial(timers_between, after_us=after_us, until_us=until_us))


async def _restore_rate_limiter(store: Store, lane: Lane, per_minute: int, clock: Clock) -> RateLimiter:
    """A budget that remembers what was spent just before a restart."""
    now = clock.now()
    spent = await store.read(partial(recent_attempt_times, lane=lane, now=now))
    # One that lies ahead of us, as the clock was set back since, counts as made just now.
    ago_s = [max(0.0, (now - each).total_seconds()) for each in spent]
    if lane is Lane.VOICE and await store.read(has_calls):
        # Look-ups spend this budget too and leave no record. What is not known to have gone is
        # taken for spent, evenly: for a minute nothing goes at once, and nobody waits for long.
        ago_s += [each * WINDOW_S / per_minute for each in range(per_minute - len(ago_s))]
    return RateLimiter(per_minute, ago_s)
