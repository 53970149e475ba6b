"""Nobody's request is lost as a connection ends: at a stop, and where a limit of time strikes.

A proxy keeps connections, and sends on one of them at any moment. What it sends on a connection that is
closed just then is lost, and who asked hears of a 502.
"""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.public.connection import HttpConnection
from missedd.web.public.limits import ListenerLimits
from missedd.web.public.responses import HttpReply
from tests.web.peers import GOOD, PATIENCE_S, Peer, RunningListener, running_listener

SOON = ListenerLimits(drain_first_byte_s=0.1, check_every_s=0.02)


async def kept(served: RunningListener) -> Peer:
    """A connection on which one request was answered, and that is kept."""
    peer = await served.connect()
    await peer.send(GOOD)
    assert "connection" not in (await peer.read_response()).headers
    return peer


def made_unheard(served: RunningListener) -> socket.socket:
    """A connection that the system has made and nobody has accepted: no task had a turn since."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(PATIENCE_S)
    peer.connect(served.address)
    return peer


def hears(peer: socket.socket) -> bytes:
    """All that comes until the connection ends. Blocks: for a thread. Raises OSError."""
    heard = b""
    while data := peer.recv(4096):
        heard += data
    return heard


@pytest.mark.parametrize("has_asked", [True, False])
async def test_a_request_on_its_way_at_a_stop_is_the_last_one(has_asked: bool) -> None:
    async with running_listener() as served:
        peer = await kept(served) if has_asked else await served.connect()
        async with peer.stream:
            await trio.testing.wait_all_tasks_blocked()
            served.stop.set()
            await trio.testing.wait_all_tasks_blocked()
            await peer.send(GOOD)
            heard = await peer.read_response()
            assert (heard.status, heard.headers["connection"]) == (200, "close")
            assert await peer.connection_ends()
    assert served.refused == []


@pytest.mark.parametrize("has_asked", [True, False])
async def test_a_silent_connection_does_not_hold_up_the_stop(
    has_asked: bool, autojump_clock: MockClock
) -> None:
    async with running_listener(limits=SOON) as served:
        peer = await kept(served) if has_asked else await served.connect()
        async with peer.stream:
            await trio.testing.wait_all_tasks_blocked()
            served.stop.set()
            with trio.fail_after(PATIENCE_S):
                await served.ended.wait()
            assert await peer.connection_ends()
    assert served.refused == []


async def test_a_stop_while_a_reply_goes_out_leaves_time_for_one_more() -> None:
    """The reply was written before the stop, so it does not say that it is the last."""

    async def large_at_first(path: str, request: WebhookRequest) -> HttpReply:
        return HttpReply(200, (), b"x" * (1_000_000 if len(served.seen) == 1 else 1))

    async with running_listener(large_at_first) as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD)
            await trio.testing.wait_all_tasks_blocked()
            served.stop.set()
            await trio.testing.wait_all_tasks_blocked()
            assert "connection" not in (await peer.read_response()).headers
            await peer.send(GOOD)
            heard = await peer.read_response()
            assert (heard.body, heard.headers["connection"]) == (b"x", "close")
            assert await peer.connection_ends()


async def test_connections_that_wait_to_be_accepted_at_a_stop_are_the_last() -> None:
    async with running_listener() as served:
        await trio.testing.wait_all_tasks_blocked()
        early = [made_unheard(served) for _ in range(50)]
        late = made_unheard(served)
        for peer in early:
            peer.sendall(GOOD)
        served.stop.set()
        for peer in early:
            heard = await trio.to_thread.run_sync(hears, peer)
            assert heard.startswith(b"HTTP/1.1 200 ")
            assert b"\r\nConnection: close\r\n" in heard
            peer.close()
        late.sendall(GOOD)
        assert (await trio.to_thread.run_sync(hears, late)).startswith(b"HTTP/1.1 200 ")
        late.close()


async def test_a_silent_connection_in_the_backlog_does_not_hold_up_the_stop() -> None:
    async with running_listener(limits=SOON) as served:
        await trio.testing.wait_all_tasks_blocked()
        silent = made_unheard(served)
        served.stop.set()
        with trio.fail_after(PATIENCE_S):
            await served.ended.wait()
        assert await trio.to_thread.run_sync(hears, silent) == b""
        silent.close()


LATE_S = 1_000.0
"""Beyond every limit, and one look after it."""


@asynccontextmanager
async def living() -> AsyncIterator[tuple[HttpConnection, socket.socket, trio.Event]]:
    """A connection whose limits are looked after by hand, its peer's end, and what says that it is over."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(PATIENCE_S)

    async def well(path: str, request: WebhookRequest) -> HttpReply:
        return HttpReply(200)

    stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
    over = trio.Event()
    limits = ListenerLimits(check_every_s=LATE_S, min_idle_before_evict_s=0)
    connection = HttpConnection(stream, well, limits, lambda status, why: None, trio.Event())

    async def live() -> None:
        async with stream:
            await connection.serve()
        over.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(live)
        await trio.testing.wait_all_tasks_blocked()
        with theirs:
            yield connection, theirs, over
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("gives_way", [True, False])
async def test_a_request_that_comes_as_a_limit_strikes_is_answered(gives_way: bool) -> None:
    async with living() as (connection, peer, over):
        for _ in range(3):
            peer.send(GOOD)
            if gives_way:
                assert not connection.evict_if_idle()
            else:
                connection.enforce_deadline(trio.current_time() + LATE_S)
            assert (await trio.to_thread.run_sync(peer.recv, 4096)).startswith(b"HTTP/1.1 200 ")
            await trio.testing.wait_all_tasks_blocked()
        connection.enforce_deadline(trio.current_time() + LATE_S)
        assert peer.recv(4096) == b""
        with trio.fail_after(PATIENCE_S):
            await over.wait()


async def test_a_peer_that_only_babbles_has_no_time_of_its_own() -> None:
    async with living() as (connection, peer, over):
        peer.send(b"\r\n")
        connection.enforce_deadline(trio.current_time() + LATE_S)
        await trio.testing.wait_all_tasks_blocked()
        peer.send(b"\r\n")
        connection.enforce_deadline(trio.current_time() + 4 * LATE_S)
        with trio.fail_after(PATIENCE_S):
            await over.wait()
