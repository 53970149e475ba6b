"""What a node needs of a shared database beside its store: a connection for heartbeats, and one that listens.

These statements are not units of work of the store. The store's transactions wait for locks on people, and
those that change everybody's rows wait for all others; a leader whose renewal waited behind a rollup would be
replaced. So each statement here is a transaction of its own, and each may be sent again if its answer is
lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from missedd.store.db.database import Row

MAX_NEWS_BYTES: Final = 7_999
"""What PostgreSQL takes as the payload of one NOTIFY."""


class Coordination(Protocol):
    """A connection for the cluster, opened when it is needed, and opened again after a failure."""

    async def fetch_all(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Run one statement, as a transaction of its own. Raises `NotDurable` if its answer did not come;
        then it may have been carried out or not."""
        ...

    async def send_news(self, text: str) -> None:
        """Send at most `MAX_NEWS_BYTES` to the listeners of all nodes, this one too. Raises `NotDurable`."""
        ...

    def listen(self) -> AbstractAsyncContextManager[NewsListener]:
        """Listen on a connection of its own, until the block ends. Raises `NotDurable` if there is none."""
        ...

    async def close(self) -> None: ...


class NewsListener(Protocol):
    """Receives the news that were sent since it began to listen."""

    async def receive(self) -> str:
        """The next news. Raises `NotDurable` when the connection is lost: some news may have been missed."""
        ...
