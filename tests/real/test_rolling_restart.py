"""Two nodes behind the load balancer of docs/cluster.md: restarted one after another, and one is killed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.postgresql_server import PostgresqlDatabase
from tests.real.daemon import Daemon, eventually, free_port
from tests.real.peers import missed_call, post, posting
from tests.real.test_two_nodes import node, roles

PAGE = Path(__file__).parent.parent.parent / "docs" / "cluster.md"
HAPROXY = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
CHECKED_S = 2.5
"""Longer than HAProxy takes to learn that a node is there, or is gone: two checks, one a second."""

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.skipif(HAPROXY is None, reason="no haproxy on this machine: apt-get install haproxy"),
]


@contextmanager
def load_balancer(folder: Path, one: Daemon, two: Daemon) -> Iterator[int]:
    """HAProxy with the configuration that the page shows; gives its port."""
    port = free_port()
    (shown,) = re.findall(r"```haproxy\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for public, here in (
        (":443 ssl crt /etc/haproxy/calls.example.in.pem", f"127.0.0.1:{port}"),
        ("10.0.0.21:8080", f"127.0.0.1:{one.public_port}"),
        ("10.0.0.22:8080", f"127.0.0.1:{two.public_port}"),
    ):
        assert public in shown
        shown = shown.replace(public, here)
    file = folder / "haproxy.cfg"
    file.write_text(shown, "utf-8")
    assert HAPROXY is not None
    subprocess.run([HAPROXY, "-c", "-f", str(file)], check=True, capture_output=True)
    with (folder / "haproxy.log").open("wb") as log:
        running = subprocess.Popen([HAPROXY, "-db", "-f", str(file)], stdout=log, stderr=log)
    try:
        eventually(lambda: post(port, missed_call("probe", "+919876500000")) == "200")
        yield port
    finally:
        running.terminate()
        running.wait(20)


def test_nobody_is_refused_while_nodes_are_restarted_or_killed(
    tmp_path: Path, postgresql_database: PostgresqlDatabase
) -> None:
    exotel_port = free_port()
    with (
        node(tmp_path, "one", postgresql_database, exotel_port) as one,
        node(tmp_path, "two", postgresql_database, exotel_port) as two,
    ):
        one.start()
        two.start()
        with load_balancer(tmp_path, one, two) as port, posting(port, threads=2) as heard:
            for each in (one, two):
                time.sleep(CHECKED_S)
                assert each.signal(signal.SIGTERM) == 0
                each.start()
            time.sleep(CHECKED_S)
            leader = one if roles(two).get("one") == "leads" else two
            leader.signal(signal.SIGKILL)
            time.sleep(CHECKED_S)
            leader.start()
        other_answers = {sid: said for sid, said in heard.statuses.items() if said != "200"}
        assert other_answers == {}
        assert len(heard.statuses) > 20
        with postgresql_database.connect() as connection:
            calls = connection.execute("SELECT call_sid FROM calls").fetchall()
        assert set(heard.statuses) <= {sid for (sid,) in calls}
