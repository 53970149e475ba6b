"""The private site with its streams of events, and peers who watch one."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from missedd.core.pagination import BATCH_ROWS
from tests.web.conftest import Private
from tests.web.peers import GOOD, PATIENCE_S, Peer, running_private

WATCH = GOOD.replace(b"/good", b"/api/v1/polls/singer/events").replace(b"here", b"localhost")
CSV = WATCH.replace(b"/api/v1/polls/singer/events", b"/api/v1/leads?format=csv")


@dataclass
class StreamingSite:
    """The private site on a socket, with the tasks that serve it."""

    private: Private
    family: int
    address: str | tuple[str, int]
    stop: trio.Event
    nursery: trio.Nursery

    def tasks(self) -> int:
        """How many tasks there are, down to the last child."""
        return sum(1 for _ in _tasks(self.nursery))

    async def comes_to(self, tasks: int) -> None:
        """Return when there are so many tasks; fail if there never are."""
        with trio.fail_after(PATIENCE_S):
            while self.tasks() != tasks:
                await trio.sleep(0.005)

    async def watch(self, *, room: int | None = None, what: bytes = WATCH) -> Peer:
        """Somebody who watches, with `room` for so many bytes unread."""
        client = trio.socket.socket(self.family)
        if room is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        await client.connect(self.address)
        peer = Peer(trio.SocketStream(client))
        await peer.send(what)
        assert (await peer.read_response(without_body=True)).headers["transfer-encoding"] == "chunked"
        return peer

    def change(self, votes: int) -> None:
        self.private.db.votes("Asha", votes)
        self.private.news.publish("singer")


def _tasks(nursery: trio.Nursery) -> Iterator[trio.lowlevel.Task]:
    for task in nursery.child_tasks:
        yield task
        for inner in task.child_nurseries:
            yield from _tasks(inner)


async def until(peer: Peer, text: bytes) -> None:
    """Read up to and with a text."""
    searched = 0
    with trio.fail_after(PATIENCE_S):
        while peer.unread.find(text, searched) < 0:
            searched = max(0, len(peer.unread) - len(text))
            await peer.read_more()


def add_long_list(private: Private) -> int:
    """Add more leads than any connection's buffers have room for; returns how many."""
    call, count = private.db.call("abc"), 3 * BATCH_ROWS
    for n in range(count):
        private.db.lead(call, f"+9190{n:08}", source="x" * 8_000)
    return count


@asynccontextmanager
async def streaming(private: Private, bound: socket.socket) -> AsyncIterator[StreamingSite]:
    """The site on a bound socket, with one poll that may be watched."""
    private.db.poll()
    family, address, stop = bound.family, bound.getsockname(), trio.Event()
    async with running_private(private.app, stop, bound) as nursery:
        yield StreamingSite(private, family, address, stop, nursery)
        private.news.close()
