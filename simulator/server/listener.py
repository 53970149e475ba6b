"""The exchange over real HTTP: Exotel's API, and beside it the admin surface under `/_sim/`.

The API is served without a framework, so that a fault can close or hold the connection. The admin surface
is an ordinary Quart application; Exotel has nothing like it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.events import Closed
from hypercorn.trio import serve
from hypercorn.typing import ASGIReceiveCallable, Framework
from quart import Request
from quart_trio import QuartTrio
from quart_trio.asgi import TrioASGIHTTPConnection

from simulator.exchange.api.endpoint import (
    ConnectionDropped,
    ConnectionNeverMade,
    HttpRequest,
    HttpResponse,
    ReplyNeverSent,
    handle_request,
)
from simulator.exchange.exchange import Exchange

ADMIN_PREFIX = "/_sim/"
BODY_MAX = 1_000_000
"""Bytes. No real request comes near this limit; it protects the memory."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Any], Awaitable[None]]


class UncancelledConnection(TrioASGIHTTPConnection):
    """Lets a request finish after its peer has disconnected, and then ends, so that the connection closes.

    The original class cancels the request instead, and its nursery then stays open.
    """

    async def handle_messages(  # type: ignore[override]  # as quart-trio's differs from quart's
        self, nursery: trio.Nursery, request: Request, receive: ASGIReceiveCallable
    ) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.request":
                await request.body.put(message.get("body", b""))
                if not message.get("more_body", False):
                    request.body.set_complete()
            elif message["type"] == "http.disconnect":
                self._disconnected = True
                request.body.disconnect()
                return


def build_asgi_app(
    exchange: Exchange, admin: QuartTrio, print_line: Callable[[str], None] = lambda _: None
) -> Framework:
    """Both surfaces as one ASGI application. `print_line` prints a line for the user of the simulator."""
    admin.asgi_http_class = UncancelledConnection

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or f"{scope['path']}/".startswith(ADMIN_PREFIX):
            await admin(scope, receive, send)  # type: ignore[arg-type]
        else:
            await _serve_api(exchange, print_line, scope, receive, send)

    return application  # type: ignore[return-value]  # typed by what it uses, not by all of ASGI


async def serve_http(
    application: Framework,
    host: str,
    port: int,
    shutdown: Callable[[], Awaitable[None]],
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `shutdown` returns. The started value is the address, with the real port for port 0."""
    config = Config()
    config.bind = [f"{host}:{port}"]
    config.accesslog = config.errorlog = None
    config.include_server_header = False
    config.graceful_timeout = 2.0
    config.keep_alive_timeout = 15.0
    async with trio.open_nursery() as nursery:
        addresses = await nursery.start(_hypercorn, application, config, shutdown)
        task_status.started(addresses[0])


async def _hypercorn(
    application: Framework,
    config: Config,
    shutdown: Callable[[], Awaitable[None]],
    *,
    task_status: trio.TaskStatus[list[str]],
) -> None:
    await serve(application, config, shutdown_trigger=shutdown, task_status=task_status, mode="asgi")


async def _serve_api(
    exchange: Exchange, print_line: Callable[[str], None], scope: Scope, receive: Receive, send: Send
) -> None:
    body = await _body(receive)
    if body is None:
        return
    call = HttpRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("ascii", "replace"),
        query=scope["query_string"],
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )
    try:
        reply = await handle_request(exchange, call)
    except (ConnectionDropped, ConnectionNeverMade):
        # An accepted connection can't be refused any more: closing it without a reply comes nearest.
        await _hang_up(send)
        return
    except ReplyNeverSent:
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    if reply.ignored_parameters:
        print_line(
            f"{call.method} {call.path}: Exotel does not know "
            f"{', '.join(reply.ignored_parameters)}; names are "
            "case-sensitive, and lists have an index (StatusCallbackEvents[0])"
        )
    await _reply(send, reply)


async def _reply(send: Send, reply: HttpResponse) -> None:
    headers = {**reply.headers, "content-length": str(len(reply.body))}
    await send(
        {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": reply.body})


async def _hang_up(send: Send) -> None:
    """Close the connection without a byte.

    ASGI cannot express this. Hypercorn's `send` is a method of its stream; the stream's `send` is a method
    of the protocol; the protocol's `send` reaches the socket. A test checks that this still works.
    """
    stream: Any = send.__self__  # type: ignore[attr-defined]
    await stream.send.__self__.send(Closed())


async def _body(receive: Receive) -> bytes | None:
    """Return the whole request body, or None if the peer disconnects or sends more than `BODY_MAX`."""
    body = bytearray()
    while len(body) <= BODY_MAX:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)
    return None
