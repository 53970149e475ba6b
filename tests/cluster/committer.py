"""Somebody who commits one numbered row after another, and says at the end what was lost.

The simplest client that can tell: it shows how long a fault lasts with no daemon around it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import psycopg

from tests.cluster.machine import PASSWORD

BETWEEN_S = 0.005
RETRY_S = 0.05
SILENCE_S = 4.0
"""After so long without an answer the connection is given up. TCP alone does not do it: where only the
programs stand still, the kernel goes on acknowledging."""


@dataclass(slots=True)
class Commits:
    acknowledged: list[int] = field(default_factory=list)
    unknown: list[int] = field(default_factory=list)
    """Their COMMIT got no answer."""
    pauses_s: list[float] = field(default_factory=list)
    """Between two acknowledged ones, in their order."""
    errors: list[str] = field(default_factory=list)

    def lost(self, stored: set[int]) -> list[int]:
        """Acknowledged and not stored."""
        return [number for number in self.acknowledged if number not in stored]


class Committer:
    """Commits from a thread of its own while the block runs. Leaving it waits for one more success."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.commits = Commits()
        self._is_over = False
        self._asked: tuple[float, socket.socket] | None = None
        self._committing = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        with self._connect() as connection:
            connection.execute("CREATE TABLE numbers (number bigint)")
        self._committing.start()
        threading.Thread(target=self._end_silent_connections, daemon=True).start()
        self.wait_for_success()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.wait_for_success()
        self._is_over = True
        self._committing.join()

    def wait_for_success(self, at_most_s: float = 120.0) -> float:
        """Until a commit that began after now is acknowledged; the seconds that it took."""
        began, known = time.monotonic(), len(self.commits.acknowledged) + 1
        while len(self.commits.acknowledged) <= known:
            assert time.monotonic() - began < at_most_s, self.commits.errors[-3:]
            time.sleep(0.01)
        return time.monotonic() - began

    def stored(self) -> set[int]:
        with self._connect() as connection:
            return {number for (number,) in connection.execute("SELECT number FROM numbers")}

    def _run(self) -> None:
        number, last = 0, time.monotonic()
        while not self._is_over:
            try:
                with self._connect() as connection, _socket_of(connection) as way_out:
                    while not self._is_over:
                        number += 1
                        self._asked = (time.monotonic(), way_out)
                        self._commit(connection, number)
                        self._asked = None
                        last, before = time.monotonic(), last
                        self.commits.pauses_s.append(last - before)
                        time.sleep(BETWEEN_S)
            except psycopg.Error as error:
                self._asked = None
                self.commits.errors.append(f"{type(error).__name__}: {error}".strip())
                time.sleep(RETRY_S)

    def _commit(self, connection: psycopg.Connection, number: int) -> None:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO numbers VALUES (%s)", (number,))
        self.commits.unknown.append(number)
        connection.execute("COMMIT")
        self.commits.unknown.pop()
        self.commits.acknowledged.append(number)

    def _end_silent_connections(self) -> None:
        while self._committing.is_alive():
            time.sleep(0.1)
            asked = self._asked
            if asked is not None and time.monotonic() - asked[0] > SILENCE_S:
                with suppress(OSError):
                    asked[1].shutdown(socket.SHUT_RDWR)

    def _connect(self) -> psycopg.Connection:
        return psycopg.connect(
            self._url,
            password=PASSWORD,
            target_session_attrs="read-write",
            connect_timeout=2,
            tcp_user_timeout=3000,
            autocommit=True,
        )


def _socket_of(connection: psycopg.Connection) -> socket.socket:
    """The socket under a connection, by a descriptor of our own: libpq may close its own at any time."""
    return socket.socket(fileno=os.dup(connection.fileno()))
