"""A daemon's database is moved to a PostgreSQL while a callback is pending, and a daemon goes on there."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.browser.test_looks import PAGES
from tests.postgresql_server import PostgresqlServer
from tests.real.daemon import Daemon, ExchangeServer, eventually, free_port
from tests.real.peers import missed_call, post
from tests.real.test_two_nodes import dialled

pytestmark = pytest.mark.postgresql

PASSWORD = "hunter2-of-the-database"
CAMPAIGN = """
[store]
{store}
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = {{ flow = "12345", delay = "{delay}", give_up_after = "10m" }}
lead = {{}}
"""
BEFORE, AFTER = "+919876510000", "+919876520000"
LISTS = ("calls", "actions", "leads", "subscriptions", "suppressions", "campaigns", "audit", "nodes")


def daemon(folder: Path, name: str, store: str, delay: str, exotel_port: int) -> Daemon:
    (folder / name).mkdir(exist_ok=True)
    daemon = Daemon(folder / name, CAMPAIGN.format(store=store, delay=delay), exotel_port)
    daemon.environ["MISSEDD_DATABASE_PASSWORD"] = PASSWORD
    return daemon


def test_a_pending_callback_is_made_by_the_daemon_on_the_postgresql(
    tmp_path: Path, postgresql_server: PostgresqlServer
) -> None:
    port = free_port()
    database = postgresql_server.fresh_database(migrated=False)
    file = tmp_path / "missedd.db"
    with (
        daemon(tmp_path, "file", f'path = "{file}"', "20s", port) as old,
        daemon(tmp_path, "node", f'url = "{database.url}"', "20s", port) as new,
        ExchangeServer(port) as exchange,
    ):
        old.start()
        assert post(old.public_port, missed_call("before", BEFORE)) == "200"
        before = old.api("/api/v1/calls/before")
        assert old.signal(signal.SIGTERM) == 0

        moved = subprocess.run(
            [
                *(sys.executable, "-m", "missedd", "migrate-store"),
                *("--config", str(new.config), "--from", str(file)),
            ],
            env=new.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert moved.returncode == 0, moved.stderr
        new.start()
        assert new.api("/api/v1/calls/before") == before
        assert post(new.public_port, missed_call("after", AFTER)) == "200"
        # A redelivery to the new one is still a redelivery.
        assert post(new.public_port, missed_call("before", BEFORE)) == "200"
        eventually(lambda: dialled(exchange) == {BEFORE: 1, AFTER: 1}, 60)

        with httpx.Client(base_url=f"http://127.0.0.1:{new.private_port}", trust_env=False) as client:
            pages = [path for path in PAGES.values() if not path.startswith("/find")]
            paths = [*pages, "/calls/before", f"/numbers/%2B{BEFORE[1:]}", "/metrics", "/readyz"]
            paths += [f"/api/v1/{name}" for name in LISTS]
            paths += ["/api/v1/analytics", "/api/v1/quarantine", "/api/v1/calls?format=csv"]
            answers = {path: client.get(path).status_code for path in paths}
            assert answers == dict.fromkeys(paths, 200)
            metrics = client.get("/metrics").text.splitlines()
        for line in ("missedd_leader 1.0", "missedd_nodes_alive 1.0", "missedd_synchronous_standby 0.0"):
            assert line in metrics

        refused = subprocess.run(
            [sys.executable, "-m", "missedd", "serve", "--config", str(old.config)],
            env=old.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 1
        assert f"was moved to {database.url}" in refused.stderr
        assert new.signal(signal.SIGTERM) == 0
        shown = moved.stdout + moved.stderr + refused.stdout + refused.stderr
        assert PASSWORD not in shown + new.log_path.read_text("utf-8")
    database.drop()
