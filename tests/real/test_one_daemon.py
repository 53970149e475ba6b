"""One daemon to a database, by whatever name it is opened: two would ring everybody twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.real.daemon import Daemon, free_port
from tests.real.peers import missed_call, post

SHOP = """
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = { flow = "12345", delay = "1h", give_up_after = "2h" }
"""


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_second_daemon_on_a_link_to_the_database_does_not_start(
    tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with Daemon(tmp_path / "first", SHOP, free_port()) as first:
        first.start()
        assert first.running is not None
        assert post(first.public_port, missed_call("one", "09876543210")) == "200"
        database, linked = tmp_path / "first" / "missedd.db", tmp_path / "second" / "missedd.db"
        link(database, linked)
        with Daemon(tmp_path / "second", SHOP, free_port()) as second:
            with pytest.raises(AssertionError):
                second.start()
            assert second.running is not None
            assert second.running.wait(20) == 1
            said = second.log_path.read_text("utf-8")
            assert "Traceback" not in said
            assert f"is in use by missedd, process {first.running.pid}, since" in said
            assert post(first.public_port, missed_call("two", "09876543211")) == "200"
            assert first.signal(signal.SIGTERM) == 0
            second.start()
            assert second.api("/api/v1/analytics?campaign=shop")["total_calls"] == 2
            assert second.signal(signal.SIGTERM) == 0
