"""Serving the private site: Hypercorn on trio, with the bounds that it does not set by itself."""

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
"""From the word to stop until requests in flight are cut off. Console and API answer in far less."""
IDLE_S = 30.0
UNREAD_MS = 5_000
"""How long a peer may leave a reply unread. Hypercorn sends where nothing can be cancelled, so a
peer that stops reading would hold up the stop for ever; the kernel ends such a connection for us."""


async def serve_private(
    app: QuartTrio,
    listening: socket.socket,
    stop: trio.Event,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve on a bound socket until `stop` is set, then drain and return.

    Takes the socket over and closes it: read its address before. Reports started when connections
    are taken.
    """
    with suppress(OSError, AttributeError):  # not every system has it
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    listening.listen(BACKLOG)
    config = Config()
    config.bind = [f"fd://{listening.detach()}"]
    config.accesslog = None
    # Hypercorn's own words are of its doings; what goes wrong in the site is told by the site.
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.graceful_timeout = GRACEFUL_S
    config.keep_alive_timeout = IDLE_S
    # The head of a request is bounded by IDLE_S, its body by the site, an unread reply by UNREAD_MS. A
    # bound on a peer's silence would end streams of events, whose readers never say a word.
    config.read_timeout = None
    async with trio.open_nursery() as nursery:
        await nursery.start(_serve, app, config, stop)
        task_status.started()


async def _serve(
    app: QuartTrio, config: Config, stop: trio.Event, task_status: trio.TaskStatus[list[str]]
) -> None:
    # By its trigger only: cancelled from outside, Hypercorn would not drain.
    await serve(_silence_after_disconnect(app), config, shutdown_trigger=stop.wait, task_status=task_status)


def _silence_after_disconnect(app: QuartTrio) -> ASGIFramework:
    """The application, which says nothing more to a peer that has left.

    Hypercorn would take the end of a reply as a reason to keep the connection, and its task, for the
    next request.
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
