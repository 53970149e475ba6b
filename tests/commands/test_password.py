"""`missedd password`: a hash for the console's password, and the password nowhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from missedd.cli import main
from missedd.security.password import parse_password_hash


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """Have these typed at a terminal; returns what was asked."""
    asked: list[str] = []
    rest: Iterator[str] = iter(words)

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return next(rest)

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("missedd.commands.password.getpass", getpass)
    return asked


def test_the_password_is_asked_for_twice(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    asked = typed(monkeypatch, "open sesame", "open sesame")
    assert main(["password"]) == 0
    assert len(asked) == 2
    told = capsys.readouterr()
    assert parse_password_hash(told.out.strip()).matches("open sesame")
    assert "sesame" not in told.out + told.err


@pytest.mark.parametrize("words", [("open sesame", "open sesamy"), ("short", "short")])
def test_what_is_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, str]
) -> None:
    typed(monkeypatch, *words)
    assert main(["password"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err


def test_from_a_pipe(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("open sesame\nand more\n"))
    assert main(["password"]) == 0
    assert parse_password_hash(capsys.readouterr().out.strip()).matches("open sesame")
