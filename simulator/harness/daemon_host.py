"""Runs the real daemon inside a simulation: starts, stops, crashes and restarts it.

The host runs the daemon's own engine, public site and private API on a real SQLite file. Only time,
the disk, the sockets and the provider are simulated. A crash loses everything in memory and the open
transaction, as a power cut would. From that instant on the daemon sends nothing, commits nothing
and answers no request.
"""

from __future__ import annotations

import io
import json
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio

from missedd.config.loader import Settings
from missedd.config.secrets import Secrets
from missedd.daemon.apps import build_private_site, build_public_site
from missedd.engine.build import Engine
from missedd.engine.engine import running_engine
from missedd.engine.environment import Environment
from missedd.exotel.webhook_request import WebhookRequest
from missedd.log.logger import Event, Logger, create_logger
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import Driver
from simulator.exchange.webhooks.request import OutboundWebhook, PostFailed, PostResult
from simulator.harness.cluster.inline_postgresql import InlinePostgresqlDriver
from simulator.harness.cluster.simulated_node import SimulatedNode
from simulator.harness.daemon_run import DaemonRun, DaemonTransport, root_cause
from simulator.harness.faulty_disk import DaemonCrashed, FaultyDisk
from simulator.harness.stepped_clock import SteppedClock

SECRETS = Secrets("simkey", "simtoken", "scenario-webhook-token", "whsec_c2NlbmFyaW8td2ViaG9vay1zZWNyZXQ=")
PUBLIC_URL = "http://missedd.simulated"
SMS_TEXT_URL = f"{PUBLIC_URL}/exotel/{SECRETS.webhook_token}/sms-text"
MISSED_CALL_URL = f"{PUBLIC_URL}/exotel/{SECRETS.webhook_token}/missed-call"


class DaemonHost:
    """Runs one daemon on one database, in `nursery`. `log_text` has the log lines of all its runs.

    `on_exit` is called, synchronously, whenever the daemon ends without a request to stop.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        settings: Settings,
        clock: SteppedClock,
        rng: Random,
        provider: httpx.AsyncBaseTransport,
        application: httpx.AsyncBaseTransport,
        disk: FaultyDisk,
        node: SimulatedNode | None = None,
    ) -> None:
        """`node` is given where the daemon is one of several, which share a PostgreSQL."""
        self._nursery = nursery
        self._settings = settings
        self.clock = clock
        self._rng = rng
        self._provider = provider
        self._application = application
        self.disk = disk
        self.node = node
        self._log_stream = io.StringIO()
        self._log: Logger = create_logger(
            self._log_stream, style="json", now=clock.now, secrets=SECRETS.all_spellings
        )
        self.terms: list[tuple[int, float]] = []
        """(epoch, when it began on trio's clock): the terms in which the daemon led."""
        self._log.add_listener(self._hear)
        self._daemon_run: DaemonRun | None = None
        self.on_exit: Callable[[], None] = lambda: None
        self.start_count = 0
        self.ready_times_s: list[float] = []
        """When each start was ready, on trio's clock."""
        self.crash_count = 0
        self.unexpected_errors: list[BaseException] = []
        """Exceptions that ended a running daemon: each one is a bug of the daemon."""

    def _hear(self, event: Event, fields: dict[str, object]) -> None:
        """Note what the daemon logs of its terms, whether or not the line is written."""
        if self.node is not None and event is Event.CLUSTER_LEADS:
            self.terms.append((int(str(fields["epoch"])), trio.current_time()))
            self.node.meet("terms")
        if self.node is not None and event is Event.CLUSTER_LOST:
            self.node.meet("lost terms")

    async def start(self) -> None:
        """Start the daemon; return when it is ready, or crashed on the way. Raises what its start raises."""
        if self._daemon_run is not None:
            raise RuntimeError("the daemon is already running")
        life = self._daemon_run = DaemonRun()
        await self._nursery.start(self._run_to_end, life)
        if life.failure is not None and not isinstance(life.failure, DaemonCrashed):
            raise life.failure

    async def _run_to_end(self, life: DaemonRun, task_status: trio.TaskStatus[None]) -> None:
        if self.node is not None:
            await self.node.standstill.adopt_current_task()

        def step(point: str) -> None:
            if life.is_dead:
                raise DaemonCrashed
            try:
                self.disk.step(point)
            except DaemonCrashed:
                self._crash_run(life)
                raise

        environment = Environment(
            self.clock,
            self._rng,
            self._driver(step),
            DaemonTransport(life, self._provider, self.node),
            DaemonTransport(life, self._application, self.node),
            self.clock.wait_for_step,
        )
        try:
            with life.scope:
                await self._run(life, environment, task_status)
        except BaseException as failure:
            life.failure = root_cause(failure)
            if not isinstance(life.failure, Exception | DaemonCrashed):
                raise
        finally:
            life.ended.set()
            if self._daemon_run is life:
                self._daemon_run = None
                life.kill()
        if not life.is_ready:
            task_status.started()
        elif isinstance(life.failure, Exception):
            self.unexpected_errors.append(life.failure)
        if not life.stop_requested.is_set():
            self.on_exit()

    def _driver(self, step: Callable[[str], None]) -> Driver:
        if self.node is not None:
            return InlinePostgresqlDriver(self.node, step)
        return InlineDriver(step, self.disk.wait_for_disk, self.disk.connections)

    async def _run(
        self, life: DaemonRun, environment: Environment, task_status: trio.TaskStatus[None]
    ) -> None:
        async with running_engine(
            self._settings, SECRETS, environment, self._log, "a simulation", PUBLIC_URL
        ) as life.engine:
            life.site = build_public_site(life.engine, SECRETS.webhook_token, self._log, life.metrics)
            life.is_ready = True
            self.start_count += 1
            self.ready_times_s.append(trio.current_time())
            task_status.started()
            try:
                await life.stop_requested.wait()
            finally:
                if life.api is not None:
                    await life.api.aclose()

    def _crash_run(self, life: DaemonRun) -> None:
        self.crash_count += 1
        if self.node is not None and life.epoch is not None:
            self.node.meet("crashes of a leader")
        life.kill()
        if self._daemon_run is life:
            self._daemon_run = None
        if self.node is not None:
            self.node.standstill.end()  # so that its tasks can end

    async def stop(self) -> None:
        """Stop the daemon as SIGTERM would, and wait until it has drained."""
        life = self._require_running()
        if self.node is not None and life.epoch is not None:
            self.node.meet("handovers")
        life.stop_requested.set()
        await life.ended.wait()

    async def crash(self) -> None:
        """End the daemon at once, as a power cut would."""
        life = self._require_running()
        self._crash_run(life)
        life.scope.cancel()
        await life.ended.wait()

    @property
    def is_running(self) -> bool:
        """Whether the daemon is up or starting."""
        return self._daemon_run is not None

    @property
    def is_up(self) -> bool:
        return self._daemon_run is not None and self._daemon_run.is_ready

    @property
    def epoch(self) -> int | None:
        """The epoch in which the daemon leads; None while it does not."""
        return None if self._daemon_run is None else self._daemon_run.epoch

    @property
    def leads(self) -> bool:
        """Whether the daemon leads and does not stand still."""
        return self.epoch is not None and (self.node is None or self.node.standstill.since_s is None)

    def _require_running(self) -> DaemonRun:
        if self._daemon_run is None or not self._daemon_run.is_ready:
            raise RuntimeError("the daemon is not running") from (
                self.unexpected_errors[-1] if self.unexpected_errors else None
            )
        return self._daemon_run

    async def post(self, webhook: OutboundWebhook) -> PostResult:
        """Deliver a webhook of the exchange to the public site. Raises PostFailed without an answer."""
        life = self._daemon_run
        if life is None or life.site is None or not life.is_ready:
            raise PostFailed("connection refused: the daemon is down")
        url = urlsplit(webhook.url)
        headers = {name.lower(): value for name, value in webhook.headers.items()}
        with trio.CancelScope() as request_scope:
            life.open_requests[request_scope] = None
            try:
                request = WebhookRequest(webhook.method, url.query.encode(), headers, webhook.body)
                reply = await self._in_own_task(partial(life.site.answer, url.path, request))
            finally:
                del life.open_requests[request_scope]
        if life.is_dead or request_scope.cancelled_caught:
            raise PostFailed("connection reset: the daemon died before it answered")
        body = b"" if webhook.method == "HEAD" else reply.body
        return PostResult(reply.status, {name.lower(): value for name, value in reply.headers}, body)

    async def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Send a request to the private API; return any answer. Raises RuntimeError if none comes."""
        life = self._require_running()
        # Built at the first request: this takes longer than the rest of a start, and most runs are short.
        life.api = life.api or self._private_client(life)
        answer = await self._in_own_task(partial(life.api.request, method, path, json=body))
        if life.is_dead:
            raise RuntimeError("the daemon died before it answered")
        return answer

    async def _in_own_task[T](self, answer: Callable[[], Awaitable[T]]) -> T:
        """Answer a request in a task that stands still with the daemon, if the daemon ever stands still."""
        return await (answer() if self.node is None else self.node.standstill.run(answer, self._nursery))

    def _private_client(self, life: DaemonRun) -> httpx.AsyncClient:
        if life.engine is None:
            raise AssertionError("a daemon that is ready has an engine")
        timezone = self._settings.timezone
        app = build_private_site(life.engine, self.clock, timezone, self._log, life.metrics, lambda: None)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type] # ASGI, typed twice
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._log_stream.getvalue().splitlines()]

    @property
    def log_text(self) -> str:
        return self._log_stream.getvalue()

    @property
    def engine(self) -> Engine:
        engine = self._require_running().engine
        if engine is None:
            raise AssertionError("a daemon that is ready has its engine")
        return engine
