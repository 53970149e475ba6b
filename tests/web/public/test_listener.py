"""What a peer of the public listener gets: whole requests, pipelines, bodies, HEAD."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.public.responses import HttpReply
from tests.web.peers import GOOD, HOST, POST, post, running_listener


async def test_a_request_reaches_the_site_as_plain_values() -> None:
    async with running_listener() as served:
        heard = await served.request(post(b"a=b", b"X-One: 1", b"X-one: 2"))
    assert (heard.status, heard.body) == (200, b"a=b")
    assert "connection" not in heard.headers
    [(path, request)] = served.seen
    assert (path, request.method, request.query, request.body) == ("/p", "POST", b"q=1", b"a=b")
    assert request.headers["x-one"] == "1, 2"


async def test_the_absolute_form_and_escapes_of_a_target() -> None:
    async with running_listener() as served:
        await served.request(b"GET http://here:80/a%20b?c=%20 HTTP/1.1\r\n" + HOST + b"\r\n")
        await served.request(b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n")
    assert [(path, request.query) for path, request in served.seen] == [("/a%20b", b"c=%20"), ("*", b"")]


async def test_a_connection_serves_many_requests() -> None:
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            for n in range(5):
                await peer.send(post(b"%d" % n))
                assert (await peer.read_response()).body == b"%d" % n


async def test_pipelined_requests_are_answered_in_order(autojump_clock: MockClock) -> None:
    async def slow_first(path: str, request: WebhookRequest) -> HttpReply:
        await trio.sleep(0.02 if request.body == b"0" else 0)
        return HttpReply(200, (), request.body)

    async with running_listener(slow_first) as served:
        peer = await served.connect()
        async with peer.stream:
            wire = b"".join(post(b"%d" % n) for n in range(20))
            await peer.send(wire[:-7])
            assert [(await peer.read_response()).body for _ in range(19)] == [b"%d" % n for n in range(19)]
            await peer.send(wire[-7:])
            assert (await peer.read_response()).body == b"19"


async def test_requests_that_arrive_byte_by_byte() -> None:
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            for byte in post(b"abc"):
                await peer.send(bytes([byte]))
            assert (await peer.read_response()).body == b"abc"


async def test_head_is_answered_without_a_body() -> None:
    async def long(path: str, request: WebhookRequest) -> HttpReply:
        return HttpReply(200, (), b"x" * 10)

    async with running_listener(long) as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD.replace(b"GET", b"HEAD") + GOOD)
            heard = await peer.read_response(without_body=True)
            assert heard.headers["content-length"] == "10"
            assert (await peer.read_response()).body == b"x" * 10


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n" + GOOD,
    ],
)
async def test_a_last_request_is_followed_by_the_end_of_the_connection(request_bytes: bytes) -> None:
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(request_bytes)
            heard = await peer.read_response()
            assert heard.headers["connection"] == "close"
            assert await peer.connection_ends()
    assert len(served.seen) == 1


async def test_a_peer_that_has_said_all_it_will_say_is_still_answered() -> None:
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD)
            await peer.stream.send_eof()
            assert (await peer.read_response()).status == 200
            assert await peer.connection_ends()
    assert served.refused == []


async def test_chunked_bodies_are_put_together_and_their_trailers_forgotten() -> None:
    chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n"
    async with running_listener() as served:
        heard = await served.request(
            chunked + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Late: 1\r\nHost: there\r\n\r\n"
        )
    assert heard.body == b"abcde"
    assert "x-late" not in served.seen[0][1].headers
    assert served.seen[0][1].headers["host"] == "here"


async def test_a_peer_that_asks_before_it_sends_its_body_is_told_to_go_on() -> None:
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(post(b"abc", b"Expect: 100-continue")[:-3])
            assert (await peer.read_response()).status == 100
            await peer.send(b"abc" + post(b"def", b"Expect: 100-continue"))
            assert (await peer.read_response()).body == b"abc"
            assert (await peer.read_response()).body == b"def"
