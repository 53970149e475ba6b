"""How late callbacks leave a leader when another node took the call in.

What is due a second later or more, the leader reads before it is due. Of what is due at once the leader hears
by the news, which go out four times a second.
"""

from __future__ import annotations

import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from bench.provider import Provider, running
from tests.postgresql_server import PostgresqlServer
from tests.real.daemon import Daemon
from tests.real.peers import missed_call, post

DELAYS_S: Final = {"due at once": 0.0, "due after 3 s": 3.0}
CALLS: Final = 100
APART_S: Final = 0.1
WAIT_AT_MOST_S: Final = 30.0
CONFIG: Final = """
catch_up = false
[store]
url = "{url}"
[node]
name = "{name}"
[[campaign]]
name = "shop"
exophones = ["+918047120001"]
callback = {{ flow = "12345", delay = "{delay_s:g}s", give_up_after = "10m" }}
"""


def measure_late(server: PostgresqlServer, say: Callable[[str], None]) -> dict[str, Any]:
    """Milliseconds from the due instant to the request's arrival at the provider."""
    found: dict[str, Any] = {}
    for about, delay_s in DELAYS_S.items():
        say(f"cluster: {CALLS} callbacks {about}, taken in by the node that does not lead")
        late = _late_ms(server, delay_s)
        found[about] = {
            name: round(late[int(share * len(late))], 1) for name, share in (("p50", 0.5), ("p99", 0.99))
        } | {"max": round(late[-1], 1)}
    return found


def _late_ms(server: PostgresqlServer, delay_s: float) -> list[float]:
    database = server.fresh_database()
    with (
        running() as provider,
        tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder,
        _node(Path(folder), "leads", database.url, provider, delay_s) as leader,
        _node(Path(folder), "takes-in", database.url, provider, delay_s) as other,
    ):
        leader.start()
        other.start()
        for index in range(CALLS):
            if post(other.public_port, missed_call(f"late-{index}", f"+9198765{index:05d}")) != "200":
                raise RuntimeError("a call was not taken in")
            time.sleep(APART_S)
        with database.connect() as connection:
            rows = connection.execute("SELECT number, due_at FROM actions").fetchall()
        due_at = {number: at_us / 1e6 for number, at_us in rows}
        late_ms = _awaited(provider, due_at)
        for node in (other, leader):
            if node.signal(signal.SIGTERM):
                raise RuntimeError("a daemon did not stop well")
    database.drop()
    return late_ms


def _node(folder: Path, name: str, url: str, provider: Provider, delay_s: float) -> Daemon:
    (folder / name).mkdir()
    return Daemon(folder / name, CONFIG.format(url=url, name=name, delay_s=delay_s), provider.port)


def _awaited(provider: Provider, due_at: dict[str, float]) -> list[float]:
    give_up_at = max(due_at.values()) + WAIT_AT_MOST_S
    while len(provider.asked_at) < len(due_at):
        if time.time() > give_up_at:
            raise RuntimeError(f"{len(due_at) - len(provider.asked_at)} callbacks never left")
        time.sleep(0.1)
    return sorted((provider.asked_at[number] - at) * 1000 for number, at in due_at.items())
