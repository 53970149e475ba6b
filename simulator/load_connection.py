"""One keep-alive connection of the load: a request out, its reply in, never two at a time.

The hot path is one task that reads. Sending is a plain call from whoever has a request: it fits
the socket's buffer, and a second task a connection would cost a third of the speed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from time import perf_counter
from typing import Final, NamedTuple

import trio

from simulator.load_reply import NotHttp, Reply, ReplyReader

IDLE_S: Final = 4.0
"""Unused for longer, a connection is opened anew. Servers close idle ones, some after five seconds,
and a request that crosses such a goodbye on its way would count as an error of theirs."""

_PIECE: Final = 64 * 1024


class Address(NamedTuple):
    """Where the load goes, resolved once."""

    family: int
    where: tuple[str, int]


class Lost(NamedTuple):
    """A request without a reply, and how that came about."""

    why: str


class Connection:
    """`run` is its task. After `send` it must not be given another request before it called `on_end`."""

    def __init__(self, address: Address, on_end: Callable[[Connection, Reply | Lost], None]) -> None:
        self._address = address
        self._on_end = on_end
        self._socket: socket.socket | None = None
        self._unsent = b""
        self._is_out = False
        self._is_wanted = trio.Event()
        self._silent_since_s = 0.0

    async def warm_up(self) -> None:
        """Be open before the first request. Raises OSError."""
        self._socket = await self._opened()
        self._silent_since_s = perf_counter()
        self._is_wanted.set()

    async def run(self) -> None:
        """Carry what `send` is given, for ever; opens when there is something to carry."""
        while True:
            await self._is_wanted.wait()
            self._is_wanted = trio.Event()
            try:
                opened = self._socket = self._socket or await self._opened()
            except OSError as error:
                self._end(Lost(f"connecting: {_words(error)}"))
                continue
            try:
                await self._converse(opened)
            except trio.ClosedResourceError:
                pass  # by ourselves, and whoever did it has told
            except (OSError, NotHttp) as error:
                self.give_up(f"receiving: {_words(error)}")
            finally:
                self.close()

    def send(self, request: bytes) -> None:
        self._unsent = request
        self._is_out = True
        if perf_counter() - self._silent_since_s > IDLE_S:
            self.close()
        if self._socket is None:
            self._is_wanted.set()
        else:
            self._write(self._socket)

    def give_up(self, why: str) -> None:
        """Wait no longer for the reply; what may still come of it dies with the socket."""
        self.close()
        self._end(Lost(why))

    def close(self) -> None:
        if self._socket is not None:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
            self._socket = None

    async def _opened(self) -> socket.socket:
        opened = socket.socket(self._address.family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await trio.socket.from_stdlib_socket(opened).connect(self._address.where)
        except BaseException:
            opened.close()
            raise
        return opened

    async def _converse(self, opened: socket.socket) -> None:
        """Until the peer closes, or says that it will."""
        descriptor, reader = opened.fileno(), ReplyReader()
        if self._unsent:
            self._write(opened)
        while True:
            await trio.lowlevel.wait_readable(descriptor)
            try:
                data = opened.recv(_PIECE)
            except BlockingIOError:
                continue
            if not data:
                break
            reply = reader.feed(data)
            if reply is None:
                continue
            if not reply.keep_alive:
                self.close()
                self._end(reply)
                return
            self._silent_since_s = perf_counter()
            self._end(reply)
        self.give_up("receiving: closed before the reply")

    def _write(self, opened: socket.socket) -> None:
        request, self._unsent = self._unsent, b""
        try:
            sent = opened.send(request)
        except OSError as error:
            self.give_up(f"sending: {_words(error)}")
            return
        if sent < len(request):
            # Nothing else is in the buffer, so this is never seen; half a request must be the last.
            self.give_up("sending: no room")

    def _end(self, result: Reply | Lost) -> None:
        if self._is_out:
            self._is_out = False
            self._on_end(self, result)


def _words(error: OSError | NotHttp) -> str:
    # By its number: the libraries' own words differ from call to call, and these are counted.
    return os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
