"""One HTTP exchange with Exotel: a reply, or why there is none.

If no connection was made, the request had no effect: `Refused`, to be tried again. If the request was
sent and its answer was lost, a phone may have rung: `Unknown`, to be looked up. No network error is raised,
and no message contains a key, a token or a phone number.
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
"""Exotel usually takes 0.3 s. Integrators wait 10 to 30 s before they count an answer as lost."""

REQUEST_TIMEOUT_S = CONNECT_TIMEOUT_S + READ_TIMEOUT_S
"""The limit of the whole request. `READ_TIMEOUT_S` limits each read only, so slow drops could go on."""

MAX_CONNECTIONS = 44
"""For all requests in flight: twenty calls, twenty SMS, and lookups. At 200 a minute of 0.3 s each, one of
twenty is busy; twenty are enough until each takes 6 s. A request that waited for a connection here would
leave later than its slot in the rate limit, and later than its gates were checked."""

MAX_RESPONSE_BYTES = 256 * 1024
"""A page of the list has 100 records of less than 1.5 KiB each."""


@dataclass(frozen=True, slots=True)
class ExotelAccount:
    """One account at Exotel. `api_base` is the region's host; a wrong region answers as to a wrong key."""

    sid: str
    api_base: str
    key: str = field(repr=False)
    token: str = field(repr=False)
    max_in_flight: int = MAX_CONNECTIONS


@dataclass(frozen=True, slots=True)
class ExotelReply:
    """The reply: a body of at most `MAX_RESPONSE_BYTES`, and the header Retry-After as Exotel sent it."""

    status: int
    body: bytes
    retry_after: str | None


def new_exotel_client(transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """The HTTP client for one `ExotelClient`. `transport` replaces the network in a simulation."""
    return httpx.AsyncClient(
        transport=transport,
        # Exotel may close a kept-alive connection at the moment we use it again, and that looks
        # like a lost answer. A new handshake is cheaper than a lookup.
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=0),
        timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        follow_redirects=False,
        trust_env=False,
        # A compressed answer could grow beyond every limit before its size can be checked.
        headers={"User-Agent": "missedd", "Accept": "application/json", "Accept-Encoding": "identity"},
    )


class Transport:
    """HTTP requests to the account's paths in Exotel's v1 API."""

    def __init__(self, http: httpx.AsyncClient, account: ExotelAccount) -> None:
        self._http = http
        self._auth = httpx.BasicAuth(account.key, account.token)
        self._base = f"{account.api_base.rstrip('/')}/v1/Accounts/{quote(account.sid, safe='')}"
        # A request that is cancelled while it waits inside the pool blocks its slot for ever
        # (httpcore 1093). So requests wait here, and the pool always has a free slot for them.
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
                    UnicodeError,  # an impossible name, such as `api..exotel.com`
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
            # A body that is cut off can't be parsed, so its answer is unknown where that matters. The
            # loop ends by cancellation, not by `break`, so that httpx's nested generators close in order.
            with trio.CancelScope() as reading:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_RESPONSE_BYTES:
                        reading.cancel()
            retry_after = answer.headers.get("retry-after")
            return ExotelReply(answer.status_code, bytes(body[:MAX_RESPONSE_BYTES]), retry_after)


# Nearly every request goes to one of two addresses, and httpx takes 0.3 ms to parse one.
_url = lru_cache(maxsize=64)(httpx.URL)
