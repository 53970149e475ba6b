"""A peer of the listener with no HTTP library in between: it sends bytes and reads replies.

Peer and listener meet on a Unix socket. Its bytes are there as soon as they are sent, so that a test may have
virtual time, which runs on when everybody waits; on a network they could still be on their way then.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import trio
from quart_trio import QuartTrio

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.private.server import serve_private
from missedd.web.public.limits import ListenerLimits
from missedd.web.public.listener import serve_public
from missedd.web.public.responses import HttpReply
from missedd.web.public.unix_socket import listen_unix

HOST = b"Host: here\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST

PATIENCE_S = 30
"""For what comes at once. Far more than a busy machine needs."""

Answer = Callable[[str, WebhookRequest], Awaitable[HttpReply]]


def post(body: bytes, *headers: bytes) -> bytes:
    return (
        b"POST /p?q=1 HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n" % len(body)
        + b"".join(each + b"\r\n" for each in headers) + b"\r\n" + body
    )  # fmt: skip


@dataclass
class PeerResponse:
    """A reply as a peer reads it."""

    status: int
    headers: dict[str, str]
    body: bytes


class Peer:
    """One connection to the listener."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.unread = bytearray()

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def read_response(self, *, without_body: bool = False) -> PeerResponse:
        """The next reply; raises EOFError if the connection ends before it is whole."""
        with trio.fail_after(PATIENCE_S):
            while b"\r\n\r\n" not in self.unread:
                await self.read_more()
            head, _, self.unread = self.unread.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            size = 0 if without_body else int(headers.get("content-length", 0))
            while len(self.unread) < size:
                await self.read_more()
            body, self.unread = bytes(self.unread[:size]), self.unread[size:]
            return PeerResponse(int(first.split()[1]), headers, body)

    async def connection_ends(self) -> bool:
        """Nothing more comes, and the connection ends."""
        with trio.fail_after(PATIENCE_S):
            try:
                return not self.unread and await self.stream.receive_some() == b""
            except trio.BrokenResourceError:
                return True

    async def read_more(self) -> None:
        data = await self.stream.receive_some()
        if not data:
            raise EOFError
        self.unread += data


@dataclass
class RunningListener:
    """A listener under test, with what it refused and what reached the site."""

    address: str
    stop: trio.Event
    refused: list[tuple[int, str]] = field(default_factory=list)
    seen: list[tuple[str, WebhookRequest]] = field(default_factory=list)
    ended: trio.Event = field(default_factory=trio.Event)

    async def connect(self) -> Peer:
        return Peer(await trio.open_unix_socket(self.address))

    async def request(self, data: bytes) -> PeerResponse:
        peer = await self.connect()
        async with peer.stream:
            await peer.send(data)
            return await peer.read_response()

    async def answers_ok(self) -> bool:
        return (await self.request(GOOD)).status == 200


GOOD = b"GET /good HTTP/1.1\r\nHost: here\r\n\r\n"


@asynccontextmanager
async def running_listener(
    answer: Answer | None = None, limits: ListenerLimits | None = None
) -> AsyncIterator[RunningListener]:
    """A listener on a Unix socket, stopped and drained at the end."""
    folder = TemporaryDirectory()
    address = Path(folder.name) / "public.sock"
    listeners = listen_unix(address)
    served = RunningListener(str(address), trio.Event())

    async def echo(path: str, request: WebhookRequest) -> HttpReply:
        return HttpReply(200, (("X-Path", path),), request.body)

    async def noted(path: str, request: WebhookRequest) -> HttpReply:
        served.seen.append((path, request))
        return await (answer or echo)(path, request)

    async def serve() -> None:
        await serve_public(
            listeners,
            noted,
            limits=limits,
            stop=served.stop,
            on_rejection=lambda status, why: served.refused.append((status, why)),
        )
        served.ended.set()

    with folder:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            yield served
            served.stop.set()
            with trio.fail_after(PATIENCE_S):
                await served.ended.wait()


@contextmanager
def bound_unix_socket() -> Iterator[socket.socket]:
    """A socket for a server, bound to a file that is gone afterwards."""
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"{folder}/private.sock")
        yield bound


@asynccontextmanager
async def running_private(
    app: QuartTrio, stop: trio.Event, bound: socket.socket
) -> AsyncIterator[trio.Nursery]:
    """The private site on a bound socket, stopped at the end; yields the nursery of what serves it."""
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_private, app, bound, stop)
        yield nursery
        stop.set()
        nursery.cancel_scope.deadline = trio.current_time() + PATIENCE_S
    assert not nursery.cancel_scope.cancelled_caught, "the server did not stop"
