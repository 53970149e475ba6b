"""What the public listener says back, as values, and the two ways in which a call is not taken.

A reply's bytes are made when the value is made, so the few replies that go out thousands of times
a second are made once. Nothing here knows a socket.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final


class NotStored(Exception):
    """The call is not known to be on disk; Exotel must send it again."""


class NoRoom(Exception):
    """There is no room to take the call in just now; Exotel must send it again."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """One HTTP reply. `headers` leave out Content-Length and Connection: the listener says those."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    head: bytes = field(init=False, repr=False, compare=False)
    """Status line and headers as they go out, without the empty line that ends them."""

    def __post_init__(self) -> None:
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines.append(f"Content-Length: {len(self.body)}\r\n")
        object.__setattr__(self, "head", "\r\n".join(lines).encode("latin-1"))

    def to_bytes(self, *, is_last: bool, without_body: bool) -> bytes:
        """The bytes to send: `is_last` says that the connection closes, `without_body` answers a HEAD."""
        ending = b"Connection: close\r\n\r\n" if is_last else b"\r\n"
        return self.head + ending if without_body else self.head + ending + self.body


RETRY_AFTER_S: Final = 5
"""What a 503 asks for. Exotel keeps to a schedule of its own; a proxy or a test may listen."""

EMPTY: Final = HttpReply(200)
NOT_FOUND: Final = HttpReply(404)
TRY_AGAIN: Final = HttpReply(503, (("Retry-After", str(RETRY_AFTER_S)),))
NOT_READY: Final = HttpReply(503)
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"


def problem_reply(status: int, title: str, detail: str) -> HttpReply:
    """A refusal in the form of RFC 9457, for the person who reads the sender's log."""
    body = json.dumps({"title": title, "detail": detail, "status": status}, ensure_ascii=False)
    return HttpReply(status, (("Content-Type", "application/problem+json"),), body.encode())
