"""Streams of events and CSV: what a watcher is shown, and that every stream ends in time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
from trio.testing import MockClock

from missedd.web.private import server
from tests.web.conftest import Private
from tests.web.peers import PATIENCE_S, bound_unix_socket
from tests.web.streams import CSV, StreamingSite, add_long_list, streaming, until


@asynccontextmanager
async def serving(private: Private) -> AsyncIterator[StreamingSite]:
    with bound_unix_socket() as bound:
        async with streaming(private, bound) as site:
            yield site


async def test_a_browser_is_shown_what_changes(private: Private, autojump_clock: MockClock) -> None:
    async with serving(private) as site:
        peer = await site.watch()
        async with peer.stream:
            await until(peer, b'"total":0')
            site.change(7)
            await until(peer, b'id: 7\ndata: {"poll":"singer","state":"open","total":7,')


async def test_who_only_closes_one_side_has_left_too(private: Private, autojump_clock: MockClock) -> None:
    async with serving(private) as site:
        before = site.tasks()
        peer = await site.watch()
        async with peer.stream:
            await until(peer, b'"total":0')
            await peer.stream.send_eof()
            await site.comes_to(before)


async def test_a_stop_ends_streams_as_they_should_end(private: Private, autojump_clock: MockClock) -> None:
    async with serving(private) as site:
        peer = await site.watch()
        async with peer.stream:
            await until(peer, b'"total":0')
            began_at = trio.current_time()
            private.news.close()
            site.stop.set()
            await until(peer, b"\r\n0\r\n\r\n")
            peer.unread.clear()
            assert await peer.connection_ends()
            assert trio.current_time() - began_at < 1


async def test_a_stream_outlives_what_a_silent_connection_may_last(
    private: Private, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(server, "IDLE_S", 0.1)
    async with serving(private) as site:
        peer = await site.watch()
        async with peer.stream:
            await trio.sleep(0.3)
            site.change(1)
            await until(peer, b'"total":1')


@pytest.fixture
def long_list(private: Private) -> int:
    return add_long_list(private)


async def test_a_long_csv_comes_whole(private: Private, long_list: int, autojump_clock: MockClock) -> None:
    async with serving(private) as site:
        peer = await site.watch(what=CSV)
        async with peer.stream:
            heard = b""
            with trio.fail_after(PATIENCE_S):
                while not heard.endswith(b"\r\n0\r\n\r\n"):
                    heard += peer.unread + await peer.stream.receive_some(1_000_000)
                    peer.unread.clear()
            assert heard.count(b"+9190") == long_list


async def test_a_csv_that_a_stop_cuts_off_does_not_look_whole(
    private: Private, long_list: int, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr(server, "GRACEFUL_S", 0.1)
    async with serving(private) as site:
        peer = await site.watch(room=4096, what=CSV)
        site.stop.set()
        await trio.sleep(0.3)
        async with peer.stream:
            heard = b""
            with trio.fail_after(PATIENCE_S), suppress(trio.BrokenResourceError):
                while more := await peer.stream.receive_some(1_000_000):
                    heard += more
        assert b"\r\n0\r\n\r\n" not in heard
