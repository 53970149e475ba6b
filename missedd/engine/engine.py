"""The engine, running: what every node does, and beside it the terms in which this node leads.

The nesting is the shutdown order. Intake is innermost, so that no new work arrives; then the leader's
parts, which still send what is in flight, and the term is handed over; the store outermost, so that every
part can still write down what it knows. `missedd.engine.build` connects the parts of a node, and
`missedd.engine.leader` those of the leader.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import trio

from missedd.config.loader import Settings
from missedd.config.secrets import Secrets
from missedd.engine.build import Engine, build_engine
from missedd.engine.cluster.cluster import join_cluster
from missedd.engine.cluster_term import leader_state_elsewhere, leadership_of
from missedd.engine.environment import Environment
from missedd.engine.leader.build import LeaderSetup, build_leader
from missedd.engine.leader.leader import ShutdownSteps, run_leader
from missedd.engine.leader.recovery import recover
from missedd.engine.leadership.news import NoNews
from missedd.engine.leadership.term import Leadership, Term
from missedd.engine.opened_store_log import log_opened_store
from missedd.engine.webhooks.webhook_sender import new_webhook_client
from missedd.exotel.client import new_exotel_client
from missedd.log.logger import Logger
from missedd.store.store import open_store


@asynccontextmanager
async def running_engine(
    settings: Settings,
    secrets: Secrets,
    environment: Environment,
    log: Logger,
    owner: str,
    public_url: str,
    private_address: str = "",
) -> AsyncIterator[Engine]:
    """Open the store, recover, and start the parts. Leaving the block drains and stops them in order.

    `owner` is shown to a second daemon that tries to open the same file. Exotel sends status reports to
    `public_url`. Where several nodes share the database, they are told of this one's `private_address`.

    Raises `StoreRefused` if the database cannot be used. If a part fails, the block is cancelled: the daemon
    exits, and its next start recovers.
    """
    async with (
        open_store(
            environment.driver,
            settings.store,
            owner,
            environment.upgrade,
            account_sid=settings.exotel.account_sid,
        ) as store,
        new_exotel_client(environment.exotel_transport) as exotel_http,
        new_webhook_client(environment.webhook_transport) as webhook_http,
    ):
        log_opened_store(store, environment.clock, log)
        cluster = join_cluster(settings, environment.driver, log, private_address)
        if cluster is None:
            engine = build_engine(settings, environment, log, store, NoNews())
        else:
            elsewhere = partial(leader_state_elsewhere, cluster)
            engine = build_engine(settings, environment, log, store, cluster.news, elsewhere, cluster)
        setup = LeaderSetup(
            settings=settings,
            secrets=secrets,
            clock=environment.clock,
            clock_watch=engine.clock_watch,
            rng=environment.rng,
            log=log,
            exotel_http=exotel_http,
            webhook_http=webhook_http,
            public_url=public_url,
            admit=engine.intake.admit_all,
            catch_up_trigger=engine.link.catch_up_trigger,
        )
        async with (
            leadership_of(engine, environment, log) as leadership,
            running_node(engine, setup, leadership),
        ):
            yield engine


@asynccontextmanager
async def running_node(engine: Engine, setup: LeaderSetup, leadership: Leadership) -> AsyncIterator[None]:
    """Run a node's parts, and lead whenever `leadership` says so. The block begins with its first decision.

    Leaving the block drains intake, then the leader's parts, and hands the term over.
    """
    shutdown = ShutdownSteps()

    async def lead(term: Term, task_status: trio.TaskStatus[None]) -> None:
        store = engine.store.fenced(term.fence)
        recovered = await recover(store, term, setup.settings, setup.clock, setup.log)
        leader = build_leader(setup, store, term, recovered)
        with engine.link.leading(leader):
            await run_leader(leader, recovered, setup.log, shutdown, task_status)

    async with trio.open_nursery() as watching:
        watching.start_soon(engine.clock_watch.run, name="clock")
        async with trio.open_nursery() as leading:
            await leading.start(leadership.run, lead, shutdown.begun, name="leadership")
            async with trio.open_nursery() as admitting:
                admitting.start_soon(engine.intake.run, name="intake")
                yield
                engine.poll_changes.close()
                shutdown.begun.set()
                engine.intake.close()
            shutdown.intake_drained.set()
        watching.cancel_scope.cancel()
