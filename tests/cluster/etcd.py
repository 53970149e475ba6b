"""Three etcd, in which the database machines agree on who is the primary."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from tests.cluster import programs
from tests.cluster.ports import free_ports

MEMBERS = ("etcd1", "etcd2", "etcd3")


class Etcd:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        ports = free_ports(2 * len(MEMBERS))
        self._clients = dict(zip(MEMBERS, ports[::2], strict=True))
        self._peers = dict(zip(MEMBERS, ports[1::2], strict=True))

    @property
    def hosts(self) -> list[str]:
        return [f"127.0.0.1:{port}" for port in self._clients.values()]

    def __enter__(self) -> Self:
        peers = {name: f"http://127.0.0.1:{port}" for name, port in self._peers.items()}
        self._running = []
        for name in MEMBERS:
            client = f"http://127.0.0.1:{self._clients[name]}"
            options = {
                "name": name,
                "data-dir": str(self._folder / name),
                "listen-client-urls": client,
                "advertise-client-urls": client,
                "listen-peer-urls": peers[name],
                "initial-advertise-peer-urls": peers[name],
                "initial-cluster": ",".join(f"{member}={url}" for member, url in peers.items()),
                "initial-cluster-state": "new",
                # Three members on one busy disk: a second, the default, ends terms that are in order.
                "election-timeout": "3000",
            }
            command = ["etcd", *(f"--{key}={value}" for key, value in options.items())]
            self._running.append(programs.start(command, self._folder / f"{name}.log"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        programs.kill(each.pid for each in self._running)
        for each in self._running:
            each.wait()
