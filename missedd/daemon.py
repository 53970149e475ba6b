"""The composition root: the engine and its two listeners, signals, and the supervisor's socket.

The only place that opens long-lived nurseries. Stopping runs inward out: the listeners drain,
the engine's actors finish what they hold, the store closes.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

import trio

from missedd import notify
from missedd.clock import to_iso
from missedd.config import Endpoint, Loaded
from missedd.engine.engine import Engine, World, running_engine
from missedd.engine.intake import Overloaded
from missedd.log import Event, Logger
from missedd.store.database import NotDurable
from missedd.web.listener import open_listeners, serve_public
from missedd.web.metrics import Metrics
from missedd.web.private import build_private
from missedd.web.private_server import serve_private
from missedd.web.public import PublicSite

HEARTBEAT_S = 5.0
"""How often the status line for the supervisor is renewed where no watchdog asks for more."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the daemon listens, once it does: `host:port`."""

    public: str
    private: str


class EdgeLog:
    """What the public site tells of requests that brought nothing in."""

    def __init__(self, log: Logger) -> None:
        self._log = log

    def refused(self, status: int, place: str, why: str) -> None:
        self._log.warning(Event.WEBHOOK_REFUSED, status=status, place=place, why=why)

    def unavailable(self, place: str, error: Exception) -> None:
        self._log.error(Event.REQUEST_FAILED, status=503, place=place, why=str(error) or type(error).__name__)

    def failed(self, place: str, error: Exception) -> None:
        self._log.error(Event.REQUEST_FAILED, status=503, place=place, exc_info=error)


def public_site(engine: Engine, token: str, log: Logger) -> PublicSite:
    """The public listener's site on a running engine."""
    return PublicSite(
        token, engine.intake.admit, engine.report, EdgeLog(log), try_again_on=(NotDurable, Overloaded)
    )


class Refused(Exception):
    """The daemon cannot start; the text says why and what to do."""


async def serve(
    loaded: Loaded,
    world: World,
    log: Logger,
    task_status: trio.TaskStatus[Addresses] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run until SIGTERM or SIGINT, then drain and return.

    Raises `StoreRefused` or `Refused` where it cannot start. Reports its addresses as started
    when both ports are bound and the timers are loaded.
    """
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with trio.open_nursery() as nursery:
            stop = trio.Event()
            nursery.start_soon(_stop_on_signal, signals, stop, log, name="signals")
            await run(loaded, world, log, stop, task_status)
            nursery.cancel_scope.cancel()


async def run(
    loaded: Loaded,
    world: World,
    log: Logger,
    stop: trio.Event,
    task_status: trio.TaskStatus[Addresses] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run the daemon with its listeners until `stop` is set."""
    settings = loaded.settings
    log.info(Event.DAEMON_STARTING, store=settings.store_path.name, campaigns=len(settings.policy.campaigns))
    for warning in settings.warnings:
        log.warning(Event.CONFIG_WARNED, warning=warning)
    owner = f"missedd, process {os.getpid()}, since {to_iso(world.clock.now())}"
    metrics = Metrics()
    async with running_engine(settings, loaded.secrets, world, log, owner) as engine:
        public = await _listeners(settings.listen.public)
        private = _socket(settings.listen.private)
        addresses = Addresses(_address(public[0].socket), _address(private))
        site = public_site(engine, loaded.secrets.webhook_token, log, metrics)
        app = build_private(engine, metrics, timezone=settings.timezone)
        async with trio.open_nursery() as listening:
            await listening.start(partial(serve_private, app, private, stop))
            await listening.start(
                partial(serve_public, public, site.answer, stop=stop, on_refusal=site.on_refusal)
            )
            log.info(
                Event.DAEMON_STARTED,
                public=addresses.public,
                private=addresses.private,
                timers=len(engine.timers),
            )
            notify.ready()
            task_status.started(addresses)
            listening.start_soon(_heartbeat, engine, name="heartbeat")
            await stop.wait()
            notify.stopping()
            log.info(Event.DAEMON_STOPPING)
            listening.cancel_scope.deadline = trio.current_time() + 6
    log.info(Event.DAEMON_STOPPED)
