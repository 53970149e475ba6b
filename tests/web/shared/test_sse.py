"""Streams over real sockets: nothing is left of one whose peer has gone, and none holds up a stop."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import pytest
import trio

from missedd.core.pagination import BATCH_ROWS
from missedd.web.private import server
from missedd.web.private.server import serve_private
from missedd.web.shared import sse
from tests.web.conftest import Private
from tests.web.peers import GOOD, Peer

WATCH = GOOD.replace(b"/good", b"/api/v1/polls/singer/events").replace(b"here", b"localhost")
CSV = WATCH.replace(b"/api/v1/polls/singer/events", b"/api/v1/leads?format=csv")


LARGE = "x" * 3_000_000
"""An option that no connection's buffers have room for."""


@pytest.fixture(autouse=True)
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MIN_GAP_S", 0.01)


@dataclass
class Site:
    """The private site on a port, with the tasks that serve it."""

    private: Private
    port: int
    stop: trio.Event
    nursery: trio.Nursery

    def tasks(self) -> int:
        """How many tasks there are, down to the last child."""
        return sum(1 for _ in _tasks(self.nursery))

    async def comes_to(self, tasks: int) -> None:
        """Return when there are so many tasks; fail if there never are."""
        with trio.fail_after(5):
            while self.tasks() != tasks:
                await trio.sleep(0.005)

    async def watch(self, *, room: int | None = None, what: bytes = WATCH) -> Peer:
        """Somebody who watches, with `room` for so many bytes unread."""
        client = trio.socket.socket()
        if room is not None:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
        await client.connect(("127.0.0.1", self.port))
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


async def until(peer: Peer, text: bytes) -> bytes:
    """What is heard up to and with a text."""
    with trio.fail_after(5):
        while text not in peer._unread:
            await peer._more()
    return peer._unread


@asynccontextmanager
async def serving(private: Private) -> AsyncIterator[Site]:
    private.db.poll()
    bound = socket.create_server(("127.0.0.1", 0))
    port, stop = bound.getsockname()[1], trio.Event()
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(serve_private, private.app, bound, stop))
        yield Site(private, port, stop, nursery)
        private.news.close()
        stop.set()
        nursery.cancel_scope.deadline = trio.current_time() + 5
    assert not nursery.cancel_scope.cancelled_caught, "the server did not stop"


async def test_a_browser_is_shown_what_changes(private: Private) -> None:
    async with serving(private) as site:
        peer = await site.watch()
        async with peer.stream:
            await until(peer, b'"total":0')
            site.change(7)
            await until(peer, b'id: 7\ndata: {"poll":"singer","state":"open","total":7,')


async def test_of_a_peer_that_left_no_task_is_left(private: Private) -> None:
    async with serving(private) as site:
        before = site.tasks()
        peers = [await site.watch() for _ in range(5)]
        for peer in peers:
            await until(peer, b'"total":0')
        assert site.tasks() >= before + 5
        for peer in peers[:4]:
            await peer.stream.aclose()
        # One leaves by a reset, as who is killed with something unread.
        peers[4].stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        peers[4].stream.socket.close()
        await site.comes_to(before)


async def test_who_only_closes_one_side_has_left_too(private: Private) -> None:
    async with serving(private) as site:
        before = site.tasks()
        peer = await site.watch()
        async with peer.stream:
            await until(peer, b'"total":0')
            await peer.stream.send_eof()
            await site.comes_to(before)


async def test_a_stop_ends_streams_as_they_should_end(private: Private) -> None:
    async with serving(private) as site:
        peer = await site.watch()
        async with peer.stream:
            await until(peer, b'"total":0')
            began_at = trio.current_time()
            private.news.close()
            site.stop.set()
            await until(peer, b"\r\n0\r\n\r\n")
            peer._unread = b""
            assert await peer.connection_ends()
            assert trio.current_time() - began_at < 1


async def test_a_stream_outlives_what_a_silent_connection_may_last(
    private: Private, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    async with serving(private) as site:
        peer = await site.watch()
        async with peer.stream:
            await trio.sleep(0.3)
            site.change(1)
            await until(peer, b'"total":1')


async def test_who_does_not_read_holds_up_nobody_and_is_cut_off(
    private: Private, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UNREAD_MS", 300)
    private.db.votes(LARGE, 1)
    async with serving(private) as site:
        before = site.tasks()
        slow = await site.watch(room=4096)
        async with slow.stream:
            quick = await site.watch()
            async with quick.stream:
                for votes in range(1, 30):
                    site.change(votes)
                    await until(quick, b'"Asha","votes":%d}' % votes)
                    quick._unread = b""
            await site.comes_to(before)


async def test_who_does_not_read_does_not_hold_up_the_stop(
    private: Private, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UNREAD_MS", 300)
    monkeypatch.setattr(server, "GRACEFUL_S", 0.1)
    private.db.votes(LARGE, 1)
    async with serving(private) as site:
        slow = await site.watch(room=4096)
        site.change(1)
        await trio.sleep(0.1)
    # Left only when the server has ended, while the peer still holds its connection open.
    await slow.stream.aclose()


@pytest.fixture
def long_list(private: Private) -> int:
    """How many leads there are: more than any connection's buffers have room for."""
    call, count = private.db.call("abc"), 3 * BATCH_ROWS
    for n in range(count):
        private.db.lead(call, f"+9190{n:08}", source="x" * 8_000)
    return count


async def test_a_long_csv_comes_whole(private: Private, long_list: int) -> None:
    async with serving(private) as site:
        peer = await site.watch(what=CSV)
        async with peer.stream:
            heard = b""
            with trio.fail_after(10):
                while not heard.endswith(b"\r\n0\r\n\r\n"):
                    heard += peer._unread + await peer.stream.receive_some(1_000_000)
                    peer._unread = b""
            assert heard.count(b"+9190") == long_list


async def test_who_does_not_read_a_csv_is_cut_off_and_nothing_is_read_for_them(
    private: Private, long_list: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UNREAD_MS", 300)
    async with serving(private) as site:
        before = site.tasks()
        slow = await site.watch(room=4096, what=CSV)
        async with slow.stream:
            await site.comes_to(before)


async def test_a_csv_that_a_stop_cuts_off_does_not_look_whole(
    private: Private, long_list: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "GRACEFUL_S", 0.1)
    async with serving(private) as site:
        peer = await site.watch(room=4096, what=CSV)
        site.stop.set()
        await trio.sleep(0.3)
        async with peer.stream:
            heard = b""
            with trio.fail_after(10), suppress(trio.BrokenResourceError):
                while more := await peer.stream.receive_some(1_000_000):
                    heard += more
        assert b"\r\n0\r\n\r\n" not in heard
