"""One database machine: a Patroni and the PostgreSQL that it runs. It can die, hang and come back.

Patroni runs on the file that operators are given, ops/patroni/patroni.yml. What differs here, such as
addresses and folders, stands in a second file, which Patroni lays over the first. Passwords are in the
environment.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from tests.cluster import programs

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "ops" / "patroni" / "patroni.yml"
PATRONI = ROOT / "build" / "patroni"
PYTHON = "/usr/bin/python3"
"""The system's own: the user postgres may not be allowed to run the one of the tests."""
PASSWORD = "password-for-tests-only"
API_TIMEOUT_S = 2.0
"""Patroni answers in milliseconds, or hangs."""


def server_programs() -> Path | None:
    """The folder with the programs of the newest PostgreSQL server; None where there is none."""
    folders = [each.parent for each in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    if folders:
        return max(folders, key=lambda folder: int(folder.parent.name))
    found = shutil.which("postgres")
    return None if found is None else Path(found).resolve().parent


class DatabaseMachine:
    def __init__(self, name: str, folder: Path, etcd_hosts: list[str], port: int, api_port: int) -> None:
        """`folder` is the machine's own. The ports are PostgreSQL's and Patroni's."""
        self.name = name
        self.port = port
        self._api = f"127.0.0.1:{api_port}"
        self._etcd_hosts = etcd_hosts
        self.config = folder / "config"
        self._folder = folder
        self._data = folder / "data"
        self._patroni: subprocess.Popen[bytes] | None = None
        self._hanging: list[int] = []

    def __str__(self) -> str:
        return self.name

    def start(self) -> None:
        """Switch it on: Patroni starts the server, or copies the primary's first."""
        assert self._patroni is None, f"{self} runs"
        if not self.config.exists():
            self.config.mkdir()
            programs.give(self.config)
            shutil.copy(SHIPPED, self.config / "1-shipped.yml")
            # JSON is YAML too.
            (self.config / "2-here.yml").write_text(json.dumps(self._overrides()), "utf-8")
        passwords = dict.fromkeys(("PATRONI_SUPERUSER_PASSWORD", "PATRONI_REPLICATION_PASSWORD"), PASSWORD)
        self._patroni = programs.start(
            [PYTHON, "-m", "patroni", str(self.config)],
            self._folder / "patroni.log",
            {"PYTHONPATH": str(PATRONI), **passwords},
        )

    def _overrides(self) -> dict[str, Any]:
        address, bin_folder = f"127.0.0.1:{self.port}", server_programs()
        assert bin_folder is not None, "PostgreSQL's server is not installed"
        return {
            "name": self.name,
            "restapi": {"listen": self._api, "connect_address": self._api},
            "etcd3": {"hosts": self._etcd_hosts},
            # Else a test that stops Patroni would reboot a workstation that has such a device.
            "watchdog": {"mode": "off"},
            "postgresql": {
                "listen": address,
                "connect_address": address,
                "data_dir": str(self._data),
                "bin_dir": str(bin_folder),
                "pgpass": str(self._folder / "pgpass"),
                "parameters": {"unix_socket_directories": str(self._folder)},
                "pg_hba": [
                    f"host {database} all 127.0.0.1/32 scram-sha-256" for database in ("replication", "all")
                ],
            },
        }

    def kill(self) -> None:
        """The machine dies: Patroni, the server and all connections, at once. `start` brings it back."""
        if self._patroni is None:
            return
        programs.kill(self._roots())
        self._patroni.wait()
        self._patroni, self._hanging = None, []

    def kill_server(self) -> None:
        """Only the server dies (kill -9 of its first process); Patroni sees it."""
        server = self._server()
        assert server is not None, f"{self} has no server"
        programs.send(signal.SIGKILL, [server])

    def hang(self) -> None:
        """The whole machine stands still: it answers nobody, and its connections stay open."""
        self._hanging = programs.family(self._roots())
        programs.send(signal.SIGSTOP, self._hanging)

    def wake(self) -> None:
        """A machine that hung goes on where it was, not knowing that time has passed."""
        programs.send(signal.SIGCONT, reversed(self._hanging))
        self._hanging = []

    def ask(
        self, method: str, path: str, body: object = None, timeout_s: float = API_TIMEOUT_S
    ) -> httpx.Response | None:
        """Patroni's answer; None if there is none."""
        with suppress(httpx.HTTPError):
            return httpx.request(
                method, f"http://{self._api}{path}", json=body, timeout=timeout_s, trust_env=False
            )
        return None

    @property
    def serves(self) -> bool:
        answer = self.ask("GET", "/health")
        return answer is not None and answer.status_code == 200

    def _roots(self) -> list[int]:
        assert self._patroni is not None, f"{self} does not run"
        server = self._server()
        return [self._patroni.pid, *([] if server is None else [server])]

    def _server(self) -> int | None:
        """The first process of the server, if it runs. The file outlives a server that was killed."""
        try:
            pid = int((self._data / "postmaster.pid").read_text("utf-8").split("\n", 1)[0])
            is_ours = Path(f"/proc/{pid}/cwd").readlink() == self._data
        except (FileNotFoundError, ProcessLookupError, ValueError):
            return None
        return pid if is_ours else None
