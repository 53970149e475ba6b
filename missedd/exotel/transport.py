"""One HTTP exchange with Exotel, and what can happen on the way: a reply, or why there is none.

A request whose connection was never made had no effect (`Refused`, to be tried again); one that
was sent and whose answer was lost may have rung somebody (`Unknown`, to be looked up). Nothing of
the network is raised, and no message names a key, a token or a phone number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

import httpx
import trio

from missedd.core.reasons import Reason
from missedd.exotel.network_errors import classify_failure, exception_code
from missedd.exotel.request_result import Refused, Unknown

CONNECT_TIMEOUT_S = 5.0
"""Three SYNs (0, 1 and 3 s) and a TLS handshake across the subcontinent."""

READ_TIMEOUT_S = 25.0
"""Exotel takes 0.3 s as a rule; integrators wait 10 to 30 s before they call an answer lost."""

REQUEST_TIMEOUT_S = CONNECT_TIMEOUT_S + READ_TIMEOUT_S
"""The whole request: `READ_TIMEOUT_S` bounds each read, so a dripping answer could go on."""

MAX_CONNECTIONS = 44
"""For all that the daemon has out at once: twenty calls, twenty SMS, and look-ups. At 200 a minute of
0.3 s each, one of twenty is busy; they last when each takes 6 s. A request that had to wait for a slot
here would leave later than its turn in the budget, and later than its gates were asked."""

MAX_RESPONSE_BYTES = 256 * 1024
"""A page of the list has 100 records of less than 1.5 KiB."""


@dataclass(frozen=True, slots=True)
class ExotelAccount:
    """One account at Exotel. `api_base` is the region's host; the wrong one looks like bad keys."""

    sid: str
    api_base: str
    key: str = field(repr=False)
    token: str = field(repr=False)
    max_in_flight: int = MAX_CONNECTIONS


@dataclass(frozen=True, slots=True)
class ExotelReply:
    """What came back: a body of `MAX_RESPONSE_BYTES` at most, and Retry-After as it was sent."""

    status: int
    body: bytes
    retry_after: str | None


def new_exotel_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The HTTP client that `ExotelClient` wants for itself; `transport` stands in for the network."""
    return httpx.AsyncClient(
        transport=transport,
        # A connection kept alive may be closed by the other side just as it is used again, and
        # that looks like a lost answer. A handshake is cheaper than looking up a call.
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
        timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        trust_env=False,
        # Compressed answers could grow past every bound before they can be measured.
        headers={"User-Agent": "missedd", "Accept": "application/json", "Accept-Encoding": "identity"},
    )


class Transport:
    """The account's part of Exotel's v1 API, path by path."""

    def __init__(self, http: httpx.AsyncClient, account: ExotelAccount) -> None:
        self._http = http
        self._auth = httpx.BasicAuth(account.key, account.token)
        self._base = f"{account.api_base.rstrip('/')}/v1/Accounts/{quote(account.sid, safe='')}"
        # A request that is cancelled while it queues inside the pool takes its slot with it for
        # ever (httpcore 1093). So nothing queues there: whoever passes here finds a free slot.
        self._slots = trio.CapacityLimiter(max(1, min(account.max_in_flight, MAX_CONNECTIONS)))

    async def post(self, path: str, form: Mapping[str, str]) -> ExotelReply | Refused | Unknown:
        return await self._send("POST", path, form, None)

    async def get(self, path: str, query: Mapping[str, str]) -> ExotelReply | Refused | Unknown:
        return await self._send("GET", path, None, query)

    async def _send(
        self, method: str, path: str, form: Mapping[str, str] | None, query: Mapping[str, str] | None
    ) -> ExotelReply | Refused | Unknown:
        """One request within `REQUEST_TIMEOUT_S`, not counting the wait for a slot."""
        async with self._slots:
            with trio.move_on_after(REQUEST_TIMEOUT_S):
                try:
                    return await self._exchange(method, self._base + path, form, query)
                except (
                    httpx.ConnectError,
                    httpx.ConnectTimeout,
                    httpx.PoolTimeout,
                    httpx.UnsupportedProtocol,
                    httpx.InvalidURL,
                    UnicodeError,  # the name can be none, such as `api..exotel.com`
                ) as failure:
                    why = classify_failure(failure).words
                    return Refused(True, exception_code(failure), Reason.CONNECTION_FAILED, why)
                except (httpx.TransportError, httpx.DecodingError) as failure:
                    return Unknown(exception_code(failure), Reason.REPLY_LOST, "the answer was lost")
            return Unknown("timeout", Reason.REPLY_LOST, f"no whole answer in {REQUEST_TIMEOUT_S:g} s")

    async def _exchange(
        self, method: str, url: str, form: Mapping[str, str] | None, query: Mapping[str, str] | None
    ) -> ExotelReply:
        async with self._http.stream(
            method, _url(url), data=form, params=query or None, auth=self._auth
        ) as answer:
            body = bytearray()
            # What is cut off can't be read, and so is unknown where that matters. Leaving the loop
            # by cancellation, not by `break`, unwinds httpx's nested generators in order.
            with trio.CancelScope() as reading:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_RESPONSE_BYTES:
                        reading.cancel()
            retry_after = answer.headers.get("retry-after")
            return ExotelReply(answer.status_code, bytes(body[:MAX_RESPONSE_BYTES]), retry_after)


# Nearly every request goes to one of two addresses, and reading one takes httpx a third of a millisecond.
_url = lru_cache(maxsize=64)(httpx.URL)
