"""Why a request got no answer, by the exceptions that a real network raises."""

from __future__ import annotations

import socket
import ssl
from typing import NoReturn

import httpx
import pytest
import trio

from missedd.exotel.network_errors import (
    CONNECTION_LOST,
    CONNECTION_REFUSED,
    NAME_NOT_RESOLVED,
    NO_ANSWER_IN_TIME,
    NO_CONNECTION_IN_TIME,
    UNREACHABLE,
    classify_failure,
)
from simulator.exchange.model.faults import CONNECT_ERRORS, FaultName


class NoNames(trio.abc.HostnameResolver):
    """Resolves no name, without a request beyond this machine."""

    async def getaddrinfo(self, *_asked: object, **_more: object) -> NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def getnameinfo(self, *_asked: object) -> NoReturn:
        raise NotImplementedError


async def failure(url: str) -> httpx.HTTPError:
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.HTTPError) as caught:
            await http.post(url)
        return caught.value


async def test_a_closed_port_and_an_unknown_name_read_differently() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listened on: nobody else gets it, nothing answers
        refused = await failure(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert classify_failure(refused) == CONNECTION_REFUSED
    trio.socket.set_custom_hostname_resolver(NoNames())
    assert classify_failure(await failure("http://nosuch.invalid/")) == NAME_NOT_RESOLVED


def test_a_name_that_can_be_none_is_not_resolved() -> None:
    with pytest.raises(UnicodeError) as caught:
        "no..such.invalid".encode("idna")
    assert classify_failure(caught.value) == NAME_NOT_RESOLVED


async def test_a_peer_that_speaks_no_tls_is_named() -> None:
    async def plain(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            lambda task_status: trio.serve_tcp(plain, 0, host="127.0.0.1", task_status=task_status)
        )
        port = listener.socket.getsockname()[1]
        found = classify_failure(await failure(f"https://127.0.0.1:{port}/"))
        nursery.cancel_scope.cancel()
    assert found.code == "tls-failed"
    assert "WRONG_VERSION_NUMBER" in found.words


def test_the_simulators_are_told_apart_like_real_ones() -> None:
    assert {name: classify_failure(caused(cause())).code for name, cause in CONNECT_ERRORS.items()} == {
        FaultName.REFUSE_CONNECTION: "connection-refused",
        FaultName.TLS_FAILURE: "tls-failed",
        FaultName.NAME_UNRESOLVED: "name-not-resolved",
    }


async def test_a_peer_that_hangs_up_is_named() -> None:
    async def rude(stream: trio.SocketStream) -> None:
        await stream.receive_some()

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(
            lambda task_status: trio.serve_tcp(rude, 0, host="127.0.0.1", task_status=task_status)
        )
        port = listener.socket.getsockname()[1]
        assert classify_failure(await failure(f"http://127.0.0.1:{port}/")) == CONNECTION_LOST
        nursery.cancel_scope.cancel()


def caused(by: Exception) -> httpx.ConnectError:
    error = httpx.ConnectError("all attempts to connect failed")
    error.__cause__ = OSError("all attempts to connect failed")
    error.__cause__.__cause__ = ExceptionGroup("several addresses", [by])
    return error


def test_what_is_not_easily_had_on_one_machine() -> None:
    certificate = ssl.SSLCertVerificationError(1, "x")
    certificate.verify_message = "certificate has expired"
    assert (
        classify_failure(caused(certificate)).words == "the certificate is not good: certificate has expired"
    )
    assert classify_failure(caused(OSError(101, "Network is unreachable"))) == UNREACHABLE
    assert classify_failure(caused(OSError(5, "Input/output error"))).code == "connect-error"
    both = caused(OSError(101, "Network is unreachable"))
    both.__context__ = ConnectionRefusedError(111, "refused")
    assert classify_failure(httpx.ConnectTimeout("x")) == NO_CONNECTION_IN_TIME
    for late in (httpx.ReadTimeout("x"), httpx.WriteTimeout("x"), trio.TooSlowError()):
        assert classify_failure(late) == NO_ANSWER_IN_TIME
