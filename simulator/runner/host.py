"""The real daemon inside a simulation: started, stopped, crashed and started again.

It runs the daemon's own engine, public site and private API on a real SQLite file; only time,
the sockets and the provider are the simulation's. A crash drops everything that is in memory and
whatever transaction is open, as a power cut would.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import trio

from missedd.config import Settings
from missedd.core.explain import story
from missedd.engine.engine import Engine, World, running_engine
from missedd.exotel.wire import WebhookRequest
from missedd.log import Logger, configure
from missedd.secrets import Secrets
from missedd.sites import MeasuredSite, private_site, public_site
from missedd.store.inline import InlineDriver
from missedd.web.metrics import Metrics
from simulator.posting import OutboundWebhook, PostFailed, PostResult

SECRETS = Secrets("simkey", "simtoken", "scenario-webhook-token", "whsec_c2NlbmFyaW8td2ViaG9vay1zZWNyZXQ=")
PUBLIC_URL = "http://missedd.simulated"
MISSED_CALL_URL = f"{PUBLIC_URL}/exotel/{SECRETS.webhook_token}/missed-call"


class SteppedClock:
    """The daemon's wall clock: true time, plus whatever it was set wrong by."""

    def __init__(self, true_now: Callable[[], datetime]) -> None:
        self._true_now = true_now
        self.error = timedelta(0)

    def now(self) -> datetime:
        return self._true_now() + self.error


@dataclass(slots=True)
class _Life:
    """One run of the daemon, from a start to a stop or a crash."""

    engine: Engine
    site: MeasuredSite
    api: httpx.AsyncClient
    stop: trio.Event = field(default_factory=trio.Event)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ended: trio.Event = field(default_factory=trio.Event)


class DaemonHost:
    """Runs one daemon on one database, in `nursery`. `log` collects its lines over all its lives."""

    def __init__(
        self,
        nursery: trio.Nursery,
        settings: Settings,
        clock: SteppedClock,
        rng: Random,
        provider: httpx.AsyncBaseTransport,
        application: httpx.AsyncBaseTransport,
    ) -> None:
        self._nursery = nursery
        self._settings = settings
        self._clock = clock
        self._world = World(clock, rng, InlineDriver(), provider, application)
        self._lines = io.StringIO()
        self._log: Logger = configure(self._lines, style="json", now=clock.now, secrets=SECRETS.texts)
        self._life: _Life | None = None

    async def start(self) -> None:
        """Start it and return when it is ready. Raises whatever its start raises."""
        if self._life is not None:
            raise RuntimeError("the daemon runs already")
        self._life = await self._nursery.start(self._live)

    async def _live(self, task_status: trio.TaskStatus[_Life]) -> None:
        with trio.CancelScope() as scope:
            async with running_engine(
                self._settings, SECRETS, self._world, self._log, "a simulation", PUBLIC_URL
            ) as engine:
                metrics = Metrics()
                site = public_site(engine, SECRETS.webhook_token, self._log, metrics)
                app = private_site(
                    engine, self._clock, self._settings.timezone, self._log, metrics, lambda: None
                )
                transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type] # ASGI, typed twice
                async with httpx.AsyncClient(transport=transport, base_url="http://private") as api:
                    life = _Life(engine, site, api, scope=scope)
                    task_status.started(life)
                    await life.stop.wait()
        life.ended.set()

    async def stop(self) -> None:
        """Stop it as SIGTERM would, and wait until it has drained."""
        life = self._running()
        life.stop.set()
        await life.ended.wait()
        self._life = None

    async def crash(self) -> None:
        """End it on the spot."""
        life = self._running()
        life.scope.cancel()
        self._life = None
        await life.ended.wait()

    @property
    def is_up(self) -> bool:
        return self._life is not None

    def _running(self) -> _Life:
        if self._life is None:
            raise RuntimeError("the daemon is not running")
        return self._life

    async def post(self, webhook: OutboundWebhook) -> PostResult:
        """Deliver a webhook of the exchange's to the public site: the exchange's poster."""
        life = self._life
        if life is None:
            raise PostFailed("connection refused: the daemon is down")
        url = httpx.URL(webhook.url)
        headers = {name.lower(): value for name, value in webhook.headers.items()}
        reply = await life.site.answer(
            url.raw_path.partition(b"?")[0].decode("ascii"),
            WebhookRequest(webhook.method, url.query, headers, webhook.body),
        )
        if self._life is not life:
            raise PostFailed("connection reset: the daemon died before it answered")
        return PostResult(reply.status, {name.lower(): value for name, value in reply.headers}, reply.body)

    async def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask the private API; the JSON it answers. Raises on anything but a 2xx."""
        answer = await self._running().api.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    async def stories(self, number: str) -> str:
        """What `missedd why` would tell of a caller."""
        pages = await self.api("GET", f"/api/v1/calls?number={number.replace('+', '%2B')}")
        calls = [await self.api("GET", f"/api/v1/calls/{each['call_sid']}") for each in pages["items"]]
        return "\n".join(story(each, self._clock.now(), self._settings.timezone) for each in calls)

    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._lines.getvalue().splitlines()]

    @property
    def log_text(self) -> str:
        return self._lines.getvalue()

    @property
    def engine(self) -> Engine:
        return self._running().engine
