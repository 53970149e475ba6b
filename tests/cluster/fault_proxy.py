"""A network between a daemon and its database that can fail: a TCP proxy in threads of the tests.

    with FaultProxy(server_port) as proxy:
        ...                     # something connects to proxy.port
        proxy.lose_commit_answers(1)

It looks into PostgreSQL's protocol only to see a COMMIT pass. So connections must not be encrypted.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self

from tests.cluster.ports import free_ports

CHUNK = 65_536
COMMIT_REQUEST = b"COMMIT\x00"
COMMIT_ANSWER = b"C\x00\x00\x00\x0bCOMMIT\x00"
"""PostgreSQL's message that a transaction is committed."""


class Network(Enum):
    """What becomes of bytes and of new connections."""

    WELL = "well"
    SILENT = "silent"
    """Nothing passes, and nobody is told. New connections are taken and lead nowhere. What was sent meanwhile
    arrives late, once the network is well again, as TCP has it; unless `cut` came first."""
    REFUSING = "refusing"
    """New connections are refused. Those that there are go on."""


@dataclass(slots=True)
class CommitLoss:
    """Commits still to be lost, and how many were."""

    wanted: int = 0
    done: int = 0


class _Link:
    """One connection of a client, and ours to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server

    def cut(self) -> None:
        """Both sides see the end at once, and both threads that wait for bytes."""
        for each in (self.client, self.server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class FaultProxy:
    def __init__(self, server_port: int) -> None:
        (self.port,) = free_ports(1)
        self.delay_s = 0.0
        """How long each piece is held back, in both directions."""
        self.lost_requests = CommitLoss()
        """COMMITs that never reached the server: nothing was committed."""
        self.lost_answers = CommitLoss()
        """COMMITs that the server did, and the client never heard so."""
        self._server = ("127.0.0.1", server_port)
        self._network = Network.WELL
        self._changed = threading.Condition()
        self._links: set[_Link] = set()
        self._listening: socket.socket | None = None
        self._is_open = True

    def __enter__(self) -> Self:
        self._listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._is_open = False
            self._changed.notify_all()
        self._refuse()
        self.cut()

    def become(self, network: Network) -> None:
        with self._changed:
            was, self._network = self._network, network
            self._changed.notify_all()
        if network is Network.REFUSING:
            self._refuse()
        elif was is Network.REFUSING:
            self._listen()

    def cut(self) -> None:
        """End all connections, with what is on its way."""
        with self._changed:
            links = [*self._links]
        for link in links:
            link.cut()

    def lose_commit_requests(self, count: int) -> None:
        """The next COMMITs are lost on their way to the server, with their connections."""
        self.lost_requests.wanted = count

    def lose_commit_answers(self, count: int) -> None:
        """The next COMMITs are done; their answers are lost, with their connections."""
        self.lost_answers.wanted = count

    def _listen(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def _refuse(self) -> None:
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.shutdown(socket.SHUT_RDWR)  # wakes the thread in `accept`
            listening.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._wait_while_silent()
        try:
            server = socket.create_connection(self._server)
        except OSError:
            client.close()
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link = _Link(client, server)
        with self._changed:
            self._links.add(link)
        answers = threading.Thread(target=self._pump, args=(link, True), daemon=True)
        answers.start()
        self._pump(link, False)
        answers.join()
        with self._changed:
            self._links.discard(link)
        client.close()
        server.close()

    def _pump(self, link: _Link, are_answers: bool) -> None:
        """Carry one direction until its end, which ends the other too."""
        source, sink = (link.server, link.client) if are_answers else (link.client, link.server)
        marker, loss = (
            (COMMIT_ANSWER, self.lost_answers) if are_answers else (COMMIT_REQUEST, self.lost_requests)
        )
        with suppress(OSError):
            while piece := source.recv(CHUNK):
                time.sleep(self.delay_s)
                self._wait_while_silent()
                if marker in piece and self._takes(loss):
                    break
                sink.sendall(piece)
        link.cut()

    def _takes(self, loss: CommitLoss) -> bool:
        with self._changed:
            if loss.wanted == 0:
                return False
            loss.wanted -= 1
            loss.done += 1
            return True

    def _wait_while_silent(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._network is not Network.SILENT or not self._is_open)
