"""A TCP proxy in front of PostgreSQL that loses what a test wants to be lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum

import trio

from missedd.config.store_location import PostgresqlLocation


class Fault(StrEnum):
    """What happens at the next COMMIT of a client, once."""

    LOSE_COMMIT = "the server does not get the COMMIT"
    LOSE_ANSWER = "the server commits, and its answer is lost"
    SILENCE = "the server commits, and the connection stays open without an answer"


class Proxy:
    """Forwards connections to the server, and counts them."""

    def __init__(self, server_port: int, listener: trio.SocketListener) -> None:
        self._server_port = server_port
        self._listener = listener
        self.next_fault: Fault | None = None
        self.connections = 0
        self.refuses = False
        """Whether new connections are closed at once."""

    def location_of(self, url: str) -> PostgresqlLocation:
        """The database of this URL, through the proxy."""
        own = self._listener.socket.getsockname()[1]
        return PostgresqlLocation(url.replace(f":{self._server_port}/", f":{own}/"))

    async def serve(self, client: trio.SocketStream) -> None:
        """Forward one connection until either side ends it, or a fault does."""
        self.connections += 1
        if self.refuses:
            await client.aclose()
            return
        server = await trio.open_tcp_stream("127.0.0.1", self._server_port)
        async with client, server, trio.open_nursery() as nursery:
            link = _Link(self, client, server, nursery.cancel_scope)
            nursery.start_soon(link.forward_answers)
            await link.forward_requests()


@dataclass(eq=False)
class _Link:
    proxy: Proxy
    client: trio.SocketStream
    server: trio.SocketStream
    scope: trio.CancelScope
    fault: Fault | None = None

    async def forward_requests(self) -> None:
        with suppress(trio.BrokenResourceError):
            async for data in self.client:
                # A simple query, as the driver sends it: Q, its length, the text, a zero.
                if b"COMMIT\0" in data:
                    self.fault, self.proxy.next_fault = self.proxy.next_fault, None
                    if self.fault is Fault.LOSE_COMMIT:
                        break
                await self.server.send_all(data)
        self.scope.cancel()

    async def forward_answers(self) -> None:
        with suppress(trio.BrokenResourceError):
            async for data in self.server:
                if self.fault is Fault.LOSE_ANSWER:
                    break
                if self.fault is None:
                    await self.client.send_all(data)
        self.scope.cancel()


@asynccontextmanager
async def proxy_to(server_port: int) -> AsyncIterator[Proxy]:
    """A proxy on a free port of this machine, as long as the block runs."""
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        proxy = Proxy(server_port, listener)
        nursery.start_soon(trio.serve_listeners, proxy.serve, [listener])
        yield proxy
        nursery.cancel_scope.cancel()
