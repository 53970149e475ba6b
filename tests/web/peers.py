"""A peer of the listener with no HTTP library in between: it sends bytes and reads replies."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import trio

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.public.limits import ListenerLimits
from missedd.web.public.listener import open_listeners, serve_public
from missedd.web.public.responses import HttpReply

HOST = b"Host: here\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST

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
        self._unread = b""

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def read_response(self, *, without_body: bool = False) -> PeerResponse:
        """The next reply; raises EOFError if the connection ends before it is whole."""
        with trio.fail_after(5):
            while b"\r\n\r\n" not in self._unread:
                await self._more()
            head, _, self._unread = self._unread.partition(b"\r\n\r\n")
            first, *lines = head.decode().split("\r\n")
            headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
            size = 0 if without_body else int(headers.get("content-length", 0))
            while len(self._unread) < size:
                await self._more()
            body, self._unread = self._unread[:size], self._unread[size:]
            return PeerResponse(int(first.split()[1]), headers, body)

    async def connection_ends(self) -> bool:
        """Nothing more comes, and the connection ends."""
        with trio.fail_after(5):
            try:
                return self._unread == b"" and await self.stream.receive_some() == b""
            except trio.BrokenResourceError:
                return True

    async def _more(self) -> None:
        data = await self.stream.receive_some()
        if not data:
            raise EOFError
        self._unread += data


@dataclass
class RunningListener:
    """A listener under test, with what it refused and what reached the site."""

    port: int
    stop: trio.Event
    refused: list[tuple[int, str]] = field(default_factory=list)
    seen: list[tuple[str, WebhookRequest]] = field(default_factory=list)
    ended: trio.Event = field(default_factory=trio.Event)

    async def connect(self) -> Peer:
        return Peer(await trio.open_tcp_stream("127.0.0.1", self.port))

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
    """A listener on a free port of the loopback interface, stopped and drained at the end."""
    listeners = await open_listeners("127.0.0.1", 0)
    served = RunningListener(listeners[0].socket.getsockname()[1], trio.Event())

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

    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(serve))
        yield served
        served.stop.set()
        with trio.fail_after(5):
            await served.ended.wait()
