"""Requests that are malformed or too large: refused once, and the connection ends."""

from __future__ import annotations

import pytest

from tests.web.peers import GOOD, HOST, POST, post, running_listener

GET = b"GET / HTTP/1.1\r\n" + HOST


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
