"""One life of the simulated daemon, from a start to its end, and the lines that end with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import trio

from missedd.daemon.apps import MeasuredSite
from missedd.engine.engine import Engine
from missedd.web.private.metrics import Metrics
from simulator.harness.faulty_disk import Crashed


@dataclass(slots=True)
class Life:
    """One run of the daemon, from a start to a stop or a crash."""

    stop: trio.Event = field(default_factory=trio.Event)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)
    is_over: bool = False
    """It died: what is still being unwound is a ghost, and no more of it may be seen from outside."""
    is_ready: bool = False
    lines: dict[trio.CancelScope, None] = field(default_factory=dict)
    """Whoever waits for an answer of its public site."""
    failure: BaseException | None = None
    engine: Engine | None = None
    site: MeasuredSite | None = None
    metrics: Metrics = field(default_factory=Metrics)
    api: httpx.AsyncClient | None = None
    """Of its private site, once somebody has asked it."""

    def end(self) -> None:
        self.is_over = True
        for line in self.lines:
            line.cancel()


class Wire(httpx.AsyncBaseTransport):
    """The way out of one life; nothing leaves once it is over."""

    def __init__(self, life: Life, far_end: httpx.AsyncBaseTransport) -> None:
        self._life = life
        self._far_end = far_end

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._life.is_over:
            await trio.sleep_forever()
        return await self._far_end.handle_async_request(request)


def cause_of(failure: BaseException) -> BaseException:
    """What a life ended by: of a crash and its cancellations nothing but a mistake hidden among them."""
    if not isinstance(failure, BaseExceptionGroup):
        return failure
    ends, mistakes = failure.split((Crashed, trio.Cancelled))
    cause: BaseException = mistakes or ends or failure
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause
