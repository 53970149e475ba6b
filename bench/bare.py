"""The ceiling: the least that an HTTP server on trio and httptools can do, a constant answer.

python -m bench.bare PORT
"""

from __future__ import annotations

import sys

import httptools
import trio

ANSWER = b"HTTP/1.1 200 OK\r\nMissedd-Verdict: accepted\r\nContent-Length: 0\r\n\r\n"


class _Requests:
    """Counts whole requests; what is in them does not matter."""

    def __init__(self) -> None:
        self.whole = 0

    def on_message_complete(self) -> None:
        self.whole += 1


async def _serve(stream: trio.SocketStream) -> None:
    requests = _Requests()
    parser = httptools.HttpRequestParser(requests)
    connection = stream.socket
    try:
        while data := await connection.recv(16 * 1024):
            parser.feed_data(data)
            if requests.whole:
                await connection.send(ANSWER * requests.whole)
                requests.whole = 0
    except OSError:
        pass  # the peer is gone


async def main(port: int) -> None:
    await trio.serve_tcp(_serve, port, host="127.0.0.1", backlog=1024)


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
