"""The real daemon inside a simulation: started, stopped, crashed and started again.

It runs the daemon's own engine, public site and private API on a real SQLite file; only time,
the disk, the sockets and the provider are the simulation's. A crash drops everything that is in
memory and whatever transaction is open, as a power cut would: from that instant on the daemon
sends nothing, commits nothing and answers nobody.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Collection
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import trio

from missedd.config.loader import Settings
from missedd.config.secrets import Secrets
from missedd.core.explain.call import story
from missedd.daemon.apps import private_site, public_site
from missedd.engine.engine import Engine, World, running_engine
from missedd.exotel.webhook_request import WebhookRequest
from missedd.log.logger import Event, Logger, configure
from missedd.store.db.inline_driver import InlineDriver
from simulator.exchange.webhooks.request import OutboundWebhook, PostFailed, PostResult
from simulator.harness.daemon_run import Life, Wire, cause_of
from simulator.harness.faulty_disk import Crashed, Disk
from simulator.harness.stepped_clock import SteppedClock

SECRETS = Secrets("simkey", "simtoken", "scenario-webhook-token", "whsec_c2NlbmFyaW8td2ViaG9vay1zZWNyZXQ=")
PUBLIC_URL = "http://missedd.simulated"
SMS_TEXT_URL = f"{PUBLIC_URL}/exotel/{SECRETS.webhook_token}/sms-text"
MISSED_CALL_URL = f"{PUBLIC_URL}/exotel/{SECRETS.webhook_token}/missed-call"


class DaemonHost:
    """Runs one daemon on one database, in `nursery`. `log` collects its lines over all its lives.

    `on_death` is called, synchronously, whenever the daemon ended without having been stopped.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        settings: Settings,
        clock: SteppedClock,
        rng: Random,
        provider: httpx.AsyncBaseTransport,
        application: httpx.AsyncBaseTransport,
        disk: Disk,
    ) -> None:
        self._nursery = nursery
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._provider = provider
        self._application = application
        self.disk = disk
        self._lines = io.StringIO()
        self._log: Logger = configure(self._lines, style="json", now=clock.now, secrets=SECRETS.texts)
        self._life: Life | None = None
        self.on_death: Callable[[], None] = lambda: None
        self.starts = 0
        self.started_s: list[float] = []
        """When each start was ready, on trio's clock."""
        self.crashes = 0
        self.falls: list[BaseException] = []
        """Exceptions of the daemon's own by which it went down while it ran: mistakes, each of them."""

    async def start(self) -> None:
        """Start it and return when it is ready, or has died on the way. Raises whatever its start raises."""
        if self._life is not None:
            raise RuntimeError("the daemon runs already")
        life = self._life = Life()
        await self._nursery.start(self._live, life)
        if life.failure is not None and not isinstance(life.failure, Crashed):
            raise life.failure

    async def _live(self, life: Life, task_status: trio.TaskStatus[None]) -> None:
        def step(point: str) -> None:
            if life.is_over:
                raise Crashed
            try:
                self.disk.step(point)
            except Crashed:
                self._bury(life)
                raise

        world = World(
            self._clock,
            self._rng,
            InlineDriver(step, self.disk.pause, self.disk.opened),
            Wire(life, self._provider),
            Wire(life, self._application),
            self._clock.steps,
        )
        try:
            with life.scope:
                await self._run(life, world, task_status)
        except BaseException as failure:
            life.failure = cause_of(failure)
            if not isinstance(life.failure, Exception | Crashed):
                raise
        finally:
            life.ended.set()
            if self._life is life:
                self._life = None
                life.end()
        if not life.is_ready:
            task_status.started()
        elif isinstance(life.failure, Exception):
            self.falls.append(life.failure)
        if not life.stop.is_set():
            self.on_death()

    async def _run(self, life: Life, world: World, task_status: trio.TaskStatus[None]) -> None:
        async with running_engine(
            self._settings, SECRETS, world, self._log, "a simulation", PUBLIC_URL
        ) as life.engine:
            life.site = public_site(life.engine, SECRETS.webhook_token, self._log, life.metrics)
            life.is_ready = True
            self.starts += 1
            self.started_s.append(trio.current_time())
            task_status.started()
            try:
                await life.stop.wait()
            finally:
                if life.api is not None:
                    await life.api.aclose()

    def _bury(self, life: Life) -> None:
        self.crashes += 1
        life.end()
        if self._life is life:
            self._life = None

    async def stop(self) -> None:
        """Stop it as SIGTERM would, and wait until it has drained."""
        life = self._running()
        life.stop.set()
        await life.ended.wait()

    async def crash(self) -> None:
        """End it on the spot."""
        life = self._running()
        self._bury(life)
        life.scope.cancel()
        await life.ended.wait()

    @property
    def is_running(self) -> bool:
        """Whether it is up, or on its way there."""
        return self._life is not None

    @property
    def is_up(self) -> bool:
        return self._life is not None and self._life.is_ready

    def _running(self) -> Life:
        if self._life is None or not self._life.is_ready:
            raise RuntimeError("the daemon is not running") from (self.falls[-1] if self.falls else None)
        return self._life

    async def post(self, webhook: OutboundWebhook) -> PostResult:
        """Deliver a webhook of the exchange's to the public site: the exchange's poster."""
        life = self._life
        if life is None or life.site is None or not life.is_ready:
            raise PostFailed("connection refused: the daemon is down")
        url = urlsplit(webhook.url)
        headers = {name.lower(): value for name, value in webhook.headers.items()}
        with trio.CancelScope() as line:
            life.lines[line] = None
            try:
                reply = await life.site.answer(
                    url.path,
                    WebhookRequest(webhook.method, url.query.encode(), headers, webhook.body),
                )
            finally:
                del life.lines[line]
        if life.is_over or line.cancelled_caught:
            raise PostFailed("connection reset: the daemon died before it answered")
        body = b"" if webhook.method == "HEAD" else reply.body
        return PostResult(reply.status, {name.lower(): value for name, value in reply.headers}, body)

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask the private API, whatever it answers. Raises RuntimeError where nobody answers."""
        life = self._running()
        # Made once somebody asks: it takes longer than all the rest of a start, and most lives are short.
        life.api = life.api or self._private_client(life)
        answer = await life.api.request(method, path, json=body)
        if life.is_over:
            raise RuntimeError("the daemon died before it answered")
        return answer

    def _private_client(self, life: Life) -> httpx.AsyncClient:
        if life.engine is None:
            raise AssertionError("a daemon that is ready has an engine")
        timezone = self._settings.timezone
        app = private_site(life.engine, self._clock, timezone, self._log, life.metrics, lambda: None)
        transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type] # ASGI, typed twice
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")

    async def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the private API; the JSON it answers. Raises on anything but a 2xx."""
        answer = await self.ask(method, path, body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def stories(self, number: str) -> str:
        """What `missedd why` would tell of a caller."""
        pages = await self.api("GET", f"/api/v1/calls?number={number.replace('+', '%2B')}")
        calls = [await self.api("GET", f"/api/v1/calls/{each['call_sid']}") for each in pages["items"]]
        return "\n".join(story(each, self._clock.now(), self._settings.timezone) for each in calls)

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._lines.getvalue().splitlines()]

    def times_held(self, reasons: Collection[str]) -> int:
        """How often an action was held for one of these reasons, over all lives."""
        held = (each for each in self.log_lines() if each["event"] == Event.ACTION_HELD)
        return sum(each["reason"] in reasons for each in held)

    @property
    def log_text(self) -> str:
        return self._lines.getvalue()

    @property
    def engine(self) -> Engine:
        engine = self._running().engine
        if engine is None:
            raise AssertionError("a daemon that is ready has its engine")
        return engine
