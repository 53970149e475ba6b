"""`missedd settle` asks the running daemon, and says in words what it answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from missedd.cli import main
from tests.commands.daemon import Daemon, config


def test_settle_asks_the_daemon(daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = config(tmp_path, daemon.server_port)
    daemon.status, daemon.body = 200, b"{}"
    assert main(["settle", *options, "7", "no-answer", "--note", "asked her"]) == 0
    said = {"outcome": "no-answer", "note": "asked her"}
    assert daemon.requests == [("POST", "/api/v1/actions/7/settle", said)]
    assert capsys.readouterr().out == "action 7 is settled: no-answer\n"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"detail": "no action has this id"}', "no action has this id"),
        (b"<html>", "HTTP 404"),
        (b"[]", "404"),
    ],
)
def test_a_refused_settle_prints_the_reason(
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
