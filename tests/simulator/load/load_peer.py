"""A small server for loads, in a thread of its own: it stalls, refuses and forgets when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qs, urlsplit

import trio

PAGE = 50


@dataclass
class LoadPeer:
    """`stalls` says for how many seconds everything stands still when the n-th request comes in."""

    stalls: dict[int, float] = field(default_factory=dict)
    answer: bytes = b"HTTP/1.1 200 OK\r\nMissedd-Verdict: accepted\r\nContent-Length: 0\r\n\r\n"
    lost_call: int | None = None
    """The n-th call is acknowledged all the same, and is in no list."""
    token: str | None = None
    """What its API wants to be shown."""
    port: int = 0
    received_sids: list[str] = field(default_factory=list)
    """CallSids, in the order in which they came."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/exotel/token/missed-call"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stored_sids(self) -> list[str]:
        return [sid for n, sid in enumerate(self.received_sids, 1) if n != self.lost_call]

    async def serve(self, started: threading.Event, stop: threading.Event) -> None:
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, self._converse, 0, host="127.0.0.1")
            (listener,) = await nursery.start(serve)
            self.port = listener.socket.getsockname()[1]
            started.set()
            await trio.to_thread.run_sync(stop.wait)
            nursery.cancel_scope.cancel()

    async def _converse(self, stream: trio.SocketStream) -> None:
        unread = b""
        async for data in stream:
            unread += data
            head, is_whole, body = unread.partition(b"\r\n\r\n")
            if is_whole and len(body) >= _length(head):
                unread = b""
                await stream.send_all(self._answered(head.decode(), body.decode()))

    def _answered(self, head: str, body: str) -> bytes:
        target = head.split()[1]
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path.startswith("/api/") and self.token and f"Authorization: Bearer {self.token}" not in head:
            return b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
        if path == "/api/v1/calls":
            return self._listed(int(query.get("cursor", ["0"])[0]))
        if path.startswith("/api/"):
            is_kept = path.rpartition("/")[2] in self.stored_sids()
            return _json({}) if is_kept else b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        self.received_sids.append((parse_qs(body) | query)["CallSid"][0])
        if stall_s := self.stalls.get(len(self.received_sids)):
            threading.Event().wait(stall_s)  # the whole server, not this connection alone
        return self.answer

    def _listed(self, after: int) -> bytes:
        kept = self.stored_sids()
        items = [{"call_sid": each} for each in kept[after : after + PAGE]]
        return _json({"items": items, "next": str(after + PAGE) if after + PAGE < len(kept) else None})


def _length(head: bytes) -> int:
    _, is_there, rest = head.lower().partition(b"content-length: ")
    return int(rest.split()[0]) if is_there else 0


def _json(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@contextmanager
def serve_in_thread(peer: LoadPeer) -> Iterator[LoadPeer]:
    started, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=trio.run, args=(peer.serve, started, stop))
    thread.start()
    try:
        assert started.wait(30)
        yield peer
    finally:
        stop.set()
        thread.join()
