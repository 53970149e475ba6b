"""`missedd pause` and `missedd resume`: what they ask of the daemon, and what they tell."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from missedd.base.clock import SystemClock
from missedd.cli import main
from tests.commands.daemon import Daemon, config


def test_pausing(daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = config(tmp_path, daemon.server_port)
    daemon.status, daemon.body = 201, json.dumps({"until": None}).encode()
    assert main(["pause", *options, "night shift", "--why", "lunch"]) == 0
    assert daemon.requests == [
        ("POST", "/api/v1/campaigns/night%20shift/pause", {"why": "lunch", "until": None})
    ]
    assert capsys.readouterr().out == "campaign night shift is paused until it is resumed\n"
    daemon.body = json.dumps({"until": "2027-01-01T00:00:00.000Z"}).encode()
    assert main(["pause", *options, "on", "--why", "lunch", "--until", "90m"]) == 0
    until = datetime.fromisoformat(daemon.requests[-1][2]["until"])
    assert abs(until - SystemClock().now() - timedelta(minutes=90)) < timedelta(minutes=5)
    assert capsys.readouterr().out == "campaign on is paused until 2027-01-01 05:30:00 IST\n"
    daemon.status, daemon.body = 404, b'{"detail": "no campaign has this name"}'
    assert main(["pause", *options, "onn", "--why", "lunch"]) == 1
    assert capsys.readouterr().err == "onn: no campaign has this name\n"


def test_resuming(daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = config(tmp_path, daemon.server_port)
    assert main(["resume", *options, "on"]) == 0
    assert daemon.requests == [("DELETE", "/api/v1/campaigns/on/pause", None)]
    assert capsys.readouterr().out == "campaign on is resumed\n"
    daemon.status, daemon.body = 404, b'{"detail": "the campaign is not paused"}'
    assert main(["resume", *options, "on"]) == 1
    assert capsys.readouterr().err == "on: the campaign is not paused\n"


def test_a_pause_without_its_reason_is_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["pause", *config(tmp_path), "on"])
    assert stopped.value.code == 2


def test_a_command_shows_the_token_where_there_is_one(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = config(tmp_path, daemon.server_port)
    monkeypatch.setenv("MISSEDD_API_TOKEN", "token-of-our-own-api")
    assert main(["resume", *options, "on"]) == 0
    monkeypatch.delenv("MISSEDD_API_TOKEN")
    assert main(["resume", *options, "on"]) == 0
    assert daemon.authorizations == ["Bearer token-of-our-own-api", None]
