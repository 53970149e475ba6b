"""`missedd nodes` with a SQLite file: the daemon on it is the only node."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from missedd.cli import main
from tests.commands.daemon import Daemon, config

NODE = {
    "node": 1,
    "name": "delhi-1",
    "address": "127.0.0.1:8081",
    "version": "0.3.0",
    "role": "leads",
    "state": "alive",
    "seen_at": "2026-11-30T06:30:00.000Z",
    "skew_s": 0.0,
    "config": "0123456789ab",
}


def test_the_daemon_on_the_file_leads(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.resources["/api/v1/nodes"] = json.dumps({"items": [NODE]}).encode()
    assert main(["nodes", *config(tmp_path, daemon.server_port), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"items": [NODE]}
    assert main(["nodes", *config(tmp_path, daemon.server_port)]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if "delhi-1" in line]
    for cell in ("leads", "alive", "127.0.0.1:8081", "+0.00 s", "0123456789ab", "2026-11-30 12:00:00 IST"):
        assert cell in row


def test_without_a_daemon_there_is_nobody_to_ask(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nodes", *config(tmp_path)]) == 1
    assert "the daemon cannot be reached" in capsys.readouterr().err
