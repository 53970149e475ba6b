"""One life of the simulated daemon, from a start to its end, and the lines that end with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import trio

from missedd.daemon.apps import TimedPublicSite
from missedd.engine.build import Engine
from missedd.web.private.metrics import Metrics
from simulator.harness.faulty_disk import DaemonCrashed


@dataclass(slots=True)
class DaemonRun:
    """One run of the daemon, from a start to a stop or a crash."""

    stop_requested: trio.Event = field(default_factory=trio.Event)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)
    is_dead: bool = False
    """It died: what is still being unwound is a ghost, and no more of it may be seen from outside."""
    is_ready: bool = False
    open_requests: dict[trio.CancelScope, None] = field(default_factory=dict)
    """Whoever waits for an answer of its public site."""
    failure: BaseException | None = None
    engine: Engine | None = None
    site: TimedPublicSite | None = None
    metrics: Metrics = field(default_factory=Metrics)
    api: httpx.AsyncClient | None = None
    """Of its private site, once somebody has asked it."""

    def kill(self) -> None:
        self.is_dead = True
        for line in self.open_requests:
            line.cancel()


class DaemonTransport(httpx.AsyncBaseTransport):
    """The way out of one life; nothing leaves once it is over."""

    def __init__(self, daemon_run: DaemonRun, inner: httpx.AsyncBaseTransport) -> None:
        self._daemon_run = daemon_run
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._daemon_run.is_dead:
            await trio.sleep_forever()
        return await self._inner.handle_async_request(request)


def root_cause(failure: BaseException) -> BaseException:
    """What a life ended by: of a crash and its cancellations nothing but a mistake hidden among them."""
    if not isinstance(failure, BaseExceptionGroup):
        return failure
    ends, mistakes = failure.split((DaemonCrashed, trio.Cancelled))
    cause: BaseException = mistakes or ends or failure
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause
