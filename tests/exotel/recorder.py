"""A client whose requests are recorded and answered by the test."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import httpx

from missedd.exotel.client import ExotelAccount, ExotelClient, new_exotel_client

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CUSTOMER, AGENT, EXOPHONE = "+919876543210", "+919800000001", "+918047120001"
SID = "c5797dcbaaeed7678c4062a4a3ed2f8a"
KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
ACCOUNT = ExotelAccount("example1", "https://api.in.exotel.example/", KEY, TOKEN)

type Answering = Callable[[httpx.Request], httpx.Response]


class FixedClock:
    def now(self) -> datetime:
        return NOW


def client(answering: Answering, account: ExotelAccount = ACCOUNT) -> ExotelClient:
    return ExotelClient(new_exotel_client(httpx.MockTransport(answering)), account, FixedClock())


class Recorder:
    """Answers each request with the next of `answers`, and records the requests."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers.pop(0)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.requests[-1].content.decode(), strict_parsing=True))
