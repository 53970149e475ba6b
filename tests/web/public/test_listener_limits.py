"""Slow, silent and too many peers of the public listener, and its drain."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.public.limits import ListenerLimits
from missedd.web.public.responses import HttpReply
from tests.web.peers import GOOD, running_listener


async def test_a_request_that_trickles_in_is_cut_off_however_steadily(autojump_clock: MockClock) -> None:
    async with running_listener(limits=ListenerLimits(receive_s=0.3, lingering_close_s=0.05)) as served:
        peer = await served.connect()
        async with peer.stream, trio.open_nursery() as nursery:

            async def trickle() -> None:
                for byte in GOOD * 10:
                    await peer.send(bytes([byte]))
                    await trio.sleep(0.02)

            nursery.start_soon(trickle)
            heard = await peer.read_response()
            assert heard.status == 408
            nursery.cancel_scope.cancel()
        assert await served.answers_ok()
    assert [each for each, _ in served.refused] == [408]


@pytest.mark.parametrize("first", [b"", GOOD])
async def test_a_silent_connection_ends_without_a_word(first: bytes, autojump_clock: MockClock) -> None:
    async with running_listener(limits=ListenerLimits(receive_s=0.3, idle_s=0.1)) as served:
        peer = await served.connect()
        async with peer.stream:
            if first:
                await peer.send(first)
                await peer.read_response()
            assert await peer.connection_ends()
    assert served.refused == []


async def test_empty_lines_do_not_keep_a_connection_open(autojump_clock: MockClock) -> None:
    async with running_listener(limits=ListenerLimits(receive_s=0.1)) as served:
        peer = await served.connect()
        async with peer.stream, trio.open_nursery() as nursery:

            async def babble() -> None:
                while True:
                    await peer.send(b"\r\n")
                    await trio.sleep(0.01)

            nursery.start_soon(babble)
            assert await peer.connection_ends()
            nursery.cancel_scope.cancel()


async def test_a_peer_that_does_not_read_is_cut_off(autojump_clock: MockClock) -> None:
    async def large(path: str, request: WebhookRequest) -> HttpReply:
        return HttpReply(200, (), b"x" * 1_000_000)

    async with running_listener(large, ListenerLimits(write_s=0.1)) as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD)
            await trio.sleep(0.3)
            with pytest.raises(EOFError):
                await peer.read_response()
    assert served.refused == []


async def test_over_the_bound_a_connection_is_turned_away(autojump_clock: MockClock) -> None:
    limits = ListenerLimits(max_connections=2, max_rejections=1, lingering_close_s=0.2)
    async with running_listener(limits=limits) as served:
        inside = [await served.connect() for _ in range(2)]
        for peer in inside:
            await peer.send(GOOD)
            assert (await peer.read_response()).status == 200
        outside = await served.connect()
        await outside.send(GOOD)
        heard = await outside.read_response()
        assert (heard.status, heard.headers["retry-after"]) == (503, "5")
        unheard = await served.connect()
        assert await unheard.connection_ends()
        await inside[0].stream.aclose()
        await outside.stream.aclose()
        await trio.sleep(0.05)
        assert await served.answers_ok()
        assert [each for each, _ in served.refused] == [503, 503]
        for peer in (inside[1], unheard):
            await peer.stream.aclose()


async def test_the_work_goes_on_when_its_peer_has_left(autojump_clock: MockClock) -> None:
    began, left, done = trio.Event(), trio.Event(), trio.Event()

    async def slow(path: str, request: WebhookRequest) -> HttpReply:
        began.set()
        await left.wait()
        await trio.sleep(0.3)
        done.set()
        return HttpReply(200, (), b"x" * 1000)

    async with running_listener(slow, ListenerLimits(receive_s=0.2, write_s=0.2, idle_s=0.2)) as served:
        peer = await served.connect()
        await peer.send(GOOD + b"GET / HT")
        await began.wait()
        await peer.stream.aclose()
        left.set()
        with trio.fail_after(2):
            await done.wait()
    assert len(served.seen) == 1


async def test_a_half_sent_request_is_counted_when_its_peer_leaves() -> None:
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD[:-4])
            await peer.stream.send_eof()
            assert (await peer.read_response()).status == 400
    assert [each for each, _ in served.refused] == [400]


async def test_the_drain_answers_what_is_under_way(autojump_clock: MockClock) -> None:
    go_on = trio.Event()

    async def slow(path: str, request: WebhookRequest) -> HttpReply:
        if path == "/slow":
            await go_on.wait()
        return HttpReply(200)

    async with running_listener(slow) as served:
        answering, receiving = [await served.connect() for _ in range(2)]
        await answering.send(GOOD.replace(b"good", b"slow"))
        await receiving.send(GOOD[:-4])
        await trio.sleep(0.05)
        served.stop.set()
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(OSError, match=r"."):
            await served.connect()
        await receiving.send(GOOD[-4:])
        heard = await receiving.read_response()
        assert (heard.status, heard.headers["connection"]) == (200, "close")
        assert not served.ended.is_set()
        go_on.set()
        heard = await answering.read_response()
        assert (heard.status, heard.headers["connection"]) == (200, "close")
        assert await answering.connection_ends()
        with trio.fail_after(1):
            await served.ended.wait()
        for peer in (answering, receiving):
            await peer.stream.aclose()


async def test_the_drain_has_a_bound(autojump_clock: MockClock) -> None:
    async def never(path: str, request: WebhookRequest) -> HttpReply:
        await trio.sleep_forever()
        raise AssertionError

    async with running_listener(never, ListenerLimits(drain_s=0.1)) as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD)
            await trio.sleep(0.05)
            served.stop.set()
            with trio.fail_after(1):
                await served.ended.wait()
            assert await peer.connection_ends()
