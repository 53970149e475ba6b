"""News between simulated daemons: what LISTEN and NOTIFY do, in memory, and with connections that break."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import trio

from missedd.store.db.database import NotDurable

NOTICED_AFTER_S: Final = 4.0
"""How long a listener waits in silence before it asks whether its connection is still there."""

type WhyCut = Callable[[], str | None]
"""Why a daemon neither sends nor hears news at the moment; None if it does."""


class SimulatedNews:
    """Hands each news to all who listen and are not cut off. News to nobody are lost, as with NOTIFY."""

    def __init__(self) -> None:
        self._listeners: list[SimulatedListener] = []

    def send(self, text: str) -> None:
        for listener in self._listeners:
            listener.take(text)

    @contextmanager
    def listening(self, why_cut: WhyCut) -> Iterator[SimulatedListener]:
        """Receive what is sent from now on, until the block ends."""
        listener = SimulatedListener(why_cut)
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)


class SimulatedListener:
    """A `NewsListener`."""

    def __init__(self, why_cut: WhyCut) -> None:
        self._why_cut = why_cut
        self._sending, self._receiving = trio.open_memory_channel[str](float("inf"))

    def take(self, text: str) -> None:
        if self._why_cut() is None:
            self._sending.send_nowait(text)

    async def receive(self) -> str:
        """The next news. Raises `NotDurable` within four seconds after the connection broke."""
        while True:
            with trio.move_on_after(NOTICED_AFTER_S):
                return await self._receiving.receive()
            if (why := self._why_cut()) is not None:
                raise NotDurable(why)
