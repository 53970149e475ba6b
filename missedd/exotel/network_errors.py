"""Why a request got no answer: a code and a sentence, from the chain of exceptions.

For httpx an unknown host name and a closed port are both a `ConnectError`; only a deeper exception of the
chain differs. The remedies differ too: one person repairs the DNS, another starts the program.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import httpx
import trio


@dataclass(frozen=True, slots=True)
class NetworkFailure:
    """`code` is for logs and records. `words` complete a sentence that begins with the address."""

    code: str
    words: str

    @property
    def is_timeout(self) -> bool:
        return self in (NO_CONNECTION_IN_TIME, NO_ANSWER_IN_TIME)


NAME_NOT_RESOLVED: Final = NetworkFailure("name-not-resolved", "the host's name is not resolved")
CONNECTION_REFUSED: Final = NetworkFailure("connection-refused", "the connection was refused")
UNREACHABLE: Final = NetworkFailure("unreachable", "there is no route to the host's address")
NO_CONNECTION_IN_TIME: Final = NetworkFailure("connect-timeout", "no connection was made in time")
NO_ANSWER_IN_TIME: Final = NetworkFailure("timeout", "no answer came in time")
CONNECTION_LOST: Final = NetworkFailure("connection-lost", "the connection was closed before an answer came")

_UNREACHABLE_ERRNOS: Final = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


def classify_failure(error: BaseException) -> NetworkFailure:
    """Name what went wrong with a request. `error` is httpx's exception, or trio's `TooSlowError`."""
    chain = list(_exception_chain(error))
    for cause in chain:
        match cause:
            case socket.gaierror() | UnicodeError():  # also an impossible name, such as `crm..example.in`
                return NAME_NOT_RESOLVED
            case ssl.SSLCertVerificationError():
                why = getattr(cause, "verify_message", None) or cause
                return NetworkFailure("tls-failed", f"the certificate is not good: {why}")
            case ssl.SSLError():
                return NetworkFailure("tls-failed", f"the TLS handshake failed: {cause.reason or cause}")
    if any(isinstance(each, ConnectionRefusedError) for each in chain):
        return CONNECTION_REFUSED
    if any(isinstance(each, OSError) and each.errno in _UNREACHABLE_ERRNOS for each in chain):
        return UNREACHABLE
    match error:
        case httpx.InvalidURL():
            return NetworkFailure("invalid-url", "the URL is not valid")
        case httpx.ConnectTimeout():
            return NO_CONNECTION_IN_TIME
        case httpx.TimeoutException() | trio.TooSlowError():
            return NO_ANSWER_IN_TIME
        case httpx.NetworkError() | httpx.RemoteProtocolError() if not isinstance(error, httpx.ConnectError):
            return CONNECTION_LOST
    return NetworkFailure(exception_code(error), f"the request failed ({type(error).__name__})")


def exception_code(error: BaseException) -> str:
    """The exception's name as a code: `connect-error`, `read-timeout`."""
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in type(error).__name__).lstrip("-")


def _exception_chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, its cause, and so on. If one connection had several attempts, all their exceptions."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            yield from _exception_chain(part)
    below = error.__cause__ or error.__context__
    if below is not None:
        yield from _exception_chain(below)
