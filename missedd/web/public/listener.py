"""The public listener, which receives Exotel's requests: HTTP/1.1 on trio, for many small requests.

It accepts connections, limits them and drains them. The site is one async function that answers requests. TLS
ends at a proxy in front of the listener. Nothing here depends on calls, and no peer can stop the listener.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from functools import partial

import trio

from missedd.web.public.connection import HttpConnection, OnRejection, Respond, send_rejection
from missedd.web.public.http_parser import RequestError
from missedd.web.public.limits import ListenerLimits

__all__ = ["ListenerLimits", "OnRejection", "Respond", "open_listeners", "serve_public"]

NO_ROOM = RequestError(503, "too many connections")


def _ignore_rejection(status: int, why: str) -> None:
    """The default for `on_rejection`: do nothing."""


async def open_listeners(host: str, port: int, *, backlog: int = 1024) -> list[trio.SocketListener]:
    """Bind and listen; raises OSError. A host name with several addresses gives several listeners.

    With port 0 the system chooses a free port. Then there is exactly one listener, so that there is one port
    to report.
    """
    listeners = await trio.open_tcp_listeners(port, host=host, backlog=backlog)
    if port == 0:
        for spare in listeners[1:]:
            await spare.aclose()
        del listeners[1:]
    return listeners


class _ConnectionLimiter:
    """Counts the connections, rejects those above the limit, and drains all of them at the stop."""

    def __init__(
        self,
        limits: ListenerLimits,
        on_rejection: OnRejection,
        connect: Callable[[trio.SocketStream], HttpConnection],
    ):
        self._limits = limits
        self._on_rejection = on_rejection
        self._connect = connect
        self._connections: dict[HttpConnection, None] = {}  # the oldest first
        self._rejecting = 0

    async def admit(self, stream: trio.SocketStream) -> None:
        if len(self._connections) >= self._limits.max_connections and not self._evict_idle():
            await self._reject(stream)
            return
        connection = self._connect(stream)
        self._connections[connection] = None
        try:
            await connection.serve()
        finally:
            self._connections.pop(connection, None)

    def _evict_idle(self) -> bool:
        """Close one silent connection, so that it does not keep out a new one; False if none is silent."""
        for connection in self._connections:
            if connection.evict_if_idle():
                del self._connections[connection]
                return True
        return False

    async def _reject(self, stream: trio.SocketStream) -> None:
        if self._rejecting >= self._limits.max_rejections:
            self._on_rejection(NO_ROOM.status, NO_ROOM.why)
            return
        self._rejecting += 1
        try:
            await send_rejection(stream, NO_ROOM, self._limits, self._on_rejection)
        except trio.BrokenResourceError:
            pass
        finally:
            self._rejecting -= 1

    async def enforce_deadlines(self) -> None:
        """Enforce the time limits of all connections, for ever."""
        while True:
            await trio.sleep(self._limits.check_every_s)
            now_s = trio.current_time()
            for connection in self._connections:
                connection.enforce_deadline(now_s)

    def drain(self) -> None:
        for connection in self._connections:
            connection.drain()


async def serve_public(
    listeners: Sequence[trio.SocketListener],
    respond: Respond,
    *,
    limits: ListenerLimits | None = None,
    stop: trio.Event,
    on_rejection: OnRejection = _ignore_rejection,
    task_status: trio.TaskStatus[Sequence[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until `stop` is set, then drain and return; closes the listeners.

    `respond` gets the path (percent-encoded) and the request, and must not raise: an error ends the
    listener. Its reply is sent with `Content-Length`, and the last one of a connection with
    `Connection: close`. `on_rejection` is called once for each request that is rejected before it reaches
    `respond`, with the status and the reason; the reason never repeats what the peer sent.

    After `stop`, connections that the system has accepted already are the last ones. Requests that are being
    received or answered get their reply, and so does a request that is on its way on a silent connection.
    A silent connection ends after `limits.drain_first_byte_s`; all others are cut off after
    `limits.drain_s`.
    """
    limits = limits or ListenerLimits()
    door = _ConnectionLimiter(
        limits, on_rejection, partial(_new_connection, respond, limits, on_rejection, stop)
    )
    try:
        async with trio.open_nursery() as watching:
            watching.start_soon(door.enforce_deadlines, name="listener's patience")
            async with trio.open_nursery() as connections:
                async with trio.open_nursery() as accepting:
                    left_open = [_UnclosedListener(listener) for listener in listeners]
                    await accepting.start(
                        partial(trio.serve_listeners, door.admit, left_open, handler_nursery=connections)
                    )
                    task_status.started(listeners)
                    await stop.wait()
                    accepting.cancel_scope.cancel()
                for listener in listeners:
                    for stream in _accept_backlog(listener, limits.max_connections):
                        connections.start_soon(_serve_stream, door, stream)
                connections.cancel_scope.deadline = trio.current_time() + limits.drain_s
                door.drain()
            watching.cancel_scope.cancel()
    finally:
        for listener in listeners:
            listener.socket.close()


class _UnclosedListener(trio.abc.Listener[trio.SocketStream]):
    """A listener that `trio.serve_listeners` does not close, because closing resets waiting connections."""

    def __init__(self, listener: trio.SocketListener) -> None:
        self._listener = listener

    async def accept(self) -> trio.SocketStream:
        return await self._listener.accept()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


def _accept_backlog(listener: trio.SocketListener, limit: int) -> list[trio.SocketStream]:
    """Accept up to `limit` waiting connections and close the listener, without a checkpoint in between."""
    accepted: list[trio.SocketStream] = []
    # The same socket of the standard library, because trio's socket runs a checkpoint for each connection.
    with socket.socket(fileno=os.dup(listener.socket.fileno())) as listening:
        listening.setblocking(False)
        while len(accepted) < limit:
            try:
                connected, _ = listening.accept()
            except ConnectionAbortedError:
                continue
            except OSError:
                break  # no connection waits, or no more files may be open
            accepted.append(trio.SocketStream(trio.socket.from_stdlib_socket(connected)))
        listener.socket.close()
    return accepted


async def _serve_stream(door: _ConnectionLimiter, stream: trio.SocketStream) -> None:
    try:
        await door.admit(stream)
    finally:
        await trio.aclose_forcefully(stream)


def _new_connection(
    answer: Respond,
    limits: ListenerLimits,
    on_refusal: OnRejection,
    stop: trio.Event,
    stream: trio.SocketStream,
) -> HttpConnection:
    return HttpConnection(stream, answer, limits, on_refusal, stop)
