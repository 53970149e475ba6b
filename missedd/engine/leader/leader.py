"""The leader's parts, running: nested in the order in which they must stop.

The nesting is the shutdown order: catch-up first, so that no new work arrives; once intake has drained the
timers; then the dispatchers, whose requests in flight have a deadline. `missedd.engine.leader.build`
connects the parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import trio

from missedd.core.model import Lane
from missedd.core.reasons import Reason
from missedd.core.upstream.trouble import Trouble
from missedd.engine.alerts.active_alerts import ActiveTroubles
from missedd.engine.alerts.expiry_alerts import ExpiryTroubles
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.dispatch.lane_probes import LaneProbes
from missedd.engine.intake.catch_up import CatchUp
from missedd.engine.leader.recovery import Recovered, load_timers
from missedd.engine.leader.retention import Retention
from missedd.engine.leader.rollup_worker import RollupWorker
from missedd.engine.leadership.term import Term
from missedd.engine.provider.lane_state import LANES, CircuitBreakers
from missedd.engine.provider.rate_limiter import RateLimiter
from missedd.engine.reconciliation.reconciler import Reconciler
from missedd.engine.timing.due_queue import DueQueue
from missedd.engine.timing.timers import Timers
from missedd.engine.webhooks.webhook_dispatcher import WebhookDispatcher
from missedd.log.logger import Event, Logger
from missedd.store.store import Store

IN_FLIGHT_GRACE_S: Final = 8.0
"""Seconds that requests in flight get to end at a stop. With the listeners' drain time and the store's
last commit the sum stays below the service's TimeoutStopSec."""


@dataclass(frozen=True, slots=True)
class LeaderState:
    """What the leading node knows in memory and every node shows."""

    troubles: tuple[Trouble, ...] = ()
    """The troubles that last now, the oldest first."""
    hold_reasons: Mapping[Lane, Reason] = field(default_factory=dict)
    """Why a lane's actions are held, for each lane that is held."""


@dataclass(eq=False, slots=True)
class ShutdownSteps:
    """The steps of an orderly stop that the leader's parts wait for, in their order."""

    begun: trio.Event = field(default_factory=trio.Event)
    intake_drained: trio.Event = field(default_factory=trio.Event)


@dataclass(frozen=True, slots=True)
class Leader:
    """All parts of one term, as the node sees them."""

    term: Term
    store: Store
    """The node's store, except that its writes belong to the term."""
    timers: Timers
    due_queues: Mapping[Lane, DueQueue]
    rate_limiters: Mapping[Lane, RateLimiter]
    troubles: ActiveTroubles
    breakers: CircuitBreakers
    dispatchers: Mapping[Lane, Dispatcher]
    probes: Mapping[Lane, LaneProbes]
    webhook_dispatcher: WebhookDispatcher
    reconciler: Reconciler
    rollups: RollupWorker
    expiries: ExpiryTroubles
    retention: Retention | None
    catch_up: CatchUp

    def state(self) -> LeaderState:
        """What the other nodes show of this one."""
        held = {lane: reason for lane in LANES if (reason := self.breakers.hold_reason(lane)) is not None}
        return LeaderState(tuple(self.troubles.active()), held)

    def health_line(self) -> str:
        """One line about the timers and queues."""
        return f"{len(self.timers)} timers; due: " + ", ".join(
            f"{lane} {len(queue)}" for lane, queue in self.due_queues.items()
        )


async def run_leader(
    leader: Leader,
    recovered: Recovered,
    log: Logger,
    shutdown: ShutdownSteps,
    task_status: trio.TaskStatus[None],
) -> None:
    """Load the timers, start the parts, and lead until an orderly stop has drained.

    Calls `task_status.started()` when the parts run. If a part fails, the others are cancelled.
    """
    async with trio.open_nursery() as sending:
        sending.start_soon(leader.webhook_dispatcher.run, name="webhooks")
        for lane, dispatcher in leader.dispatchers.items():
            sending.start_soon(dispatcher.run, leader.probes[lane].run, name="dispatcher")
        async with trio.open_nursery() as waking:
            await load_timers(leader.timers, leader.store, leader.term)
            await waking.start(leader.timers.run, name="timers")
            waking.start_soon(leader.reconciler.run, name="reconciler")
            waking.start_soon(leader.rollups.run, name="rollups")
            waking.start_soon(leader.expiries.run, name="expiries")
            if leader.retention is not None:
                waking.start_soon(leader.retention.run, name="retention")
            log.info(
                Event.STORE_RECOVERED, timers=len(leader.timers), in_flight_found=recovered.cut_off_requests
            )
            async with trio.open_nursery() as asking:
                if recovered.watermark is not None:
                    asking.start_soon(leader.catch_up.run, recovered.watermark, name="catch-up")
                task_status.started()
                await shutdown.begun.wait()
                asking.cancel_scope.cancel()
            await shutdown.intake_drained.wait()
            waking.cancel_scope.cancel()
        for dispatcher in leader.dispatchers.values():
            dispatcher.stop()
        leader.webhook_dispatcher.stop()
        sending.cancel_scope.deadline = trio.current_time() + IN_FLIGHT_GRACE_S
