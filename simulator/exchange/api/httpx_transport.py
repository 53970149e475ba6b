"""An httpx transport with the exchange behind it: no socket, the real exceptions, virtual time.

The exchange serves each request in a task of its own, so that a caller who gives up, or is
cancelled, undoes nothing: the call it asked for still rings.
"""

from __future__ import annotations

import httpx
import trio

from simulator.exchange.api.endpoint import (
    ConnectionDropped,
    ConnectionNeverMade,
    HttpRequest,
    HttpResponse,
    ReplyNeverSent,
    handle_request,
)
from simulator.exchange.exchange import Exchange
from simulator.exchange.model.faults import CONNECT_ERRORS, FaultName
from simulator.exchange.model.records import SENDER_EXTENSION


class ExchangeTransport(httpx.AsyncBaseTransport):
    """Pass to `httpx.AsyncClient(transport=…)`. Whatever the host, the exchange answers.

    Raises ConnectError with its cause, RemoteProtocolError (a reply dropped) and, once the request's own
    timeouts have passed on trio's clock, ConnectTimeout and ReadTimeout.
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        call = HttpRequest(
            method=request.method,
            path=url.raw_path.partition(b"?")[0].decode("ascii"),
            query=url.query,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
            sent_by=request.extensions.get(SENDER_EXTENSION),
        )
        read_s = request.extensions.get("timeout", {}).get("read")
        answered = trio.Event()
        outcome: list[HttpResponse | Exception] = []
        self._exchange.state.nursery.start_soon(self._serve, call, outcome, answered)
        with trio.move_on_after(float("inf") if read_s is None else read_s):
            await answered.wait()
        if not outcome:
            raise httpx.ReadTimeout("the exchange did not answer in time", request=request)
        reply = outcome[0]
        if isinstance(reply, ConnectionNeverMade):
            if reply.fault is FaultName.CONNECT_TIMEOUT:
                await trio.sleep(request.extensions.get("timeout", {}).get("connect") or 0)
                raise httpx.ConnectTimeout("no connection in time", request=request)
            raise httpx.ConnectError(str(reply), request=request) from CONNECT_ERRORS[reply.fault]()
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

    async def _serve(
        self, call: HttpRequest, outcome: list[HttpResponse | Exception], answered: trio.Event
    ) -> None:
        try:
            outcome.append(await handle_request(self._exchange, call))
        except (ConnectionNeverMade, ConnectionDropped) as broken:
            outcome.append(broken)
        except ReplyNeverSent:
            return
        answered.set()
