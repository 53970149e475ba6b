"""News between the nodes of a simulation: what LISTEN and NOTIFY do, in memory and in one loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from missedd.store.db.database import NotDurable


class NewsBus:
    """Hands each news to all who listen. News to nobody is lost, as with NOTIFY."""

    def __init__(self) -> None:
        self._channels: list[trio.MemorySendChannel[str]] = []
        self.sent = 0
        """How many news were sent."""

    def send(self, text: str) -> None:
        self.sent += 1
        for channel in self._channels:
            channel.send_nowait(text)

    def cut(self) -> None:
        """End all connections that listen."""
        for channel in self._channels:
            channel.close()
        self._channels.clear()

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[BusListener]:
        """Receive what is sent from now on, until the block ends."""
        sending, receiving = trio.open_memory_channel[str](float("inf"))  # a simulation sends little
        self._channels.append(sending)
        try:
            yield BusListener(receiving)
        finally:
            receiving.close()
            if sending in self._channels:
                self._channels.remove(sending)


class BusListener:
    """A `NewsListener` of the bus."""

    def __init__(self, channel: trio.MemoryReceiveChannel[str]) -> None:
        self._channel = channel

    async def receive(self) -> str:
        try:
            return await self._channel.receive()
        except trio.EndOfChannel:
            raise NotDurable("the connection that listened was cut") from None
