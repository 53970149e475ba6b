"""Peers of the private site on TCP who reset their connection or stop reading: the kernel ends it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from quart import Response

from missedd.web.private import server
from missedd.web.private.app import PrivateSite
from missedd.web.shared import sse
from tests.web.conftest import Private, built_private
from tests.web.peers import GOOD, Peer, running_private
from tests.web.streams import CSV, StreamingSite, add_long_list, streaming, until

LARGE = "x" * 3_000_000
"""An option that no connection's buffers have room for."""


@pytest.fixture
def private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Private]:
    monkeypatch.setattr(sse, "MIN_GAP_S", 0.01)
    monkeypatch.setattr(server, "UNREAD_MS", 300)
    with built_private(tmp_path) as private:
        yield private


@asynccontextmanager
async def serving(private: Private) -> AsyncIterator[StreamingSite]:
    async with streaming(private, socket.create_server(("127.0.0.1", 0))) as site:
        yield site


async def test_a_peer_that_stops_reading_does_not_hold_up_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACEFUL_S", 0.1)
    monkeypatch.setattr(server, "UNREAD_MS", 200)
    app = PrivateSite(__name__, static_folder=None)

    @app.get("/large")
    async def large() -> Response:
        return Response(b"x" * 30_000_000)

    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    async with running_private(app, trio.Event(), bound):
        peer = Peer(await trio.open_tcp_stream("127.0.0.1", port))
        await peer.send(GOOD.replace(b"good", b"large"))
        await trio.sleep(0.1)
    # Left only when the server has ended, while the peer still holds its connection open.
    await peer.stream.aclose()


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


async def test_who_does_not_read_holds_up_nobody_and_is_cut_off(
    private: Private, monkeypatch: pytest.MonkeyPatch
) -> None:
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
                    quick.unread.clear()
            await site.comes_to(before)


async def test_who_does_not_read_does_not_hold_up_the_stop(
    private: Private, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "GRACEFUL_S", 0.1)
    private.db.votes(LARGE, 1)
    async with serving(private) as site:
        slow = await site.watch(room=4096)
        site.change(1)
        await trio.sleep(0.1)
    # Left only when the server has ended, while the peer still holds its connection open.
    await slow.stream.aclose()


async def test_who_does_not_read_a_csv_is_cut_off_and_nothing_is_read_for_them(
    private: Private, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_long_list(private)
    async with serving(private) as site:
        before = site.tasks()
        slow = await site.watch(room=4096, what=CSV)
        async with slow.stream:
            await site.comes_to(before)
