"""One run of the simulated daemon, from a start to its end, and the connections that end with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
import trio

from missedd.daemon.apps import TimedPublicSite
from missedd.engine.build import Engine
from missedd.web.private.metrics import Metrics
from simulator.exchange.model.records import SENDER_EXTENSION, RequestSender
from simulator.harness.cluster.simulated_node import SimulatedNode
from simulator.harness.faulty_disk import DaemonCrashed
from simulator.scenario.cluster import Link


@dataclass(slots=True)
class DaemonRun:
    """One run of the daemon, from a start to a stop or a crash."""

    stop_requested: trio.Event = field(default_factory=trio.Event)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)
    is_dead: bool = False
    """The daemon died. Its tasks may still unwind, but nothing of that may be seen from outside."""
    is_ready: bool = False
    open_requests: dict[trio.CancelScope, None] = field(default_factory=dict)
    """The requests that wait for an answer of the public site."""
    failure: BaseException | None = None
    engine: Engine | None = None
    site: TimedPublicSite | None = None
    metrics: Metrics = field(default_factory=Metrics)
    api: httpx.AsyncClient | None = None
    """Client of the private site, built at the first request."""

    @property
    def epoch(self) -> int | None:
        """The epoch in which this daemon leads; None while it does not."""
        leader = None if self.engine is None else self.engine.leader
        return None if leader is None else leader.term.epoch

    def kill(self) -> None:
        self.is_dead = True
        for request_scope in self.open_requests:
            request_scope.cancel()


class DaemonTransport(httpx.AsyncBaseTransport):
    """Carries the requests of one daemon run; a request sent after its end never leaves.

    The requests of one of several daemons say which `node` sent them, and in which of its terms.
    """

    def __init__(
        self, daemon_run: DaemonRun, inner: httpx.AsyncBaseTransport, node: SimulatedNode | None = None
    ) -> None:
        self._daemon_run = daemon_run
        self._inner = inner
        self._node = node

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._daemon_run.is_dead:
            await trio.sleep_forever()
        if self._node is not None:
            if self._node.is_cut_from(Link.PROVIDER):
                await trio.sleep(request.extensions["timeout"]["connect"])
                raise httpx.ConnectTimeout("no connection in time", request=request)
            sender = RequestSender(self._node.number, self._daemon_run.epoch)
            request.extensions = {**request.extensions, SENDER_EXTENSION: sender}
        return await self._inner.handle_async_request(request)


def root_cause(failure: BaseException) -> BaseException:
    """Return the exception that ended a run: a real error if there is one, else the crash itself.

    Example: a group of a crash, its cancellations and a KeyError gives the KeyError.
    """
    if not isinstance(failure, BaseExceptionGroup):
        return failure
    crashes, errors = failure.split((DaemonCrashed, trio.Cancelled))
    cause: BaseException = errors or crashes or failure
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    return cause
