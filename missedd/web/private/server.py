"""Serving the private site: Hypercorn on trio, with limits that Hypercorn does not set itself."""

from __future__ import annotations

import logging
import socket
from contextlib import suppress

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from hypercorn.typing import (
    ASGIFramework,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    Scope,
)
from quart_trio import QuartTrio

BACKLOG = 128
GRACEFUL_S = 3.0
"""From the stop until requests in progress are cut off. Console and API answer much faster."""
IDLE_S = 30.0
UNREAD_MS = 5_000
"""How long a peer may leave a reply unread. Hypercorn sends in a way that cannot be cancelled, so a peer that
stops reading could delay the stop for ever. The kernel ends such a connection for us."""


async def serve_private(
    app: QuartTrio,
    listening: socket.socket,
    stop: trio.Event,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve on a bound socket until `stop` is set, then drain and return.

    It takes over the socket and closes it, so read the socket's address before. It reports "started" when
    connections are accepted.
    """
    with suppress(OSError, AttributeError):  # not every system has it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    listening.listen(BACKLOG)
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.accesslog = None
    # Hypercorn logs only its own errors; the site reports the errors of the site.
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.graceful_timeout = GRACEFUL_S
    config.keep_alive_timeout = IDLE_S
    # The head of a request is limited by IDLE_S, its body by the site, an unread reply by UNREAD_MS. A
    # read timeout would end the streams of events, because their clients send nothing.
    config.read_timeout = None
    async with trio.open_nursery() as nursery:
        await nursery.start(_serve, app, config, stop)
        task_status.started()


async def _serve(
    app: QuartTrio, config: Config, stop: trio.Event, task_status: trio.TaskStatus[list[str]]
) -> None:
    # Stop only by the trigger: if Hypercorn is cancelled, it does not drain.
    await serve(_silence_after_disconnect(app), config, shutdown_trigger=stop.wait, task_status=task_status)


def _silence_after_disconnect(app: QuartTrio) -> ASGIFramework:
    """Wrap the application so that it sends nothing to a client that has disconnected.

    After the end of a reply Hypercorn would keep the connection and its task for another request.
    """

    async def answer(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        has_left = False

        async def hear() -> ASGIReceiveEvent:
            nonlocal has_left
            message = await receive()
            has_left = has_left or message["type"] == "http.disconnect"
            return message

        async def say(message: ASGISendEvent) -> None:
            if not has_left:
                await send(message)

        await app(scope, hear, say)

    return answer
