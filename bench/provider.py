"""A provider that does nothing but take note of when it was asked to ring whom."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import parse_qs

import httptools
import trio


class Provider:
    """In a thread of its own. `asked_at` has the instant of the first request for each number."""

    def __init__(self) -> None:
        self.asked_at: dict[str, float] = {}
        self.port = 0

    async def serve(self, started: threading.Event, stop: threading.Event) -> None:
        async with trio.open_nursery() as nursery:
            (listener,) = await nursery.start(partial(trio.serve_tcp, self._converse, 0, host="127.0.0.1"))
            self.port = listener.socket.getsockname()[1]
            started.set()
            await trio.to_thread.run_sync(stop.wait)
            nursery.cancel_scope.cancel()

    async def _converse(self, stream: trio.SocketStream) -> None:
        request = _Request()
        parser = httptools.HttpRequestParser(request)
        try:
            async for data in stream:
                arrived_at = time.time()
                parser.feed_data(data)
                if request.is_whole:
                    await stream.send_all(self._answer(bytes(request.body), arrived_at))
                    request.clear()
        except trio.BrokenResourceError:
            pass  # the peer is gone

    def _answer(self, body: bytes, arrived_at: float) -> bytes:
        number = parse_qs(body.decode()).get("From", [""])[0]
        if not number:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        self.asked_at.setdefault(number, arrived_at)
        answer = b'{"Call":{"Sid":"%032x","Status":"in-progress"}}' % len(self.asked_at)
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        return head % len(answer) + answer


class _Request:
    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.body = bytearray()
        self.is_whole = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.is_whole = True


@contextmanager
def running() -> Iterator[Provider]:
    provider, started, stop = Provider(), threading.Event(), threading.Event()
    thread = threading.Thread(target=trio.run, args=(provider.serve, started, stop))
    thread.start()
    try:
        if not started.wait(30):
            raise RuntimeError("the provider did not start")
        yield provider
    finally:
        stop.set()
        thread.join()
