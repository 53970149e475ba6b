"""Why a connection was not made, as the libraries' own exceptions tell it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from functools import partial

import httpx
import pytest
import trio

from missedd.exotel.client import new_http
from missedd.exotel.unconnected import why_unconnected
from simulator.faults import FaultName
from simulator.memory import CAUSES


def closed_port() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"https://127.0.0.1:{taken.getsockname()[1]}/"


async def speaks_no_tls(stream: trio.SocketStream) -> None:
    await stream.send_all(b"220 mail.example.in ready\r\n")
    await stream.receive_some()


async def why(url: str) -> str:
    async with new_http() as http:
        with pytest.raises(httpx.ConnectError) as raised:
            await http.get(url)
    return why_unconnected(raised.value)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (closed_port, "the connection was refused"),
        (lambda: "https://exotel.invalid/", "the name is not resolved"),
    ],
)
async def test_a_real_one(url: Callable[[], str], words: str) -> None:
    assert await why(url()) == words


async def test_a_real_peer_that_speaks_no_tls() -> None:
    serve = partial(trio.serve_tcp, speaks_no_tls, 0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(serve)
        assert await why(f"https://127.0.0.1:{listener.socket.getsockname()[1]}/") == "TLS failed"
        nursery.cancel_scope.cancel()


def test_others() -> None:
    assert why_unconnected(httpx.ConnectTimeout("slow")) == "the connection timed out"
    assert why_unconnected(httpx.ConnectError("no route")) == "no connection was made"


def test_the_simulators_are_told_apart_like_real_ones() -> None:
    words = {name: why_unconnected(cause()) for name, cause in CAUSES.items()}
    assert words == {
        FaultName.REFUSE_CONNECTION: "the connection was refused",
        FaultName.TLS_FAILURE: "TLS failed",
        FaultName.NAME_UNRESOLVED: "the name is not resolved",
    }
