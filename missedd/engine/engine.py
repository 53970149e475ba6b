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
from missedd.core.analytics.hour_grid import grid_of
from missedd.core.model import Kind, Lane, StatusReport
from missedd.core.policy import Policy
from missedd.engine.alerts.active_alerts import Troubles
from missedd.engine.alerts.expiry_alerts import Expiries
from missedd.engine.dispatch.attempts import Attempts
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.dispatch.lane_probes import Probes
from missedd.engine.intake.catch_up import CatchUp
from missedd.engine.intake.catch_up_trigger import Doubt
from missedd.engine.intake.intake import Intake
from missedd.engine.intake.sms_applet import HandOver
from missedd.engine.operator import Operator
from missedd.engine.poll_changes import News
from missedd.engine.provider.lane_state import Upstream
from missedd.engine.provider.provider_sender import ProviderRequests, ReportUrls
from missedd.engine.provider.rate_limiter import MINUTE_S, Budget
from missedd.engine.reconciliation.reconciler import Reconciler
from missedd.engine.reconciliation.status_reports import Reports
from missedd.engine.recovery import load_timers, recount_polls, recover, tell_left_out
from missedd.engine.retention import Retention
from missedd.engine.rollup_worker import Summaries
from missedd.engine.timing.due_queue import Ready
from missedd.engine.timing.timers import Steps, Timers, every_few_seconds
from missedd.engine.verifications import Verifier
from missedd.engine.webhooks.endpoint_alerts import Failing
from missedd.engine.webhooks.endpoint_queues import WebhookQueues
from missedd.engine.webhooks.webhook_dispatcher import WebhookDispatcher
from missedd.engine.webhooks.webhook_sender import Deliveries
from missedd.engine.webhooks.webhook_sender import new_http as new_webhook_http
from missedd.exotel.client import Account, ExotelClient, new_http
from missedd.exotel.transport import MAX_CONNECTIONS
from missedd.log.logger import Event, Logger
from missedd.store.actions.rows import Wake
from missedd.store.actions.timers import is_in_use, recent_attempts, wakes_between
from missedd.store.admission.catch_up import begin
from missedd.store.backup.upgrade_copy import AS_USUAL, Upgrade
from missedd.store.db.migrate import version
from missedd.store.store import Driver, Store, open_store

IN_FLIGHT_GRACE_S = 8.0
"""How long requests in flight may take to end at a stop. With the listeners' five seconds and the
store's own it stays below the service's TimeoutStopSec."""

PROVIDER_IN_FLIGHT = MAX_CONNECTIONS // 2 - 2
"""Requests out at once per lane: at the provider's usual 0.3 s each, 4,000 a minute. Both lanes and the
look-ups together stay below the connections there are, so that calls that hang hold up no SMS."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything that is not decided by us: time, chance, the disk and the network."""

    clock: Clock
    rng: Random
    """Outside a simulation the system's own: ids that must not be guessed are drawn from it."""
    driver: Driver
    exotel_transport: httpx.AsyncBaseTransport | None = None
    webhook_transport: httpx.AsyncBaseTransport | None = None
    clock_steps: Steps = every_few_seconds
    slept_s: Callable[[], float] = lambda: 0.0
    """For how long the machine was asleep so far, which trio's clock does not count."""
    upgrade: Upgrade = AS_USUAL
    """How a database of an older release is gone about."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The running engine, as the listeners and the command line see it."""

    store: Store
    policy: Policy
    intake: Intake
    texts: HandOver
    reports: Reports
    timers: Timers
    ready: dict[Lane, Ready]
    budgets: dict[Lane, Budget]
    operator: Operator
    verifier: Verifier
    news: News
    troubles: Troubles
    upstream: Upstream

    async def pulse(self) -> str:
        """Ask the store for a sign of life, and say in a line what waits."""
        await self.store.read(version)
        return f"{len(self.timers)} timers; due: " + ", ".join(
            f"{lane} {len(queue)}" for lane, queue in self.ready.items()
        )

    async def report(self, kind: str, action_id: int, report: StatusReport) -> None:
        await self.reports.apply(action_id, Kind.CALLBACK if kind == "call" else Kind.SMS, report)


@asynccontextmanager
async def running_engine(
    settings: Settings, secrets: Secrets, world: World, log: Logger, owner: str, public_url: str
) -> AsyncIterator[Engine]:
    """Open the store, recover, start the actors; leaving the block drains and stops them in order.

    `owner` is what a second daemon is told of this one; status reports come to `public_url`.
    Raises `StoreRefused` where the database cannot be used. A failing actor cancels the block:
    the daemon goes down and its next start recovers.
    """
    policy, clock = settings.policy, world.clock
    async with open_store(world.driver, settings.store_path, owner, world.upgrade) as store:
        rescued, in_doubt = await recover(store, policy, clock, log)
        await recount_polls(store, policy, log)
        await tell_left_out(store, policy, clock, log)
        mark = await store.write(partial(begin, now=clock.now())) if settings.exotel.catch_up else None
        webhooks = WebhookQueues({each.name: each.webhook.url for each in policy.campaigns if each.webhook})
        ready = {lane: Ready() for lane in Lane} | {Lane.WEBHOOK: webhooks}
        timers = Timers(clock, partial(_load, store), ready, log, world.clock_steps, world.slept_s)
        budgets = {
            Lane.VOICE: await _budget(store, Lane.VOICE, settings.exotel.calls_per_minute, clock),
            Lane.SMS: await _budget(store, Lane.SMS, settings.exotel.sms_per_minute, clock),
        }
        reports = Reports(store, policy, clock, log, timers)
        troubles = Troubles()
        upstream = Upstream(clock, log, troubles, in_doubt)
        expiries = Expiries(troubles, clock, log)
        async with (
            new_http(world.exotel_transport) as exotel_http,
            new_webhook_http(world.webhook_transport) as webhook_http,
        ):
            account = Account(
                sid=settings.exotel.account_sid,
                api_base=settings.exotel.api_base,
                key=secrets.api_key,
                token=secrets.api_token,
            )
            client = ExotelClient(exotel_http, account, clock)
            urls = ReportUrls(public_url, secrets.webhook_token)
            provider = ProviderRequests(client, policy, urls)
            deliveries = Deliveries(webhook_http, secrets.signing_key, store, policy, clock)
            dispatchers = {
                lane: Dispatcher(
                    lane=lane,
                    store=store,
                    policy=policy,
                    clock=clock,
                    rng=Random(world.rng.random()),  # noqa: S311 - jitter
                    log=log,
                    ready=ready[lane],
                    timers=timers,
                    send=provider.send,
                    budget=budgets[lane],
                    in_flight=PROVIDER_IN_FLIGHT,
                    upstream=upstream,
                    on_expired=expiries.note,
                )
                for lane in (Lane.VOICE, Lane.SMS)
            }
            probes = {
                lane: Probes(
                    lane=lane,
                    store=store,
                    clock=clock,
                    upstream=upstream,
                    client=client,
                    budget=budgets[lane],
                    dispatcher=dispatcher,
                )
                for lane, dispatcher in dispatchers.items()
            }
            webhook_dispatcher = WebhookDispatcher(
                store=store,
                attempts=Attempts(store, policy, clock, log, timers),
                clock=clock,
                rng=Random(world.rng.random()),  # noqa: S311 - jitter
                queues=webhooks,
                send=deliveries.send,
                failing=Failing(troubles, clock, log),
            )
            reconciler = Reconciler(
                store=store,
                policy=policy,
                clock=clock,
                log=log,
                client=client,
                budgets=budgets,
                ready=ready[Lane.CHECK],
                timers=timers,
                reports=reports,
                upstream=upstream,
            )
            operator = Operator(store, policy, clock, log, timers)
            summaries = Summaries(store, grid_of(settings.timezone), clock, log)
            verifier = Verifier(store, policy, clock, world.rng, log)
            doubt, news = Doubt(), News()
            intake = Intake(
                store,
                policy,
                clock,
                log,
                timers,
                reports.call_report,
                on_refusal=doubt.arise,
                on_admitted=summaries.admitted,
                on_vote=news.tell,
            )
            texts = HandOver(store, policy, clock, log, intake.follow, doubt.arise, timers.watch.ahead)
            catch_up = CatchUp(
                store=store,
                policy=policy,
                clock=clock,
                log=log,
                client=client,
                budget=budgets[Lane.VOICE],
                admit=intake.admit_all,
                doubt=doubt,
                upstream=upstream,
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
                                texts=texts,
                                reports=reports,
                                timers=timers,
                                ready=ready,
                                budgets=budgets,
                                operator=operator,
                                verifier=verifier,
                                news=news,
                                troubles=troubles,
                                upstream=upstream,
                            )
                            news.close()
                            asking.cancel_scope.cancel()
                        intake.close()
                    waking.cancel_scope.cancel()
                for dispatcher in dispatchers.values():
                    dispatcher.stop()
                webhook_dispatcher.stop()
                sending.cancel_scope.deadline = trio.current_time() + IN_FLIGHT_GRACE_S


async def _load(store: Store, after_us: int, until_us: int) -> list[Wake]:
    return await store.read(partial(wakes_between, after_us=after_us, until_us=until_us))


async def _budget(store: Store, lane: Lane, per_minute: int, clock: Clock) -> Budget:
    """A budget that remembers what was spent just before a restart."""
    now = clock.now()
    spent = await store.read(partial(recent_attempts, lane=lane, now=now))
    # One that lies ahead of us, as the clock was set back since, counts as made just now.
    ago_s = [max(0.0, (now - each).total_seconds()) for each in spent]
    if lane is Lane.VOICE and await store.read(is_in_use):
        # Look-ups spend this budget too and leave no record. What is not known to have gone is
        # taken for spent, evenly: for a minute nothing goes at once, and nobody waits for long.
        ago_s += [each * MINUTE_S / per_minute for each in range(per_minute - len(ago_s))]
    return Budget(per_minute, ago_s)
