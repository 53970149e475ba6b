"""The commands that simulate several daemons say what they need, where there is no server."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.cli import main

CLUSTER = Path(__file__).parent.parent.parent.parent / "scenarios" / "cluster"
NOWHERE = "postgresql://postgres:geheim@127.0.0.1:1/postgres"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--daemons", "3"], "several daemons need a PostgreSQL: --database URL"),
        (["--daemons", "3", "--database", NOWHERE], "cannot create a database on 127.0.0.1:1"),
        (["--daemons", "3", "--database", "nonsense"], "cannot create a database on the server"),
        (["--database", NOWHERE], "--database is for several daemons"),
        (["--daemons", "9", "--database", NOWHERE], "--daemons takes at most 5"),
    ],
)
def test_fuzz_says_what_several_daemons_need(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fuzz", "--seed", "1", *options]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "geheim" not in told


def test_replay_skips_several_daemons_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(CLUSTER / "leader-dies.toml")]) == 0
    told = capsys.readouterr().out
    assert "skipped leader-dies: several daemons need a PostgreSQL" in told
    assert "0 passed, 0 failed, 1 not run" in told


def test_replay_says_that_the_server_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(CLUSTER / "leader-dies.toml"), "--database", NOWHERE]) == 2
    assert "cannot create a database on 127.0.0.1:1" in capsys.readouterr().err


def test_sweep_is_for_one_daemon(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(CLUSTER / "leader-dies.toml")]) == 2
    assert "a sweep is for one daemon" in capsys.readouterr().err
