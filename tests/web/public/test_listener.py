"""What a peer of the public listener sees, over real sockets."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from missedd.exotel.webhook_request import WebhookRequest
from missedd.web.public.limits import ListenerLimits
from missedd.web.public.responses import HttpReply
from tests.web.peers import GOOD, running_listener

HOST = b"Host: here\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST


def post(body: bytes, *headers: bytes) -> bytes:
    return (
        b"POST /p?q=1 HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n" % len(body)
        + b"".join(each + b"\r\n" for each in headers) + b"\r\n" + body
    )  # fmt: skip


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


async def test_pipelined_requests_are_answered_in_order() -> None:
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


MALFORMED = {
    "not HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "no such method": (b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "two lengths": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na", 400),
    "one length twice": (
        POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na",
        400,
    ),
    "a list of lengths": (POST + b"Content-Length: 1, 1\r\n\r\na", 400),
    "a signed length": (POST + b"Content-Length: +1\r\n\r\na", 400),
    "length and chunks": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GOOD,
        400,
    ),
    "chunks and length": (
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + GOOD,
        400,
    ),
    "a space before the colon": (GET + b"Transfer-Encoding : chunked\r\n\r\n", 400),
    "an almost chunked body": (
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        501,
    ),
    "a gzipped body": (
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        501,
    ),
    "chunks in HTTP/1.0": (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "a bad chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    "a chunk that is too long": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
        400,
    ),
    "bare line feeds": (b"GET / HTTP/1.1\nHost: here\n\n", 400),
    "a folded header": (GET + b"X: a\r\n b\r\n\r\n", 400),
    "no host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + HOST + b"\r\n", 400),
    "HTTP/2 by prior knowledge": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/2.0": (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "HTTP/0.9": (b"GET /\r\n\r\n", 505),
    "an upgrade": (GET + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", 400),
    "a tunnel": (b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "another expectation": (GET + b"Expect: tea\r\n\r\n", 417),
    "a long target": (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "an endless target": (b"GET /" + b"a" * 9000, 414),
    "a long header": (GET + b"X: " + b"a" * 17000 + b"\r\n\r\n", 431),
    "an endless header": (GET + b"X: " + b"a" * 60000, 431),
    "long headers together": (
        GET + b"".join(b"X%d: %s\r\n" % (n, b"a" * 999) for n in range(20)) + b"\r\n",
        431,
    ),
    "many headers": (GET + b"X: a\r\n" * 70 + b"\r\n", 431),
    "many trailers": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: a\r\n" * 70 + b"\r\n",
        431,
    ),
    "a large body announced": (POST + b"Content-Length: 65537\r\n\r\n", 413),
    "a large body expected": (
        POST + b"Expect: 100-continue\r\nContent-Length: 65537\r\n\r\n",
        413,
    ),
    "a large body sent": (post(b"x" * 300_000), 413),
    "a large body in chunks": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n"
        + b"1000\r\n%s\r\n" % (b"x" * 4096) * 17,
        413,
    ),
    "padding without end": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 700_000,
        413,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_malformed_or_too_large_is_refused_once_and_the_connection_ends(name: str) -> None:
    data, status = MALFORMED[name]
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(data)
            heard = await peer.read_response()
            assert heard.status == status
            assert heard.headers["content-type"] == "application/problem+json"
            assert heard.headers["connection"] == "close"
            assert await peer.connection_ends()
        assert await served.answers_ok()
    assert [each for each, _ in served.refused] == [status]
    assert [path for path, _ in served.seen] == ["/good"]


async def test_what_was_whole_before_a_fault_is_still_answered() -> None:
    async with running_listener() as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD + post(b"abc") + b"nonsense\r\n\r\n" + GOOD)
            assert [(await peer.read_response()).status for _ in range(3)] == [200, 200, 400]
            assert await peer.connection_ends()
    assert len(served.seen) == 2


async def test_a_body_of_just_the_bound_is_taken() -> None:
    async with running_listener() as served:
        assert len((await served.request(post(b"x" * 65536))).body) == 65536
        big = b"10000\r\n%s\r\n0\r\n\r\n" % (b"x" * 65536)
        chunked = POST + b"Transfer-Encoding: chunked\r\n\r\n" + big
        assert len((await served.request(chunked)).body) == 65536


async def test_a_request_that_trickles_in_is_cut_off_however_steadily() -> None:
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
async def test_a_silent_connection_ends_without_a_word(first: bytes) -> None:
    async with running_listener(limits=ListenerLimits(receive_s=0.3, idle_s=0.1)) as served:
        peer = await served.connect()
        async with peer.stream:
            if first:
                await peer.send(first)
                await peer.read_response()
            assert await peer.connection_ends()
    assert served.refused == []


async def test_empty_lines_do_not_keep_a_connection_open() -> None:
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


async def test_a_peer_that_does_not_read_is_cut_off() -> None:
    async def large(path: str, request: WebhookRequest) -> HttpReply:
        return HttpReply(200, (), b"x" * 10_000_000)

    async with running_listener(large, ListenerLimits(write_s=0.1)) as served:
        peer = await served.connect()
        async with peer.stream:
            await peer.send(GOOD)
            await trio.sleep(0.3)
            with pytest.raises(EOFError):
                await peer.read_response()
    assert served.refused == []


async def test_over_the_bound_a_connection_is_turned_away() -> None:
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


async def test_the_work_goes_on_when_its_peer_has_left() -> None:
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


async def test_the_drain_answers_what_is_under_way() -> None:
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


async def test_the_drain_has_a_bound() -> None:
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
