"""`missedd release` says what it did, and that there was nothing to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from missedd.cli import main
from tests.commands.daemon import Daemon, config


@pytest.mark.parametrize(
    ("count", "options", "words"),
    [
        (2_000, (), "2,000 actions released; the quarantine is over"),
        (3, ("--drop",), "3 actions dropped; the quarantine is over"),
        (0, (), "nothing to release: no action waits after a restore"),
    ],
)
def test_what_became_of_what_waited(
    daemon: Daemon,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    count: int,
    options: tuple[str, ...],
    words: str,
) -> None:
    daemon.resources["/api/v1/quarantine"] = b'{"since": "2026-11-23T06:30:00.000Z", "actions": 1}'
    daemon.status, daemon.body = 200, json.dumps({"actions": count}).encode()
    assert main(["release", *config(tmp_path, daemon.server_port), *options]) == 0
    assert daemon.requests == [("POST", "/api/v1/quarantine/release", {"drop": bool(options)})]
    assert capsys.readouterr().out == f"{words}\n"


def test_where_there_is_no_quarantine_it_says_so(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    daemon.resources["/api/v1/quarantine"] = b'{"since": null, "actions": 0}'
    assert main(["release", *config(tmp_path, daemon.server_port)]) == 0
    assert daemon.requests == []
    assert (
        capsys.readouterr().out
        == "there is no quarantine: nothing was restored, or it was released already\n"
    )
