"""Faults of the API: what the client gets, what really happened, and one seed twice."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.api.httpx_transport import ExchangeTransport
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.caller_pool import CallerPool
from simulator.exchange.model.faults import Fault
from simulator.exchange.model.formats import parse_ist
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.webhooks.request import OutboundWebhook, PostResult


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("name", "error"),
    [("drop-reply", httpx.RemoteProtocolError), ("timeout", httpx.ReadTimeout)],
)
async def test_broken_connections(
    bench: Any, autojump_clock: MockClock, name: str, error: type[Exception], when: str
) -> None:
    bench.exchange.faults.activate(Fault(name, "connect", when, times=1))
    began = trio.current_time()
    with pytest.raises(error):
        await bench.connect()
    assert trio.current_time() - began == (10 if name == "timeout" else 0.25 if when == "after" else 0)
    truth = bench.exchange.ground_truth
    assert len(truth.connects) == (1 if when == "after" else 0)
    (request,) = truth.api_requests
    assert (request.fault, request.fault_when, request.status) == (name, when, None)
    assert (request.sid is not None) == (when == "after")
    assert (await bench.connect()).status_code == 200


@pytest.mark.parametrize(
    ("name", "error", "cause", "takes_s"),
    [
        ("refuse-connection", httpx.ConnectError, ConnectionRefusedError, 0),
        ("tls-failure", httpx.ConnectError, ssl.SSLError, 0),
        ("name-unresolved", httpx.ConnectError, socket.gaierror, 0),
        ("connect-timeout", httpx.ConnectTimeout, type(None), 10),
    ],
)
async def test_connections_that_are_not_made_have_no_effect(
    bench: Any,
    autojump_clock: MockClock,
    name: str,
    error: type[Exception],
    cause: type[object],
    takes_s: float,
) -> None:
    bench.exchange.faults.activate(Fault(name, when="after"))
    began = trio.current_time()
    with pytest.raises(error) as raised:
        await bench.connect()
    assert isinstance(raised.value.__cause__, cause)
    assert trio.current_time() - began == takes_s
    assert bench.exchange.ground_truth.connects == []
    assert bench.exchange.faults.clear(name) == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("name", "code"), [("http-401", 34010), ("http-402", None), ("http-403", 40001)])
async def test_refusals_of_the_account_have_no_effect(
    bench: Any, autojump_clock: MockClock, name: str, code: int | None, when: str
) -> None:
    bench.exchange.faults.activate(Fault(name, "connect", when))
    answer = await bench.connect()
    assert name == f"http-{answer.status_code}"
    assert answer.json()["RestException"].get("Code") == code
    assert bench.exchange.ground_truth.connects == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("http-429", 429),
        ("http-500", 500),
        ("http-503", 503),
        ("ok-without-sid", 200),
        ("error-in-200", 200),
        ("malformed-body", 200),
    ],
)
async def test_broken_answers(
    bench: Any, autojump_clock: MockClock, name: str, status: int, when: str
) -> None:
    bench.exchange.faults.activate(Fault(name, "sms", when))
    answer = await bench.sms()
    assert answer.status_code == status
    assert '"Sid":"' not in answer.text or name == "malformed-body"
    if name == "malformed-body":
        with pytest.raises(json.JSONDecodeError):
            answer.json()
    assert len(bench.exchange.ground_truth.texts) == (1 if when == "after" else 0)


async def test_a_client_that_gives_up_undoes_nothing(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.faults.activate(Fault("slow", "connect", delay_s=30))
    with pytest.raises(httpx.ReadTimeout):
        await bench.connect()
    assert bench.exchange.ground_truth.connects == []
    await trio.sleep(21)
    assert len(bench.exchange.ground_truth.connects) == 1


async def test_429_with_retry_after(bench: Any, autojump_clock: MockClock) -> None:
    bench.exchange.faults.activate(Fault("http-429", retry_after_s=7, times=2))
    assert (await bench.connect()).headers["retry-after"] == "7"
    assert (await bench.client.get("Calls.json")).status_code == 429
    assert (await bench.connect()).status_code == 200


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Fault("no-such"), "none of refuse-connection, connect-timeout, "),
        (lambda: Fault("lose", "connect"), "cannot strike 'connect'"),
        (lambda: Fault("http-500", "webhook"), "cannot strike 'webhook'"),
        (lambda: Fault("slow", "connect", when="during"), "'when'"),
        (lambda: Fault("slow", times=0), "'times'"),
        (lambda: Fault("slow", probability=2), "'probability'"),
    ],
)
def test_impossible_faults(make: Callable[[], Fault], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def run_once(seed: int) -> dict[str, Any]:
    """A busy half hour. Every ring and request has an instant of its own, whatever trio shuffles."""
    start = parse_ist("2026-11-23 12:00:00")

    async def main() -> dict[str, Any]:
        async with trio.open_nursery() as nursery:

            def now() -> datetime:
                return start + timedelta(seconds=trio.current_time() - began)

            async def post(webhook: OutboundWebhook) -> PostResult:
                await trio.sleep(0.01)
                return PostResult(200 if len(webhook.url) % 7 else 503)

            began = trio.current_time()
            settings = ExchangeSettings(missed_call_url="http://d.test/m", exophones=("+918047120001",))
            exchange = Exchange(nursery, now, Random(seed), settings, post)
            for name in ("drop-reply", "http-500"):
                exchange.faults.activate(Fault(name, "connect", "after", probability=0.2))
            exchange.faults.activate(Fault("delay", "webhook", probability=0.3, delay_s=33.3))
            crowd = CallerPool(seed)
            transport = ExchangeTransport(exchange)
            auth = ("simkey", "simtoken")
            async with httpx.AsyncClient(transport=transport, auth=auth, base_url="http://e.test") as client:
                for i in range(60):
                    person = crowd.draw_caller()
                    exchange.ring_in(person)
                    await trio.sleep(7.77 + i / 1000)
                    form = {"From": person.number, "CallerId": "08047120001", "Url": "http://x/1"}
                    form["StatusCallback"] = f"http://d.test/{'s' * (i % 11)}"
                    try:
                        await client.post("/v1/Accounts/example1/Calls/connect.json", data=form)
                    except httpx.RemoteProtocolError:
                        continue
            await trio.sleep(2000)
            nursery.cancel_scope.cancel()
        return exchange.ground_truth.as_json()

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def test_one_seed_is_one_run() -> None:
    first = run_once(5)
    assert first == run_once(5)
    assert first != run_once(6)
    assert len(first["connects"]) == 60
    assert 0 < sum(one["status"] is None for one in first["api_requests"]) < 30
