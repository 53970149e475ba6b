"""The port through which the exchange speaks to the outside, and its real-HTTP implementation.

A poster makes one request and tells the answer, whatever its status; retries, faults and the
time limit are the exchange's affair. Runs in memory pass a poster of their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import httpx
import trio

MAX_CONNECTIONS = 64
"""Posts in flight at a time. The limiter stands in front of a pool of the same size, because
requests cancelled while they queue for httpx's pool keep their slot for ever."""

USER_AGENT = "Exotel (missedd-sim)"
"""Nobody has published Exotel's own; a filter for well-known libraries must not meet one here."""


@dataclass(frozen=True, slots=True)
class OutboundWebhook:
    """One request of Exotel's to a customer's server."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class PostResult:
    """An answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class PostFailed(Exception):
    """No answer: refused, reset, or not an address at all."""


Poster = Callable[[OutboundWebhook], Awaitable[PostResult]]


class HttpPoster:
    """Posts over real HTTP. Redirects are answers (Passthru branches on 302), not to be followed."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._limiter = trio.CapacityLimiter(MAX_CONNECTIONS)

    @classmethod
    def client(cls) -> httpx.AsyncClient:
        """A client of the right size. Its own timeouts are off: the exchange sets the limit."""
        limits = httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)
        return httpx.AsyncClient(
            timeout=None,  # noqa: S113 (see above)
            limits=limits,
            trust_env=False,
            headers={"user-agent": USER_AGENT},
        )

    async def __call__(self, webhook: OutboundWebhook) -> PostResult:
        async with self._limiter:
            try:
                answer = await self._client.request(
                    webhook.method, webhook.url, headers=dict(webhook.headers), content=webhook.body
                )
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                raise PostFailed(f"{type(error).__name__}: {error}") from error
        return PostResult(answer.status_code, dict(answer.headers), answer.content)
