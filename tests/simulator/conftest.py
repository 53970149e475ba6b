"""An exchange in virtual time with somebody at either end of the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest
import trio
from trio.testing import MockClock

from simulator.exchange.api.httpx_transport import ExchangeTransport
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.settings import ExchangeSettings
from simulator.exchange.webhooks.body_formats import read_form
from simulator.exchange.webhooks.request import OutboundWebhook, PostResult

START = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)  # noon in India
EXOPHONE = "+918047120001"


class Bench:
    """The exchange, a client of its API, and what it posted, answered by `webhook_response`, and said."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.posted: list[OutboundWebhook] = []
        self.printed_lines: list[str] = []
        self.webhook_response: Callable[[OutboundWebhook], PostResult] = lambda _: PostResult(
            200, {"missedd-verdict": "accepted"}
        )
        began = trio.current_time()
        self.settings = ExchangeSettings(missed_call_url="http://daemon.test/missed-call?key=a%2Fb")
        self.exchange = Exchange(
            nursery,
            lambda: START + timedelta(seconds=trio.current_time() - began),
            Random(7),
            self.settings,
            self._post,
            print_line=self.printed_lines.append,
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
        return self.webhook_response(webhook)

    async def connect(self, **fields: str) -> httpx.Response:
        form = {"From": "+919876543210", "CallerId": EXOPHONE, "Url": "http://my.exotel.com/exoml/start/7"}
        return await self.client.post("Calls/connect.json", data=form | fields)

    async def connect_two(self, **fields: str) -> httpx.Response:
        form = {"From": "+919811111111", "To": "+919876543210", "CallerId": EXOPHONE}
        return await self.client.post("Calls/connect.json", data=form | fields)

    async def sms(self, **fields: str) -> httpx.Response:
        form = {"From": "EXAMPL", "To": "+919876543210", "Body": "Thank you for calling."}
        return await self.client.post("Sms/send.json", data=form | fields)

    def posted_form(self, index: int = -1) -> dict[str, str]:
        """The fields of a posted body, multipart or urlencoded."""
        webhook = self.posted[index]
        return read_form(webhook.headers.get("content-type", ""), webhook.body)


@pytest.fixture
async def bench(nursery: trio.Nursery, autojump_clock: MockClock) -> AsyncIterator[Bench]:
    """Tests that wait ask for `autojump_clock` themselves too: only then does pytest-trio use it."""
    if not isinstance(trio.lowlevel.current_clock(), MockClock):
        raise TypeError("ask for autojump_clock in the test itself: this one would really wait")
    bench = Bench(nursery)
    async with bench.client:
        yield bench
    nursery.cancel_scope.cancel()
