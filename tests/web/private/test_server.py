"""What a peer of the private site gets: kept and idle connections, slow requests, the stop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from quart import request
from quart_trio import QuartTrio
from trio.testing import MockClock

from missedd.web.private import server
from missedd.web.private.app import PrivateSite
from tests.web.peers import GOOD, Peer, bound_unix_socket, running_private

type Serve = Callable[[], Awaitable[Peer]]


class Site:
    """A site with a slow path; it tells what became of its work."""

    def __init__(self) -> None:
        self.began = trio.Event()
        self.go_on = trio.Event()
        self.done = trio.Event()
        self.app: QuartTrio = PrivateSite(__name__, static_folder=None)

        @self.app.get("/good")
        async def good() -> str:
            return "good"

        @self.app.get("/slow")
        async def slow() -> str:
            self.began.set()
            await self.go_on.wait()
            await trio.sleep(0.02)
            self.done.set()
            return "slow"

        @self.app.post("/body")
        async def body() -> str:
            return str(len(await request.get_data()))


SLOW = GOOD.replace(b"good", b"slow")
BODY = b"POST /body HTTP/1.1\r\nHost: here\r\nContent-Length: 3\r\n\r\nabc"
CLOSE = GOOD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


@asynccontextmanager
async def serving(site: Site, stop: trio.Event) -> AsyncIterator[Serve]:
    with bound_unix_socket() as bound:
        address = bound.getsockname()

        async def connect() -> Peer:
            return Peer(await trio.open_unix_socket(address))

        async with running_private(site.app, stop, bound):
            yield connect


async def test_a_connection_is_kept_and_then_closed_as_asked(autojump_clock: MockClock) -> None:
    async with serving(Site(), trio.Event()) as connect:
        peer = await connect()
        async with peer.stream:
            for _ in range(3):
                await peer.send(GOOD)
                heard = await peer.read_response()
                assert (heard.status, heard.body) == (200, b"good")
                assert "server" not in heard.headers
            await peer.send(CLOSE)
            assert (await peer.read_response()).status == 200
            assert await peer.connection_ends()


async def test_an_idle_connection_is_closed(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    async with serving(Site(), trio.Event()) as connect:
        peer = await connect()
        async with peer.stream:
            await peer.send(GOOD)
            await peer.read_response()
            assert await peer.connection_ends()


async def test_the_work_goes_on_when_its_peer_has_left(autojump_clock: MockClock) -> None:
    site = Site()
    async with serving(site, trio.Event()) as connect:
        peer = await connect()
        await peer.send(SLOW)
        await site.began.wait()
        await peer.stream.aclose()
        await trio.sleep(0.05)
        site.go_on.set()
        with trio.fail_after(1):
            await site.done.wait()


async def test_a_stop_lets_requests_finish_and_ends_idle_connections_at_once(
    autojump_clock: MockClock,
) -> None:
    site, stop = Site(), trio.Event()
    async with serving(site, stop) as connect:
        idle, busy = await connect(), await connect()
        await idle.send(GOOD)
        await idle.read_response()
        await busy.send(SLOW)
        await site.began.wait()
        stop.set()
        with trio.fail_after(1):
            assert await idle.connection_ends()
        site.go_on.set()
        assert (await busy.read_response()).body == b"slow"
        assert await busy.connection_ends()
        with pytest.raises(OSError, match=r"."):
            await connect()
        for peer in (idle, busy):
            await peer.stream.aclose()


async def test_a_request_without_end_does_not_hold_up_the_stop(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(server, "GRACEFUL_S", 0.1)
    site, stop = Site(), trio.Event()
    async with serving(site, stop) as connect:
        peer = await connect()
        async with peer.stream:
            await peer.send(SLOW)
            await site.began.wait()
            began_at = trio.current_time()
            stop.set()
            assert await peer.connection_ends()
            assert trio.current_time() - began_at < 2


@pytest.mark.parametrize("half", [GOOD[:-4], BODY[:-1]])
async def test_a_request_that_does_not_end_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, half: bytes, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    site = Site()
    site.app.config["BODY_TIMEOUT"] = 0.1
    async with serving(site, trio.Event()) as connect:
        peer = await connect()
        async with peer.stream:
            await peer.send(half)
            if half.startswith(b"POST"):
                assert (await peer.read_response()).status == 408
            assert await peer.connection_ends()
