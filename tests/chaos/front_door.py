"""The load balancer before the nodes: each connection goes to a random one of those that are ready."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Self

from tests.chaos.nodes import Node
from tests.cluster.ports import free_ports

PROBE_INTERVAL_S = 0.3
CHUNK = 65_536


class FrontDoor:
    def __init__(self, rng: Random) -> None:
        (self.port,) = free_ports(1)
        self._rng = rng
        self._nodes: Sequence[Node] = ()
        self._ready: frozenset[Node] = frozenset()
        self._is_open = True

    def lead_to(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        for node in nodes:
            threading.Thread(target=self._probe, args=(node,), daemon=True).start()

    def __enter__(self) -> Self:
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=256)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_open = False
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _probe(self, node: Node) -> None:
        while self._is_open:
            self._ready = self._ready | {node} if node.is_ready else self._ready - {node}
            time.sleep(PROBE_INTERVAL_S)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        """While none is ready any node is asked: its 503 says more than a closed door."""
        candidates = [node for node in self._nodes if node in self._ready] or [*self._nodes]
        self._rng.shuffle(candidates)
        for node in candidates:
            with suppress(OSError):
                server = socket.create_connection(("127.0.0.1", node.public_port))
                break
        else:
            client.close()
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answers = threading.Thread(target=_pump, args=(server, client), daemon=True)
        answers.start()
        _pump(client, server)
        answers.join()
        client.close()
        server.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(CHUNK):
            sink.sendall(piece)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
