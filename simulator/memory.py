"""An httpx transport with the exchange behind it: no socket, the real exceptions, virtual time.

The exchange serves each request in a task of its own, so that a caller who gives up, or is
cancelled, undoes nothing: the call it asked for still rings.
"""

from __future__ import annotations

import httpx
import trio

from simulator.api import ApiCall, ApiReply, ConnectionDropped, ConnectionRefused, NeverAnswers, respond
from simulator.exchange import Exchange


class ExchangeTransport(httpx.AsyncBaseTransport):
    """Pass to `httpx.AsyncClient(transport=…)`. Whatever the host, the exchange answers.

    Raises ConnectError, RemoteProtocolError (a reply dropped) and, once the request's own read
    timeout has passed on trio's clock, ReadTimeout.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        call = ApiCall(
            method=request.method,
            path=url.raw_path.partition(b"?")[0].decode("ascii"),
            query=url.query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
        )
        read_s = request.extensions.get("timeout", {}).get("read")
        answered = trio.Event()
        outcome: list[ApiReply | Exception] = []
        self._exchange.world.nursery.start_soon(self._serve, call, outcome, answered)
        with trio.move_on_after(float("inf") if read_s is None else read_s):
            await answered.wait()
        if not outcome:
            raise httpx.ReadTimeout("the exchange did not answer in time", request=request)
        reply = outcome[0]
        if isinstance(reply, ConnectionRefused):
            raise httpx.ConnectError("the exchange refused the connection", request=request)
        if isinstance(reply, ConnectionDropped):
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            )
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(
            reply.status,
            headers={**reply.headers, "content-length": str(len(reply.body))},
            content=reply.body,
            request=request,
        )

    async def _serve(self, call: ApiCall, outcome: list[ApiReply | Exception], answered: trio.Event) -> None:
        try:
            outcome.append(await respond(self._exchange, call))
        except (ConnectionRefused, ConnectionDropped) as broken:
            outcome.append(broken)
        except NeverAnswers:
            return
        answered.set()
