"""The whole engine: how its parts work together, and with the private site."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import trio
from quart_trio import QuartTrio
from trio.testing import MockClock

from missedd.config.loader import Settings, load_settings_table
from missedd.config.secrets import Secrets
from missedd.daemon.apps import build_private_site, metrics_listener
from missedd.engine.build import Engine
from missedd.engine.engine import running_engine
from missedd.engine.environment import Environment
from missedd.exotel.dates import format_ist
from missedd.log.logger import create_logger
from missedd.store.admission.call_row import fetch_call
from missedd.store.sqlite.inline_driver import InlineDriver
from missedd.web.private.metrics import Metrics
from tests.core.campaigns import CALLER, EXOPHONE, NOON, SECOND_EXOPHONE, call
from tests.engine.scene import WallClock

SECRETS = Secrets("key", "token", "webhook-token-of-16", None)


class Exotel:
    """Loses every answer to a request for a call. Its list has the `incoming` calls only."""

    def __init__(self) -> None:
        self.incoming: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.params.get('Direction', '')}".strip())
        if request.method == "POST":
            raise httpx.ReadTimeout("lost")
        is_incoming = request.url.params.get("Direction") == "inbound"
        return httpx.Response(200, json={"Metadata": {}, "Calls": self.incoming if is_incoming else []})


def settings(folder: Path, **exotel: object) -> Settings:
    raw = {
        "exotel": {"account_sid": "example1", "api_base": "http://exotel.example"} | exotel,
        "campaign": [
            {"name": "shop", "exophones": [EXOPHONE], "callback": {"flow": "1", "delay": "5s"}},
            {"name": "signup", "exophones": [SECOND_EXOPHONE], "verify": {}},
        ],
    }
    return replace(load_settings_table(raw, "", folder / "a test"), store=folder / "missedd.db")


@asynccontextmanager
async def running(
    folder: Path, exotel: Exotel, clock: WallClock, **changes: object
) -> AsyncIterator[tuple[Engine, QuartTrio, Metrics]]:
    of, log, metrics = settings(folder, **changes), create_logger(io.StringIO(), now=clock.now), Metrics()
    log.add_listener(metrics_listener(metrics))
    world = Environment(clock, Random(1), InlineDriver(), httpx.MockTransport(exotel))
    async with running_engine(of, SECRETS, world, log, "a test", "http://here") as engine:
        yield engine, build_private_site(engine, clock, of.timezone, log, metrics, lambda: None), metrics


async def test_an_operator_ends_the_search_for_a_lost_answer(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel, clock = Exotel(), WallClock()
    async with running(tmp_path, exotel, clock) as (engine, app, _):
        await engine.intake.admit(call())
        await trio.sleep(30)
        client = app.test_client()
        for outcome, status in (("delivered", 400), ("busy", 200), ("busy", 200), ("failed", 409)):
            response = await client.post("/api/v1/actions/1/settle", json={"outcome": outcome})
            assert response.status_code == status, outcome
        assert (await client.post("/api/v1/actions/2/settle", json={"outcome": "busy"})).status_code == 404
        story = await (await client.get("/api/v1/calls/c1")).get_json()
        (action,) = story["actions"]
        assert (action["outcome"], action["reason"]) == ("unknown", "settled-by-operator")
        assert action["settled_outcome"] == "busy"
        looked = exotel.asked.count("GET")
        await trio.sleep(1200)
        assert exotel.asked.count("GET") == looked


async def test_who_rang_while_it_was_down_is_served_after_the_start(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    exotel, clock = Exotel(), WallClock()
    async with running(tmp_path, exotel, clock):
        pass
    clock.error = timedelta(hours=1)
    at = format_ist(NOON + timedelta(minutes=50))
    exotel.incoming.append(
        {"Sid": "in-1", "Direction": "inbound", "From": CALLER, "To": EXOPHONE, "Status": "completed"}
        | {"StartTime": at, "EndTime": at, "Details": {"ConversationDuration": 0}}
    )
    async with running(tmp_path, exotel, clock) as (engine, app, metrics):
        await trio.sleep(20)
        found = await engine.store.read(partial(fetch_call, call_id=1))
        assert (found.call_sid, found.verdict) == ("in-1", "accepted")
        assert exotel.asked == ["GET inbound", "POST", "GET"]
        figures = await (await app.test_client().get("/api/v1/analytics")).get_json()
        assert (figures["total_calls"], figures["recovered"]) == (1, 1)
        assert metrics.recovered.value("accepted") == 1
        assert metrics.calls.value("accepted") == 0


async def test_catch_up_can_be_switched_off(autojump_clock: MockClock, tmp_path: Path) -> None:
    exotel, clock = Exotel(), WallClock()
    for _ in range(2):
        async with running(tmp_path, exotel, clock, catch_up=False):
            await trio.sleep(3600)
    assert exotel.asked == []


async def test_a_number_is_proved_and_the_answer_is_final(autojump_clock: MockClock, tmp_path: Path) -> None:
    clock = WallClock()
    async with running(tmp_path, Exotel(), clock) as (engine, app, _):
        client = app.test_client()

        async def start() -> dict[str, Any]:
            body = {"number": CALLER, "campaign": "signup"}
            response = await client.post("/api/v1/verifications", json=body)
            assert response.status_code == 201
            started: dict[str, Any] = await response.get_json()
            return started

        async def status(verification: dict[str, Any]) -> str:
            answer = await (await client.get(f"/api/v1/verifications/{verification['id']}")).get_json()
            return f"{answer['status']}: {answer['reason']}"

        first = await start()
        assert (first["call"], len(first["id"])) == (SECOND_EXOPHONE, 24)
        assert await status(first) == "pending: awaiting-call"
        await engine.intake.admit(call("c1", clock.now(), dialled=(SECOND_EXOPHONE,)))
        assert await status(first) == "verified: verified"
        second = await start()
        assert second["id"] != first["id"]
        rang_at = clock.now()
        await trio.sleep(300)
        assert await status(second) == "expired: not-rung-in-time"
        await engine.intake.admit(call("c2", rang_at, dialled=(SECOND_EXOPHONE,)))
        assert await status(second) == "expired: not-rung-in-time"
        body = {"number": CALLER, "campaign": "shop"}
        assert (await client.post("/api/v1/verifications", json=body)).status_code == 400
        body = {"number": CALLER, "campaign": "none"}
        assert (await client.post("/api/v1/verifications", json=body)).status_code == 400
