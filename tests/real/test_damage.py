"""A damaged database is refused with the way out, and the way out works."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.daemon import ENVIRON, Daemon, free_port
from tests.real.peers import missed_call, post
from tests.real.test_backup import missedd

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "1h" , give_up_after = "2h" }
"""
PAGE = 4096


def refused(daemon: Daemon) -> str:
    """What the daemon says as it refuses to start."""
    ended = subprocess.run(
        [sys.executable, "-m", "missedd", "serve", "--config", str(daemon.config)],
        env=ENVIRON,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, "Traceback" in ended.stderr) == (1, False), ended.stderr
    return ended.stderr


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: 5 * PAGE] + b"\xa5" * PAGE + data[6 * PAGE :],
        lambda data: data[: len(data) // 2 // PAGE * PAGE],
        lambda data: data[:-100],
        lambda data: b"\0" * PAGE + data[PAGE:],
    ],
    ids=["a page overwritten", "half of it", "a torn page", "no header"],
)
def test_what_is_damaged_is_refused_and_a_backup_takes_its_place(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    with Daemon(tmp_path, SHOP, free_port()) as daemon:
        daemon.start()
        for n in range(40):
            assert post(daemon.public_port, missed_call(f"c{n}", f"098765432{n:02d}")) == "200"
        assert missedd(daemon, "backup", str(tmp_path / "backup.db")).returncode == 0
        assert daemon.signal(signal.SIGTERM) == 0
        database = tmp_path / "missedd.db"
        damaged = spoil(database.read_bytes())
        database.write_bytes(damaged)

        said = refused(daemon)
        assert f"cannot use the database {database}" in said
        assert "missedd restore" in said
        assert ".recover" in said
        assert database.read_bytes() == damaged
        assert missedd(daemon, "restore", str(tmp_path / "backup.db")).returncode == 0
        daemon.start()
        assert daemon.api("/api/v1/analytics?campaign=shop")["total_calls"] == 40
        assert daemon.signal(signal.SIGTERM) == 0
