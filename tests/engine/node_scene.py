"""A node of a shared database, whose terms a test begins and ends. The database is SQLite."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs

import httpx
import trio

from missedd.config.loader import Settings, load_settings_table
from missedd.config.secrets import Secrets
from missedd.core.model import InboundCall
from missedd.engine.build import Engine, build_engine
from missedd.engine.engine import running_node
from missedd.engine.environment import Environment
from missedd.engine.leader.build import LeaderSetup
from missedd.engine.leader.leader import LeaderState
from missedd.engine.webhooks.webhook_sender import new_webhook_client
from missedd.exotel.client import new_exotel_client
from missedd.log.logger import create_logger
from missedd.store.actions.rows import Timer
from missedd.store.admission.admit import admit
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.store.store import Store, open_store
from tests.core.campaigns import EXOPHONE, SECOND_EXOPHONE, call
from tests.engine.leadership.shared_terms import Election, FakeLeadership
from tests.engine.scene import Disk, WallClock

SECRETS = Secrets("key", "token", "webhook-token-of-16", "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cyE=")
ELSEWHERE = LeaderState(hold_reasons={})


class Outside:
    """Exotel and the application: which actions' requests arrived, and when. An answer takes `takes_s`."""

    def __init__(self) -> None:
        self.takes_s = 0.3
        self.calls: list[int] = []
        self.webhooks: list[str] = []
        self.lookups = 0

    async def exotel(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.lookups += 1
            return httpx.Response(200, json={"Metadata": {}, "Calls": []})
        form = parse_qs(request.content.decode())
        self.calls.append(int(form["CustomField"][0]))
        await trio.sleep(self.takes_s)
        return httpx.Response(200, json={"Call": {"Sid": f"sid-{len(self.calls)}", "Status": "queued"}})

    async def application(self, request: httpx.Request) -> httpx.Response:
        self.webhooks.append(json.loads(request.content)["data"]["call_sid"])
        await trio.sleep(self.takes_s)
        return httpx.Response(200)


@dataclass
class CollectedNews:
    """What a node told the others."""

    timers: list[Timer] = field(default_factory=list)
    catch_ups: int = 0
    polls: list[str] = field(default_factory=list)

    def wake(self, timers: Iterable[Timer]) -> None:
        self.timers += timers

    def request_catch_up(self) -> None:
        self.catch_ups += 1

    def publish_poll(self, poll: str) -> None:
        self.polls.append(poll)


@dataclass
class NodeScene:
    engine: Engine
    leadership: FakeLeadership
    outside: Outside
    news: CollectedNews
    store: Store
    disk: Disk
    clock: WallClock
    lines: io.StringIO

    async def ring(self, *sids: str) -> None:
        for sid in sids:
            await self.engine.intake.admit(self.inbound(sid))

    async def ring_elsewhere(self, sid: str) -> tuple[Timer, ...]:
        """Another node admits a call; its timers."""
        unit = partial(
            admit, calls=[self.inbound(sid)], policy=self.engine.policy, received_at=self.clock.now()
        )
        (admitted,) = await self.store.write(unit)
        return tuple(admitted.timers)

    def inbound(self, sid: str) -> InboundCall:
        return call(sid, self.clock.now(), caller=f"+9198765{int(sid.removeprefix('c')):05}")

    async def attempts(self) -> list[tuple[Any, ...]]:
        return await self.store.read(
            lambda db: db.fetch_all("SELECT action_id, number, result FROM attempts ORDER BY id")
        )

    async def states(self, kind: str = "callback") -> list[tuple[Any, ...]]:
        return await self.store.read(
            lambda db: db.fetch_all("SELECT id, state FROM actions WHERE kind = ? ORDER BY id", (kind,))
        )


def settings(folder: Path) -> Settings:
    raw = {
        "exotel": {"account_sid": "example1", "api_base": "http://exotel.example", "catch_up": False},
        "poll": [{"name": "singer"}],
        "campaign": [
            {
                "name": "shop",
                "exophones": [EXOPHONE],
                "callback": {"flow": "1", "delay": "5s", "retries": ["10m"]},
                "webhook": {"url": "http://127.0.0.1:9/hook"},
            },
            {"name": "asha", "exophones": [SECOND_EXOPHONE], "vote": {"poll": "singer", "option": "Asha"}},
        ],
    }
    return load_settings_table(raw, "", folder / "a test")


@asynccontextmanager
async def node(folder: Path, *, leads: bool = True) -> AsyncIterator[NodeScene]:
    """A node of a shared database. With `leads` its first term has begun when the block begins."""
    of, clock, disk, lines = settings(folder), WallClock(), Disk(), io.StringIO()
    outside, news = Outside(), CollectedNews()
    leadership = FakeLeadership(Election())
    log = create_logger(lines, style="json", now=clock.now)
    world = Environment(clock, Random(1), InlineDriver(disk.fault, disk.pause))
    if leads:
        leadership.win()
    async with (
        open_store(world.driver, folder / "missedd.db", "a test") as store,
        new_exotel_client(httpx.MockTransport(outside.exotel)) as exotel_http,
        new_webhook_client(httpx.MockTransport(outside.application)) as webhook_http,
    ):
        engine = build_engine(of, world, log, store, news, lambda: ELSEWHERE)
        setup = LeaderSetup(
            settings=of,
            secrets=SECRETS,
            clock=clock,
            clock_watch=engine.clock_watch,
            rng=world.rng,
            log=log,
            exotel_http=exotel_http,
            webhook_http=webhook_http,
            public_url="http://here",
            admit=engine.intake.admit_all,
            catch_up_trigger=engine.link.catch_up_trigger,
        )
        async with running_node(engine, setup, leadership):
            yield NodeScene(engine, leadership, outside, news, store, disk, clock, lines)
