"""The composition root: the engine and its two listeners, signals, and the supervisor's socket.

Only this module and the engine open long-lived nurseries. A stop goes from the inside out: the listeners
drain, the engine's parts finish their work, the store closes.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import trio

from missedd.base.clock import to_iso
from missedd.base.version import __version__
from missedd.config.listen import inherited_mismatches
from missedd.config.loader import ListenAddress, LoadedConfig, UnixSocket
from missedd.config.store_location import PostgresqlLocation
from missedd.daemon.apps import build_private_site, build_public_site, metrics_listener
from missedd.daemon.cluster_reader import cluster_reader
from missedd.daemon.listen_checks import CannotListen, check_private_address, listen_failure
from missedd.engine.build import Engine
from missedd.engine.engine import running_engine
from missedd.engine.environment import Environment
from missedd.log.logger import Event, Logger
from missedd.security.host_names import canonical_host
from missedd.systemd import notify, sockets
from missedd.web.auth.access import AccessPolicy
from missedd.web.auth.allowed_hosts import AllowedHosts
from missedd.web.private.metrics import Metrics
from missedd.web.private.server import serve_private
from missedd.web.public.listener import open_listeners, serve_public
from missedd.web.public.unix_socket import listen_unix

LOG_COUNTS_INTERVAL_S = 1.0
"""How often the log writes the counts of lines that it left out."""

HEARTBEAT_INTERVAL_S = 5.0
"""How often systemd's status line is renewed. The watchdog is fed this often unless systemd asks for more."""

DRAIN_TIMEOUT_S = 6.0
"""Seconds that the listeners may drain. With the engine's grace for requests in flight (8 s) and the
store's last commit the sum stays below the unit's TimeoutStopSec."""


GARBAGE_THRESHOLD = 20_000
"""New objects from which on Python looks for garbage among them; see `_tune_garbage_collection`."""

NOT_RELOADED_ADVICE = "nothing was reloaded: restart the daemon to read a changed configuration"


@dataclass(frozen=True, slots=True)
class _BoundSockets:
    """The sockets of both listeners, bound."""

    public: list[trio.SocketListener]
    private: socket.socket

    @property
    def public_address(self) -> ListenAddress | UnixSocket:
        return _address_of(self.public[0].socket)

    @property
    def private_address(self) -> ListenAddress:
        return _listen_address(self.private.getsockname())


def _address_of(bound: socket.socket | trio.socket.SocketType) -> ListenAddress | UnixSocket:
    name = bound.getsockname()
    return UnixSocket(Path(name)) if isinstance(name, str) else _listen_address(name)


def _listen_address(name: tuple[str, int]) -> ListenAddress:
    return ListenAddress(name[0], name[1])


async def serve(loaded: LoadedConfig, environment: Environment, log: Logger) -> None:
    """Run until SIGTERM or SIGINT, then drain and return. SIGHUP only logs a warning.

    If the daemon cannot start, raises `StoreRefused` or `CannotListen` inside an exception group.
    """
    # Before a port opens, so that a signal during the start is an orderly stop.
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            stop = trio.Event()
            nursery.start_soon(_stop_on_signal, signals, stop, log, name="signals")
            await run(loaded, environment, log, stop)
            nursery.cancel_scope.cancel()


async def _stop_on_signal(signals: AsyncIterator[int], stop: trio.Event, log: Logger) -> None:
    async for number in signals:
        if number == signal.SIGHUP:
            # A closed terminal or a log rotation may send SIGHUP. It must not end the daemon.
            log.warning(Event.DAEMON_NOT_RELOADED, signal="SIGHUP", advice=NOT_RELOADED_ADVICE)
            continue
        log.info(Event.DAEMON_STOPPING, signal=signal.Signals(number).name)
        notify.stopping()
        stop.set()


async def run(loaded: LoadedConfig, environment: Environment, log: Logger, stop: trio.Event) -> None:
    """Run the daemon with its listeners until `stop` is set. Raises as `serve` does."""
    settings, listen = loaded.settings, loaded.settings.listen
    metrics = Metrics(settings.policy)
    log.add_listener(metrics_listener(metrics))
    log.info(
        Event.DAEMON_STARTING,
        version=__version__,
        config=str(loaded.path.absolute()),
        campaigns=len(settings.policy.campaigns),
    )
    passed = _inherited_sockets()
    inherited = {name: [_address_of(each) for each in held] for name, held in passed.items()}
    for warning in (*settings.warnings, *inherited_mismatches(listen, inherited)):
        log.warning(Event.CONFIG_WARNED, warning=warning)
    owner = f"missedd, process {os.getpid()}, since {to_iso(environment.clock.now())}"
    # Open the database before the ports, so that a second daemon reports "database in use", not "port
    # in use". Two kinds of port come first: one that the system chooses, and one that systemd holds.
    # Neither can be in use, and its number is part of the status reports' URLs.
    is_free_port = isinstance(listen.public, ListenAddress) and listen.public.port == 0
    is_settled = is_free_port or sockets.PUBLIC in passed
    if isinstance(settings.store, PostgresqlLocation):
        # Daemons share it, so none finds it in use, and this one tells the others its private address.
        is_settled |= listen.private.port == 0 or sockets.PRIVATE in passed
    bound = await _bind_sockets(loaded, passed) if is_settled else None
    public_url = listen.public_url_for(bound.public_address if bound else listen.public)
    private_address = str(bound.private_address if bound else listen.private)
    async with running_engine(
        settings, loaded.secrets, environment, log, owner, public_url, private_address
    ) as engine:
        bound = bound or await _bind_sockets(loaded, passed)

        def why_not_ready() -> str | None:
            if stop.is_set():
                return "stopping"
            return (
                f"the store cannot commit: {engine.store.last_commit_error}"
                if engine.store.last_commit_error
                else None
            )

        site = build_public_site(engine, loaded.secrets.webhook_token, log, metrics, why_not_ready)
        access_policy = _access_policy(loaded, bound.private_address)
        cluster = cluster_reader(settings, engine.store, str(bound.private_address), environment.clock)
        app = build_private_site(
            engine, environment.clock, settings.timezone, log, metrics, why_not_ready, access_policy, cluster
        )
        addresses = {"public": str(bound.public_address), "private": str(bound.private_address)}
        async with trio.open_nursery() as listening:
            await listening.start(serve_private, app, bound.private, stop)
            await listening.start(
                partial(serve_public, bound.public, site.answer, stop=stop, on_rejection=site.on_refusal)
            )
            _tune_garbage_collection()
            log.info(
                Event.DAEMON_STARTED, **addresses, timers=engine.link.timer_count(), inherited=sorted(passed)
            )
            notify.ready()
            listening.start_soon(_heartbeat, engine, stop, name="heartbeat")
            listening.start_soon(_write_log_counts, log, stop, name="log")
            await stop.wait()
            engine.poll_changes.close()
            listening.cancel_scope.deadline = trio.current_time() + DRAIN_TIMEOUT_S
    log.write_all_counts()
    log.info(Event.DAEMON_STOPPED)


def _tune_garbage_collection() -> None:
    """Exclude the objects of the start from garbage collection. They live as long as the process, and
    repeated scans of them make the slowest answers slower.

    Collect less often, too. A batch of 256 calls makes 15,000 objects, and nearly all of them are gone after
    its commit. With Python's threshold of 2,000, each batch would be scanned several times in vain, for a
    twentieth of what a call costs. What garbage there is waits in a few megabytes.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_THRESHOLD)


def _access_policy(loaded: LoadedConfig, bound: ListenAddress) -> AccessPolicy:
    """The access rules of the private site at the address where it was bound, which systemd may choose.

    Raises `CannotListen` if the address is public and there is no password.
    """
    secrets = loaded.secrets
    check_private_address(bound, has_password=secrets.console_password is not None)
    listen = loaded.settings.listen
    hosts = AllowedHosts(frozenset(listen.private_hosts), canonical_host(listen.private.host))
    return AccessPolicy(
        secrets.console_password, secrets.own_api_token, bound.is_loopback, bound.is_public, hosts
    )


def _inherited_sockets() -> dict[str, list[socket.socket]]:
    try:
        return sockets.inherited_sockets()
    except sockets.InvalidInheritedSocket as failure:
        raise CannotListen(str(failure)) from failure


async def _bind_sockets(loaded: LoadedConfig, passed: Mapping[str, list[socket.socket]]) -> _BoundSockets:
    """Use the sockets that systemd passed, and bind the others. Raises `CannotListen`."""
    listen = loaded.settings.listen
    try:
        if held := passed.get(sockets.PUBLIC):
            public = [trio.SocketListener(trio.socket.from_stdlib_socket(each)) for each in held]
        else:
            public = await _listen(listen.public)
    except OSError as failure:
        raise listen_failure(listen.public, "listen.public", failure) from failure
    try:
        (private,) = passed.get(sockets.PRIVATE) or [_bind(listen.private)]
        return _BoundSockets(public, private)
    except OSError as failure:
        for listener in public:
            await listener.aclose()
        raise listen_failure(listen.private, "listen.private", failure) from failure


async def _listen(public: ListenAddress | UnixSocket) -> list[trio.SocketListener]:
    if isinstance(public, UnixSocket):
        return listen_unix(public.path)
    return await open_listeners(public.host, public.port)


def _bind(endpoint: ListenAddress) -> socket.socket:
    """A bound socket that does not listen yet."""
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((endpoint.host, endpoint.port))
    except OSError:
        bound.close()
        raise
    return bound


async def _heartbeat(engine: Engine, stop: trio.Event) -> None:
    """Feed the watchdog as long as the store answers. A daemon whose store hangs should be restarted."""
    interval_s = notify.watchdog_interval_s() or HEARTBEAT_INTERVAL_S
    while not stop.is_set():
        line = await engine.health_line()
        notify.watchdog()
        notify.status(line)
        with trio.move_on_after(interval_s):
            await stop.wait()


async def _write_log_counts(log: Logger, stop: trio.Event) -> None:
    """Write the counts of left-out log lines every second, also if no further line is logged."""
    while not stop.is_set():
        log.write_counts()
        with trio.move_on_after(LOG_COUNTS_INTERVAL_S):
            await stop.wait()
