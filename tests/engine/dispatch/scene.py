"""A dispatcher that sends the callbacks of one store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from missedd.core.model import Lane
from missedd.engine.dispatch.dispatcher import Dispatcher
from missedd.engine.leadership.term import Term
from missedd.engine.provider.rate_limiter import RateLimiter
from tests.core.campaigns import callback, campaign, policy
from tests.engine.scene import EngineScene, Provider

CALLBACKS = policy(campaign(callback=callback()))


def number(index: int) -> str:
    return f"+9198{index:08}"


@asynccontextmanager
async def dispatching(
    stage: EngineScene,
    provider: Provider,
    lane: Lane = Lane.VOICE,
    *,
    budget: RateLimiter | None = None,
    in_flight: int = 20,
    term: Term | None = None,
) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(
        lane=lane,
        store=stage.store,
        policy=stage.policy,
        clock=stage.clock,
        rng=stage.rng,
        log=stage.log,
        due_queue=stage.ready[lane],
        timers=stage.timers,
        send=provider.send,
        rate_limiter=budget,
        max_in_flight=in_flight,
        breakers=stage.upstream,
        term=term or Term(1),
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatcher.run)
        yield dispatcher
        nursery.cancel_scope.cancel()
