"""A daemon at the other end, as the commands see it: it keeps what it was asked, and answers as told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any


class JsonEndpoint(BaseHTTPRequestHandler):
    """Reads a request and answers it, without a word on the terminal."""

    def json_body(self) -> Any:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        return json.loads(body) if body else None

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def serve_in_thread[T: HTTPServer](server: T) -> Iterator[T]:
    """The server, while a thread of its own answers for it."""
    with server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Daemon(HTTPServer):
    """Answers with `status` and `body`, and keeps what it was asked."""

    status = 204
    body = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.resources: dict[str, bytes] = {}
        """What is there to be read, by path."""
        self.requests: list[tuple[str, str, Any]] = []
        self.authorizations: list[str | None] = []


class _Answer(JsonEndpoint):
    server: Daemon

    def do_GET(self) -> None:
        self.reply(
            200 if self.path in self.server.resources else 404, self.server.resources.get(self.path, b"{}")
        )

    def _answer(self) -> None:
        assert self.headers["Missedd-By"] == "cli"
        self.server.authorizations.append(self.headers["Authorization"])
        self.server.requests.append((self.command, self.path, self.json_body()))
        self.reply(self.server.status, self.server.body)

    do_POST = do_DELETE = _answer


def config(folder: Path, port: int = 1) -> list[str]:
    """The options that name a configuration whose daemon listens there."""
    file = folder / "missedd.toml"
    file.write_text(
        f"""[listen]
private = "127.0.0.1:{port}"
[exotel]
account_sid = "example1"
[[campaign]]
name = "on"
exophones = ["+918047120001"]
[campaign.subscribe]
list = "weather"
purpose = "daily alerts"
""",
        "utf-8",
    )
    return ["--config", str(file)]
