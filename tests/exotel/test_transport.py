"""The HTTP exchange: every failure of the network becomes a result, and blocks no slot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import httpx
import pytest
import trio

from missedd.core.reasons import Reason
from missedd.exotel.client import (
    ExotelAccount,
    ExotelClient,
    OutgoingCall,
    OutgoingSms,
    Unavailable,
    new_exotel_client,
)
from missedd.exotel.request_result import Refused, Unknown
from missedd.exotel.transport import MAX_RESPONSE_BYTES, REQUEST_TIMEOUT_S

ACCOUNT = ExotelAccount("example1", "https://api.in.exotel.example", "k3y", "t0ken", max_in_flight=3)
CALLBACK = OutgoingCall("+919876543210", "+918047120001", flow="12345")
SMS = OutgoingSms("EXAMPL", "+919876543210", "Thank you for calling.")
SID = "c5797dcbaaeed7678c4062a4a3ed2f8a"


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def client(
    answering: Callable[[httpx.Request], httpx.Response], account: ExotelAccount = ACCOUNT
) -> ExotelClient:
    return ExotelClient(new_exotel_client(httpx.MockTransport(answering)), account, FixedClock())


def made() -> httpx.Response:
    return httpx.Response(200, json={"Call": {"Sid": SID}})


FAILURES = [
    (httpx.ConnectError("no route"), Refused, "connect-error", Reason.CONNECTION_FAILED),
    (httpx.ConnectTimeout("slow"), Refused, "connect-timeout", Reason.CONNECTION_FAILED),
    (httpx.PoolTimeout("full"), Refused, "pool-timeout", Reason.CONNECTION_FAILED),
    (httpx.UnsupportedProtocol("gopher"), Refused, "unsupported-protocol", Reason.CONNECTION_FAILED),
    (httpx.ReadTimeout("slow"), Unknown, "read-timeout", Reason.REPLY_LOST),
    (httpx.WriteTimeout("slow"), Unknown, "write-timeout", Reason.REPLY_LOST),
    (httpx.ReadError("reset"), Unknown, "read-error", Reason.REPLY_LOST),
    (httpx.WriteError("reset"), Unknown, "write-error", Reason.REPLY_LOST),
    (httpx.CloseError("reset"), Unknown, "close-error", Reason.REPLY_LOST),
    (httpx.RemoteProtocolError("eof"), Unknown, "remote-protocol-error", Reason.REPLY_LOST),
    (httpx.LocalProtocolError("bad"), Unknown, "local-protocol-error", Reason.REPLY_LOST),
    (httpx.ProxyError("bad"), Unknown, "proxy-error", Reason.REPLY_LOST),
    (httpx.DecodingError("gzip"), Unknown, "decoding-error", Reason.REPLY_LOST),
]


@pytest.mark.parametrize(("failure", "kind", "code", "reason"), FAILURES, ids=lambda each: str(each)[:24])
async def test_what_happens_on_the_way(
    failure: httpx.RequestError, kind: type[Refused | Unknown], code: str, reason: Reason
) -> None:
    def failing(request: httpx.Request) -> httpx.Response:
        raise failure

    for answer in (await client(failing).place_call(CALLBACK), await client(failing).send_sms(SMS)):
        assert isinstance(answer, kind)
        assert (answer.code, answer.reason) == (code, reason)
        if isinstance(answer, Refused):
            assert answer.retryable
    found = await client(failing).call_details(SID)
    assert isinstance(found, Unavailable)
    assert (found.code, found.reason) == (code, reason)


async def test_a_base_that_is_no_url_is_no_connection() -> None:
    broken = ExotelAccount("example1", "https://exotel.example:no-port", "k3y", "t0ken")
    answer = await client(lambda _: made(), broken).place_call(CALLBACK)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.CONNECTION_FAILED


class Drip(httpx.AsyncByteStream):
    """A body in chunks, one every `pause_s` seconds, until the client stops reading."""

    def __init__(self, chunk: bytes, pause_s: float) -> None:
        self._chunk, self._pause_s = chunk, pause_s
        self.sent = 0
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await trio.sleep(self._pause_s)
            self.sent += len(self._chunk)
            yield self._chunk

    async def aclose(self) -> None:
        self.is_closed = True


async def test_an_endless_body_is_cut_off() -> None:
    drip = Drip(b" " * 65_536, 0)
    answer = await client(lambda _: httpx.Response(200, stream=drip)).place_call(CALLBACK)
    assert isinstance(answer, Unknown)
    assert drip.sent <= MAX_RESPONSE_BYTES + 65_536
    assert drip.is_closed


async def test_a_dripping_answer_is_given_up(autojump_clock: trio.testing.MockClock) -> None:
    drip = Drip(b" ", 10.0)
    answer = await client(lambda _: httpx.Response(200, stream=drip)).place_call(CALLBACK)
    assert isinstance(answer, Unknown)
    assert answer.code == "timeout"
    assert trio.current_time() == pytest.approx(REQUEST_TIMEOUT_S)
    assert drip.is_closed


class Slow(httpx.AsyncBaseTransport):
    """Counts how many requests are in flight at once."""

    def __init__(self) -> None:
        self.inside = self.most_inside = self.served = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await trio.sleep(1)
        finally:
            self.inside -= 1
        self.served += 1
        return made()


async def test_requests_wait_for_a_slot_and_cancelled_ones_keep_none(
    autojump_clock: trio.testing.MockClock,
) -> None:
    slow = Slow()
    exotel = ExotelClient(new_exotel_client(slow), ACCOUNT, FixedClock())

    async def impatient() -> None:
        with trio.move_on_after(0.5):
            await exotel.place_call(CALLBACK)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(impatient)
    async with trio.open_nursery() as nursery:
        for _ in range(9):
            nursery.start_soon(exotel.place_call, CALLBACK)
    assert (slow.most_inside, slow.served, slow.inside) == (3, 9, 0)


def test_the_http_client_keeps_to_itself() -> None:
    http = new_exotel_client(httpx.MockTransport(lambda _: made()))
    assert not http.follow_redirects
    assert not http.trust_env
    assert (http.timeout.connect, http.timeout.read) == (5.0, 25.0)
