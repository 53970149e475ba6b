"""Whatever bytes come in, the listener lives, refuses in HTTP, and answers the next peer."""

from __future__ import annotations

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from missedd.web.public.http_parser import RequestParser
from missedd.web.public.limits import ListenerLimits
from tests.web.peers import GOOD, running_listener

TINY = ListenerLimits(lingering_close_s=0.05, body_bytes=200, header_bytes=300)

LINES = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n",
        b"POST /exotel/x HTTP/1.1\r\n",
        b"HEAD * HTTP/1.0\r\n",
        b"Host: here\r\n",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Connection: keep-alive, upgrade\r\n",
        b"Upgrade: websocket\r\n",
        b"Expect: 100-continue\r\n",
        b"\r\n",
        b"\n",
        b"3\r\nabc\r\n",
        b"0\r\n\r\n",
        b"abc",
        GOOD,
    ]
)
WIRE = st.lists(st.one_of(LINES, LINES, LINES, st.binary(max_size=40)), max_size=12)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WIRE)
def test_the_listener_outlives_any_bytes(pieces: list[bytes]) -> None:
    async def main() -> None:
        async with running_listener(limits=TINY) as served:
            peer = await served.connect()
            async with peer.stream:
                heard = b""
                try:
                    for piece in pieces:
                        await peer.send(piece)
                    await peer.stream.send_eof()
                    with trio.fail_after(3):
                        async for data in peer.stream:
                            heard += data
                except trio.BrokenResourceError:
                    pass
                assert heard == b"" or heard.startswith(b"HTTP/1.1 ")
            assert await served.answers_ok()

    trio.run(main, clock=MockClock(autojump_threshold=0))


@settings(max_examples=400, deadline=None)
@given(WIRE, st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_requests_do_not_depend_on_how_their_bytes_are_cut(pieces: list[bytes], cuts: list[int]) -> None:
    data = b"".join(pieces)
    whole = RequestParser(TINY)
    whole.feed(data)
    cut = RequestParser(TINY)
    at = 0
    while at < len(data):
        size = cuts[at % len(cuts)]
        cut.feed(data[at : at + size])
        at += size
    assert cut.requests == whole.requests
    assert (cut.error is None) == (whole.error is None)
    if whole.error is None:
        assert cut.is_receiving == whole.is_receiving
