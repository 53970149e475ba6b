"""The replies of the public listener as values, and the two errors of a call that was not stored.

The bytes of a reply are made together with the value. So the few replies that are sent thousands of times per
second are made only once.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final


class NotStored(Exception):
    """It is not certain that the call is on disk; Exotel must send it again."""


class NoRoom(Exception):
    """The queue is full, so the call cannot be accepted now; Exotel must send it again."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """One HTTP reply. `headers` are without Content-Length and Connection, which the listener adds."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    head: bytes = field(init=False, repr=False, compare=False)
    """Status line and headers as bytes, without the empty line that ends them."""

    def __post_init__(self) -> None:
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body)}\r\n")
        object.__setattr__(self, "head", "\r\n".join(lines).encode("latin-1"))

    def to_bytes(self, *, is_last: bool, without_body: bool) -> bytes:
        """The bytes to send. `is_last`: the connection closes afterwards. `without_body`: for HEAD."""
        ending = b"Connection: close\r\n\r\n" if is_last else b"\r\n"
        return self.head + ending if without_body else self.head + ending + self.body


RETRY_AFTER_S: Final = 5
"""The `Retry-After` of a 503. Exotel has its own schedule; proxies and tests may use the header."""

EMPTY: Final = HttpReply(200)
NOT_FOUND: Final = HttpReply(404)
TRY_AGAIN: Final = HttpReply(503, (("Retry-After", str(RETRY_AFTER_S)),))
NOT_READY: Final = HttpReply(503)
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def problem_reply(status: int, title: str, detail: str) -> HttpReply:
    """An error as problem details (RFC 9457), for the person who reads the sender's log."""
    body = json.dumps({"title": title, "detail": detail, "status": status}, ensure_ascii=False)
    return HttpReply(status, (("Content-Type", "application/problem+json"),), body.encode())
