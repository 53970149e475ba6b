"""`missedd settle` asks the running daemon, and says in words what it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from missedd.cli import main


class Daemon(HTTPServer):
    """Answers with `status` and `body`, and keeps what it was asked."""

    status = 200
    body = b"{}"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[tuple[str, Any]] = []


class _Answer(BaseHTTPRequestHandler):
    server: Daemon

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.send_header("content-length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def daemon() -> Iterator[Daemon]:
    with Daemon() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def config(folder: Path, port: int) -> list[str]:
    file = folder / "missedd.toml"
    file.write_text(f'[listen]\nprivate = "127.0.0.1:{port}"\n[exotel]\naccount_sid = "example1"\n', "utf-8")
    return ["--config", str(file)]


def test_it_asks_the_daemon(daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = config(tmp_path, daemon.server_port)
    assert main(["settle", *options, "7", "no-answer", "--note", "asked her"]) == 0
    assert daemon.asked == [("/api/v1/actions/7/settle", {"outcome": "no-answer", "note": "asked her"})]
    assert capsys.readouterr().out == "action 7 is settled: no-answer\n"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "no action has this id"}', "no action has this id"),
        (b"<html>", "HTTP 404"),
        (b"[]", "404"),
    ],
)
def test_it_says_why_not(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str], body: bytes, words: str
) -> None:
    daemon.status, daemon.body = 404, body
    assert main(["settle", *config(tmp_path, daemon.server_port), "7", "busy"]) == 1
    assert words in capsys.readouterr().err


def test_without_a_daemon_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settle", *config(tmp_path, 1), "7", "busy"]) == 1
    assert "the daemon cannot be reached at http://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["7", "unknown"], ["seven", "busy"], ["7"]])
def test_what_it_does_not_understand_is_usage(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["settle", *config(tmp_path, 1), *words])
    assert stopped.value.code == 2


def test_a_wrong_configuration_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = config(tmp_path, 1)
    Path(options[1]).write_text("[exotel]\n", "utf-8")
    assert main(["settle", *options, "7", "busy"]) == 78
    assert "account_sid" in capsys.readouterr().err
