"""A real daemon on the database of an older release: a copy, a line in the log, and systemd that waits."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import missedd
from missedd.store.sqlite.migrate import LATEST_VERSION
from tests.real.daemon import Daemon, free_port
from tests.store.sqlite.test_upgrade import BEFORE, Before

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
lead = {}
"""


def test_an_upgrade_is_told_and_given_time(tmp_path: Path) -> None:
    before = Before(tmp_path / "missedd.db")
    before.call("c1", 0)
    before.close()
    with (
        Daemon(tmp_path, SHOP, free_port()) as daemon,
        socket.socket(type=socket.SOCK_DGRAM, family=socket.AF_UNIX) as systemd,
    ):
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        daemon.environ["NOTIFY_SOCKET"] = str(tmp_path / "notify")
        daemon.start()
        (starting,), (upgraded,) = daemon.events("daemon.starting"), daemon.events("store.upgraded")
        assert (starting["version"], starting["config"]) == (
            missedd.__version__,
            str(daemon.config),
        )
        copy = tmp_path / f"missedd.db.before-{BEFORE + 1:04d}"
        assert (upgraded["from_version"], upgraded["to_version"]) == (BEFORE, LATEST_VERSION)
        assert (upgraded["copy"], copy.is_file(), upgraded["seconds"] > 0) == (str(copy), True, True)
        assert daemon.signal(signal.SIGTERM) == 0
        said = [systemd.recv(1000).decode() for _ in range(3)]
        assert said == [
            "EXTEND_TIMEOUT_USEC=60000000",
            "STATUS=bringing the database of an older release up to date",
            "READY=1",
        ]
        daemon.start()
        assert len(daemon.events("store.upgraded")) == 1
