"""Peers of a real daemon: Exotel's posts, each on a connection of its own, and what became of each."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.real.daemon import TOKEN


def missed_call(sid: str, number: str, path: str = f"/exotel/{TOKEN}/missed-call") -> bytes:
    """A native missed call as one HTTP request on the wire."""
    body = f"CallSid={sid}&CallFrom={number}&CallTo=08047120001&CallType=missed&Direction=incoming".encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def ask(port: int, request: bytes, timeout_s: float = 20.0, until: bytes | None = None) -> bytes:
    """Send a request; all that comes back until the peer closes, or has sent `until`. Raises OSError."""
    with socket.create_connection(("127.0.0.1", port), timeout_s) as peer:
        peer.sendall(request)
        heard = b""
        while data := peer.recv(4096):
            heard += data
            if until is not None and heard.endswith(until):
                break
        return heard


def post(port: int, request: bytes, timeout_s: float = 20.0) -> str:
    """Send a request; the status as text, or what went wrong on the way."""
    try:
        heard = ask(port, request, timeout_s)
    except OSError as failure:
        return type(failure).__name__
    return heard[9:12].decode() if heard.startswith(b"HTTP/1.1 ") else f"nothing but {heard!r}"


@dataclass
class PostResults:
    """What a crowd of posters heard: the status, or the failure, by CallSid."""

    statuses: dict[str, str] = field(default_factory=dict)

    def sids(self, status: str) -> set[str]:
        return {sid for sid, heard in list(self.statuses.items()) if heard == status}


@contextmanager
def posting(port: int, *, threads: int = 4, prefix: str = "load") -> Iterator[PostResults]:
    """Post missed calls one after the other, in several threads, until the block ends."""
    posted, stop = PostResults(), threading.Event()

    def keep_posting(which: int) -> None:
        count = 0
        while not stop.is_set():
            sid = f"{prefix}-{which}-{count}"
            number = f"0{9_000_000_000 + which * 1_000_000 + count}"
            posted.statuses[sid] = post(port, missed_call(sid, number))
            count += 1
            time.sleep(0.002)

    workers = [threading.Thread(target=keep_posting, args=(which,)) for which in range(threads)]
    for each in workers:
        each.start()
    try:
        yield posted
    finally:
        stop.set()
        for each in workers:
            each.join()
