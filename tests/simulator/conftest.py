"""An exchange in virtual time with somebody at either end of the wire."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest
import trio

from simulator.exchange import Exchange
from simulator.memory import ExchangeTransport
from simulator.posting import OutboundWebhook, PostResult
from simulator.settings import ExchangeSettings

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # noon in India
EXOPHONE = "+918047120001"


class Bench:
    """The exchange, a client of its API, and what it posted, answered by `answer`."""

    def __init__(self, nursery: trio.Nursery, clock: trio.abc.Clock) -> None:
        self.posted: list[OutboundWebhook] = []
        self.answer: Callable[[OutboundWebhook], PostResult] = lambda _: PostResult(
            200, {"missedd-verdict": "accepted"}
        )
        began = clock.current_time()
        self.settings = ExchangeSettings(missed_call_url="http://daemon.test/missed-call?key=a%2Fb")
        self.exchange = Exchange(
            nursery,
            lambda: START + timedelta(seconds=clock.current_time() - began),
            Random(7),
            self.settings,
            self._post,
        )
        self.client = httpx.AsyncClient(
            transport=ExchangeTransport(self.exchange),
            base_url="http://exotel.test/v1/Accounts/example1/",
            auth=("simkey", "simtoken"),
            timeout=10,
        )

    async def _post(self, webhook: OutboundWebhook) -> PostResult:
        await trio.lowlevel.checkpoint()
        self.posted.append(webhook)
        return self.answer(webhook)

    async def connect(self, **fields: str) -> httpx.Response:
        form = {"From": "+919876543210", "CallerId": EXOPHONE, "Url": "http://my.exotel.com/exoml/start/7"}
        return await self.client.post("Calls/connect.json", data=form | fields)

    async def connect_two(self, **fields: str) -> httpx.Response:
        form = {"From": "+919811111111", "To": "+919876543210", "CallerId": EXOPHONE}
        return await self.client.post("Calls/connect.json", data=form | fields)

    async def sms(self, **fields: str) -> httpx.Response:
        form = {"From": "EXAMPL", "To": "+919876543210", "Body": "Thank you for calling."}
        return await self.client.post("Sms/send.json", data=form | fields)


@pytest.fixture
def bench(nursery: trio.Nursery, autojump_clock: trio.testing.MockClock) -> Bench:
    return Bench(nursery, autojump_clock)
