"""Polls in a running engine: watchers are notified of changes, and polls with new rules are recounted."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import trio
from quart_trio import QuartTrio
from trio.testing import MockClock, wait_all_tasks_blocked

from missedd.config.loader import load_settings_table
from missedd.config.secrets import Secrets
from missedd.core.model import InboundCall
from missedd.daemon.apps import build_private_site
from missedd.engine.build import Engine
from missedd.engine.engine import running_engine
from missedd.engine.environment import Environment
from missedd.engine.poll_changes import PollChanges
from missedd.log.logger import create_logger
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.web.private.metrics import Metrics
from tests.core.campaigns import CALLER, NOON, OTHER, call, minutes
from tests.engine.scene import WallClock

SECRETS = Secrets("key", "token", "webhook-token-of-16", None)
ASHA, RAVI = "+918047120010", "+918047120011"


@dataclass
class Daemon:
    engine: Engine
    app: QuartTrio
    lines: io.StringIO

    async def poll(self) -> dict[str, Any]:
        told: dict[str, Any] = await (await self.app.test_client().get("/api/v1/polls/singer")).get_json()
        return told

    def recounts(self) -> list[dict[str, Any]]:
        lines = map(json.loads, self.lines.getvalue().splitlines())
        return [line for line in lines if line["event"] == "poll.recounted"]


@asynccontextmanager
async def running(folder: Path, clock: WallClock, **rules: object) -> AsyncIterator[Daemon]:
    raw = {
        "exotel": {"account_sid": "example1", "api_base": "http://exotel.example", "catch_up": False},
        "poll": [{"name": "singer", **rules}],
        "campaign": [
            {"name": "ravi", "exophones": [RAVI], "vote": {"poll": "singer", "option": "Ravi"}},
            {"name": "asha", "exophones": [ASHA], "vote": {"poll": "singer", "option": "Asha"}},
            {"name": "shop", "exophones": ["+918047120001"], "lead": {}},
        ],
    }
    settings = replace(load_settings_table(raw, "", folder / "a test"), store=folder / "missedd.db")
    lines = io.StringIO()
    log = create_logger(lines, style="json", now=clock.now)
    world = Environment(clock, Random(1), InlineDriver())
    async with running_engine(settings, SECRETS, world, log, "a test", "http://here") as engine:
        app = build_private_site(engine, clock, settings.timezone, log, Metrics(), lambda: None)
        yield Daemon(engine, app, lines)


def vote(sid: str, at: datetime = NOON, to: str = ASHA, caller: str = CALLER) -> InboundCall:
    return call(sid, at, dialled=(to,), caller=caller)


async def test_who_watches_sees_a_vote_once_it_is_durable(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with running(tmp_path, WallClock()) as daemon, trio.open_nursery() as nursery:
        connection = daemon.app.test_client().request("/api/v1/polls/singer/events")
        async with connection:
            await connection.send_complete()
            heard = [await connection.receive(), await connection.receive()]
            assert b'"total":0' in heard[-1]
            await daemon.engine.intake.admit(call("c0"))  # for the shop
            await trio.sleep(3)
            nursery.start_soon(daemon.engine.intake.admit, vote("c1"))
            assert b'id: 1\ndata: {"poll":"singer","state":"open","total":1,' in await connection.receive()
            await daemon.engine.intake.admit(vote("c2", to=RAVI))
            surplus = await connection.receive()
            assert b"id: 2\n" in surplus
            assert b'"total":1,' in surplus
            assert b'"refused":{"surplus":1,' in surplus
            daemon.engine.poll_changes.close()
            assert await connection.receive() == b""


async def test_a_stop_lets_go_of_who_watches(autojump_clock: MockClock, tmp_path: Path) -> None:
    async with running(tmp_path, WallClock()) as daemon:
        news = daemon.engine.poll_changes
    assert news.closed.is_set()


async def test_new_rules_count_again_at_the_start_and_say_so(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    clock = WallClock()
    clock.error = timedelta(minutes=20)
    async with running(tmp_path, clock) as daemon:
        for each in (vote("c1"), vote("c2", NOON + minutes(9), RAVI), vote("c3", to=RAVI, caller=OTHER)):
            await daemon.engine.intake.admit(each)
        assert (await daemon.poll())["options"] == [
            {"option": "Ravi", "votes": 1},
            {"option": "Asha", "votes": 1},
        ]
    async with running(tmp_path, clock) as daemon:
        assert daemon.recounts() == []
    async with running(tmp_path, clock, keep="last") as daemon:
        (line,) = daemon.recounts()
        assert {name: line[name] for name in ("poll", "votes", "changed", "total")} == {
            "poll": "singer",
            "votes": 3,
            "changed": 2,
            "total": 2,
        }
        told = await daemon.poll()
        assert told["options"] == [{"option": "Ravi", "votes": 2}, {"option": "Asha", "votes": 0}]
        assert (told["keep"], told["refused"]["replaced"]) == ("last", 1)


async def test_a_poll_that_is_gone_from_the_configuration_is_still_told(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    async with running(tmp_path, WallClock()) as daemon:
        await daemon.engine.intake.admit(vote("c1"))
        told = await daemon.poll()
    raw = {
        "exotel": {"account_sid": "example1", "api_base": "http://exotel.example", "catch_up": False},
        "campaign": [{"name": "shop", "exophones": ["+918047120001"], "lead": {}}],
    }
    settings = replace(load_settings_table(raw, "", tmp_path / "a test"), store=tmp_path / "missedd.db")
    clock = WallClock()
    log = create_logger(io.StringIO(), now=clock.now)
    world = Environment(clock, Random(1), InlineDriver())
    async with running_engine(settings, SECRETS, world, log, "a test", "http://here") as engine:
        app = build_private_site(engine, clock, settings.timezone, log, Metrics(), lambda: None)
        left = await Daemon(engine, app, io.StringIO()).poll()
    assert left == told | {"options": [{"option": "Asha", "votes": 1}]}


async def test_news_wakes_who_waits_for_that_poll_and_who_was_too_late_to_wait() -> None:
    news, woken = PollChanges(), list[str]()

    async def watch(poll: str) -> None:
        await news.wait(poll, news.version(poll))
        woken.append(poll)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch, "singer")
        nursery.start_soon(watch, "dancer")
        await wait_all_tasks_blocked()
        before = news.version("singer")
        news.publish("singer")
        await wait_all_tasks_blocked()
        assert woken == ["singer"]
        with trio.fail_after(1):
            await news.wait("singer", before)
        before = news.version("dancer")
        news.publish_all()
        await wait_all_tasks_blocked()
        assert woken == ["singer", "dancer"]
        with trio.fail_after(1):
            await news.wait("dancer", before)
        nursery.cancel_scope.cancel()
