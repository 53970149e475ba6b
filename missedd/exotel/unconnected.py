"""Why a connection was not made, in words for whoever has to mend it; they name no host and no address."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx


def why_unconnected(failure: BaseException) -> str:
    """The first cause that is known, of those that libraries wrap into each other."""
    for cause in _causes(failure):
        match cause:
            case socket.gaierror():
                return "the name is not resolved"
            case ssl.SSLError():
                return "TLS failed"
            case ConnectionRefusedError():
                return "the connection was refused"
            case httpx.ConnectTimeout() | TimeoutError():
                return "the connection timed out"
    return "no connection was made"


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    if failure is None:
        return
    yield failure
    for inner in failure.exceptions if isinstance(failure, BaseExceptionGroup) else ():
        yield from _causes(inner)
    yield from _causes(failure.__cause__ or failure.__context__)
