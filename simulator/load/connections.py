"""The keep-alive connections of a load: each has at most one request in flight.

The hot path has no task of its own. The caller sends a request by a plain call, as it fits the socket's
buffer. One task reads for all connections, and wakes once for all that have data. One task per connection
would halve the speed.
"""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable
from time import perf_counter
from typing import Final, NamedTuple

import trio

from simulator.load.reply_parser import InvalidReply, LoadReply, ReplyParser

REOPEN_AFTER_IDLE_S: Final = 4.0
"""A connection that was idle for longer is opened anew. Servers close idle connections, some after five
seconds, and a request sent at that moment would count as the server's error."""

MAX_IN_A_ROW: Final = 32
"""Requests sent, or replies read, in a row before other tasks get a turn."""

_READ_SIZE: Final = 64 * 1024


class TargetAddress(NamedTuple):
    """The target of the load, resolved once."""

    family: int
    socket_address: tuple[str, int]


class NoReply(NamedTuple):
    """A request without a reply, and the reason."""

    reason: str


class ReadLoop:
    """Holds the registered connections to one address; `run` reads for all of them."""

    def __init__(self, address: TargetAddress, nursery: trio.Nursery) -> None:
        self.address = address
        self.nursery = nursery
        self._selector = selectors.DefaultSelector()

    async def run(self) -> None:
        descriptor = self._selector.fileno()
        while True:
            await trio.lowlevel.wait_readable(descriptor)
            for n, (key, _) in enumerate(self._selector.select(0), 1):
                key.data()
                if n % MAX_IN_A_ROW == 0:
                    await trio.lowlevel.checkpoint()

    def register(self, opened: socket.socket, on_readable: Callable[[], None]) -> None:
        self._selector.register(opened, selectors.EVENT_READ, on_readable)

    def unregister(self, opened: socket.socket) -> None:
        self._selector.unregister(opened)

    def close(self) -> None:
        """Close the loop after all connections are unregistered."""
        self._selector.close()


class LoadConnection:
    """One connection. After `send`, wait for the call of `on_end` before the next request."""

    def __init__(
        self, read_loop: ReadLoop, on_end: Callable[[LoadConnection, LoadReply | NoReply], None]
    ) -> None:
        self._read_loop = read_loop
        self._on_end = on_end
        self._socket: socket.socket | None = None
        self._reader = ReplyParser()
        self._unsent = b""
        self._awaits_reply = False
        self._is_opening = False
        self._last_used_s = 0.0

    def send(self, request: bytes) -> None:
        self._unsent = request
        self._awaits_reply = True
        if perf_counter() - self._last_used_s > REOPEN_AFTER_IDLE_S:
            self.close()
        if self._socket is not None:
            self._write(self._socket)
        elif not self._is_opening:
            self._is_opening = True
            self._read_loop.nursery.start_soon(self._reopen)

    async def open(self) -> None:
        """Connect and register with the read loop. Raises OSError."""
        opened = socket.socket(self._read_loop.address.family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await trio.socket.from_stdlib_socket(opened).connect(self._read_loop.address.socket_address)
        except BaseException:
            opened.close()
            raise
        self._socket, self._reader = opened, ReplyParser()
        self._last_used_s = perf_counter()
        self._read_loop.register(opened, self._on_readable)

    def abandon(self, reason: str) -> None:
        """Stop waiting for the reply and close the socket, so that a late reply is lost."""
        self.close()
        self._end(NoReply(reason))

    def close(self) -> None:
        if self._socket is not None:
            self._read_loop.unregister(self._socket)
            self._socket.close()
            self._socket = None

    async def _reopen(self) -> None:
        try:
            await self.open()
        except OSError as error:
            self._is_opening = False
            self._end(NoReply(f"connecting: {_error_text(error)}"))
            return
        self._is_opening = False
        if self._unsent and self._socket is not None:
            self._write(self._socket)

    def _write(self, opened: socket.socket) -> None:
        request, self._unsent = self._unsent, b""
        try:
            sent = opened.send(request)
        except OSError as error:
            self.abandon(f"sending: {_error_text(error)}")
            return
        if sent < len(request):
            # The buffer is empty, so this should not happen; after half a request nothing may follow.
            self.abandon("sending: no room")

    def _on_readable(self) -> None:
        """Read the data that has arrived."""
        if self._socket is None:
            return  # closed meanwhile
        try:
            data = self._socket.recv(_READ_SIZE)
            reply = self._reader.feed(data) if data else None
        except BlockingIOError:
            return
        except (OSError, InvalidReply) as error:
            self.abandon(f"receiving: {_error_text(error)}")
            return
        if not data:
            self.abandon("receiving: closed before the reply")
        elif reply is not None:
            self._last_used_s = perf_counter()
            if not reply.keep_alive:
                self.close()
            self._end(reply)

    def _end(self, result: LoadReply | NoReply) -> None:
        if self._awaits_reply:
            self._awaits_reply = False
            self._on_end(self, result)


def _error_text(error: OSError | InvalidReply) -> str:
    # Use the text of the error number: library texts differ between calls, and equal errors are counted.
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
