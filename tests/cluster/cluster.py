"""A PostgreSQL cluster on the loopback address: three etcd, three database machines.

It is up in some fifteen seconds, and ended with all its programs at the end of the `with` block.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql

from tests.cluster import programs
from tests.cluster.etcd import Etcd
from tests.cluster.machine import PASSWORD, PATRONI, DatabaseMachine, server_programs
from tests.cluster.ports import free_ports

MACHINES = ("pg1", "pg2", "pg3")
WHOLE_AT_MOST_S = 180.0
"""How long a machine may take to come back: seconds, or as long as a copy of all data takes."""

USER = "missedd"


def what_is_missing() -> str | None:
    """What has to be installed first, in words; None if nothing."""
    missing = []
    if server_programs() is None:
        missing.append("PostgreSQL's server")
    if shutil.which("etcd") is None:
        missing.append("etcd")
    if not PATRONI.exists():
        missing.append("Patroni (make patroni)")
    return f"not installed: {', '.join(missing)}" if missing else None


class NotWhole(Exception):
    """The cluster did not become whole in time. The message has its state and the ends of the logs."""


class Cluster:
    def __enter__(self) -> Self:
        with ExitStack() as stack:
            name = stack.enter_context(tempfile.TemporaryDirectory(prefix="missedd-cluster-"))
            self.folder = Path(name)
            self.folder.chmod(0o755)
            programs.give(self.folder)
            etcd = stack.enter_context(Etcd(self.folder))
            ports = free_ports(2 * len(MACHINES))
            self.machines = [
                DatabaseMachine(each, self._subfolder(each), etcd.hosts, port, api_port)
                for each, port, api_port in zip(MACHINES, ports[::2], ports[1::2], strict=True)
            ]
            for machine in self.machines:
                stack.callback(machine.kill)
                machine.start()
            self.wait_until_whole()
            with self.connect("postgres", user="postgres") as connection:
                connection.execute(
                    sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(USER), PASSWORD)
                )
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def _subfolder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        programs.give(folder)
        return folder

    def url(self, database: str) -> str:
        """For `[store] url`: all three servers, and no password."""
        hosts = ",".join(f"127.0.0.1:{machine.port}" for machine in self.machines)
        return f"postgresql://{USER}@{hosts}/{database}"

    def connect(self, database: str, user: str = USER) -> psycopg.Connection:
        """A connection to the primary, which commits each statement. Raises psycopg.OperationalError."""
        return psycopg.connect(
            self.url(database),
            user=user,
            password=PASSWORD,
            target_session_attrs="read-write",
            connect_timeout=2,
            autocommit=True,
        )

    def create_database(self, name: str) -> str:
        """An empty database that missedd owns; its URL."""
        with self.connect("postgres", user="postgres") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(USER))
            )
        return self.url(name)

    def members(self) -> list[dict[str, Any]]:
        """What Patroni knows of each machine: name, role, state, timeline, lag. Empty while none answers."""
        for machine in self.machines:
            answer = machine.ask("GET", "/cluster")
            if answer is not None and answer.status_code == 200:
                members: list[dict[str, Any]] = answer.json()["members"]
                return members
        return []

    def machine_with(self, role: str) -> DatabaseMachine | None:
        """One machine with that role: `leader` is the primary, a `quorum_standby` follows it in step."""
        names = [each["name"] for each in self.members() if each["role"] == role]
        return next((machine for machine in self.machines if machine.name in names), None)

    def primary(self) -> DatabaseMachine:
        machine = self.machine_with("leader")
        assert machine is not None, self.members()
        return machine

    def standby(self) -> DatabaseMachine:
        """One of the two, of which one has each commit before it is answered."""
        machine = self.machine_with("quorum_standby")
        assert machine is not None, self.members()
        return machine

    def switch_over(self) -> None:
        """Make the standby the primary, as an operator does for maintenance."""
        primary, standby = self.primary(), self.standby()
        body = {"leader": primary.name, "candidate": standby.name}
        answer = primary.ask("POST", "/switchover", body, timeout_s=60)
        assert answer is not None, f"{primary} does not answer"
        assert answer.status_code == 200, answer.text

    def wait_until_whole(self) -> float:
        """Wait until all three serve, two of them in step with the primary; the seconds that it took."""
        began = time.monotonic()
        while not self._is_whole():
            if time.monotonic() - began > WHOLE_AT_MOST_S:
                raise NotWhole(f"{self.members()}\n{self._ends_of_logs()}")
            time.sleep(0.2)
        return time.monotonic() - began

    def _is_whole(self) -> bool:
        members = self.members()
        roles = sorted(each["role"] for each in members)
        return (
            roles == ["leader", "quorum_standby", "quorum_standby"]
            and all(each["state"] in ("running", "streaming") for each in members)
            and len({each.get("timeline") for each in members}) == 1
            and all(each.get("lag", 0) == 0 for each in members)
            # The members' list tells of a dead machine until its lease is over.
            and all(machine.serves for machine in self.machines)
        )

    def _ends_of_logs(self) -> str:
        logs = [*self.folder.glob("*.log"), *self.folder.glob("*/patroni.log")]
        return "\n".join(f"{log}: {log.read_text('utf-8', 'replace')[-2000:]}" for log in sorted(logs))
