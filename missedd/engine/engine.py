"""The engine, running: recovery first, then the parts, nested in the order in which they must stop.

The nesting is the shutdown order. Intake is innermost, so that no new work arrives; then the timers;
then the dispatchers, whose requests in flight have a deadline; the store outermost, so that every part
can still write down what it knows. `missedd.engine.build` wires the parts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from missedd.config.loader import Settings
from missedd.config.secrets import Secrets
from missedd.engine.build import Engine, build_engine
from missedd.engine.environment import Environment
from missedd.engine.recovery import Recovered, load_timers, recover
from missedd.engine.webhooks.webhook_sender import new_webhook_client
from missedd.exotel.client import new_exotel_client
from missedd.log.logger import Event, Logger
from missedd.store.store import open_store

IN_FLIGHT_GRACE_S = 8.0
"""Seconds that requests in flight get to end at a stop. With the listeners' drain time and the store's
last commit the sum stays below the service's TimeoutStopSec."""


@asynccontextmanager
async def running_engine(
    settings: Settings, secrets: Secrets, environment: Environment, log: Logger, owner: str, public_url: str
) -> AsyncIterator[Engine]:
    """Open the store, recover, and start the parts. Leaving the block drains and stops them in order.

    `owner` is shown to a second daemon that tries to open the same database. Exotel sends status reports
    to `public_url`. Raises `StoreRefused` if the database cannot be used. If a part fails, the block is
    cancelled: the daemon exits, and its next start recovers.
    """
    async with (
        open_store(environment.driver, settings.store, owner, environment.upgrade) as store,
        new_exotel_client(environment.exotel_transport) as exotel_http,
        new_webhook_client(environment.webhook_transport) as webhook_http,
    ):
        recovered = await recover(store, settings, environment.clock, log)
        engine = build_engine(
            settings, secrets, environment, log, store, recovered, exotel_http, webhook_http, public_url
        )
        async with _running(engine, recovered, log):
            yield engine


@asynccontextmanager
async def _running(engine: Engine, recovered: Recovered, log: Logger) -> AsyncIterator[None]:
    async with trio.open_nursery() as sending:
        sending.start_soon(engine.webhook_dispatcher.run, name="webhooks")
        for lane, dispatcher in engine.dispatchers.items():
            sending.start_soon(dispatcher.run, engine.probes[lane].run, name="dispatcher")
        async with trio.open_nursery() as waking:
            await load_timers(engine.timers, engine.store)
            await waking.start(engine.timers.run, name="timers")
            waking.start_soon(engine.reconciler.run, name="reconciler")
            waking.start_soon(engine.rollups.run, name="rollups")
            waking.start_soon(engine.expiries.run, name="expiries")
            if engine.retention is not None:
                waking.start_soon(engine.retention.run, name="retention")
            log.info(
                Event.STORE_RECOVERED, timers=len(engine.timers), in_flight_found=recovered.cut_off_requests
            )
            async with trio.open_nursery() as admitting:
                admitting.start_soon(engine.intake.run, name="intake")
                async with trio.open_nursery() as asking:
                    if recovered.watermark is not None:
                        asking.start_soon(engine.catch_up.run, recovered.watermark, name="catch-up")
                    yield
                    engine.poll_changes.close()
                    asking.cancel_scope.cancel()
                engine.intake.close()
            waking.cancel_scope.cancel()
        for dispatcher in engine.dispatchers.values():
            dispatcher.stop()
        engine.webhook_dispatcher.stop()
        sending.cancel_scope.deadline = trio.current_time() + IN_FLIGHT_GRACE_S
