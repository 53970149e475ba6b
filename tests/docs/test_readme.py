"""The README is short, and what it shows is enough to begin with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from missedd.cli import main
from tests.docs.markdown import page

README = page("README.md")


def test_the_readme_is_short() -> None:
    assert 500 <= len(README.text.split()) <= 800


def test_the_readme_configuration_has_twelve_lines_and_passes_missedd_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = (block for block in README.blocks if block.language == "toml")
    assert len([line for line in block.text.splitlines() if line]) == 12
    monkeypatch.setenv("EXOTEL_API_KEY", "key")
    monkeypatch.setenv("EXOTEL_API_TOKEN", "token")
    monkeypatch.setenv("MISSEDD_WEBHOOK_TOKEN", "abcdefghijklmnop")
    ports = re.sub(r"(?<=\[listen\]\n)", 'public = "127.0.0.1:0"\nprivate = "127.0.0.1:0"\n', block.text)
    file = tmp_path / "missedd.toml"
    file.write_text(ports, "utf-8")
    code = main(["check", "--config", str(file)])
    assert (code, capsys.readouterr().err) == (0, "")
