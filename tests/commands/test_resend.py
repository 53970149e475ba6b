"""`missedd resend` asks for each webhook by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from missedd.cli import main
from tests.commands.daemon import Daemon, config


def test_each_webhook_is_a_request_and_one_refusal_makes_the_command_fail(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = config(tmp_path, daemon.server_port)
    daemon.status, daemon.body = 202, b'{"id": 9}'
    assert main(["resend", *options, "7", "8"]) == 0
    assert daemon.requests == [
        ("POST", "/api/v1/actions/7/resend", None),
        ("POST", "/api/v1/actions/8/resend", None),
    ]
    assert capsys.readouterr().out.splitlines()[0] == "webhook 7 is sent again, as action 9"
    daemon.status, daemon.body = 404, b'{"detail": "no webhook with this id is parked"}'
    assert main(["resend", *options, "7", "8"]) == 1
    assert len(daemon.requests) == 4
    assert capsys.readouterr().err.splitlines()[1] == "webhook 8: no webhook with this id is parked"
