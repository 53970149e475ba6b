"""Connects to the host, of those in the URL, that accepts writes.

libpq tries hosts one after another. It blocks the loop while it resolves a name, and without a thread it has
no time limit for a host whose machine is dead. So each host is an attempt of our own: the next one starts
when the one before has failed, or is silent for a moment, and the first that succeeds is taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import psycopg
import trio
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from missedd.config.store_location import PostgresqlLocation
from missedd.store.db.error_text import first_line
from missedd.store.postgresql.trio_connection import TrioConnection

CONNECT_LIMIT_S: Final = 4.0
"""How long connecting may take in a running daemon: Exotel gets its 503 after 5 s in every case."""

NEXT_HOST_AFTER_S: Final = 0.5
"""Silence of a host after which the next one is tried too. An answer takes a tenth of it, even far away."""

ANSWER_LIMIT_S: Final = 5.0
"""How long the server may be silent during a statement before its connection is dropped."""

_OPTIONS: Final[Mapping[str, str | int | None]] = {
    "application_name": "missedd",
    "target_session_attrs": "read-write",
    "client_encoding": "utf-8",
    # Dead machines: unanswered data ends the connection, and so do three keepalives without an answer.
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "gssencmode": "disable",
}
"""Defaults; options in the URL win."""

_SETTINGS: Final[Mapping[str, object]] = {
    "default_transaction_isolation": "read committed",
    "standard_conforming_strings": "on",
    # A daemon that stands still in a transaction must not hold its locks for long. Milliseconds.
    "idle_in_transaction_session_timeout": 3000,
    # Limits on statements would also end the wait of a COMMIT for its standby: the commit would be visible
    # here, and might be on no other machine.
    "statement_timeout": 0,
    "lock_timeout": 0,
    # The server notices in this time that whoever waits for a statement has gone.
    "client_connection_check_interval": 1000,
}
"""Settings of every session; they are ours, whatever the server, the database and the role have."""


class Unreachable(psycopg.OperationalError):
    """No host accepted the connection; the message has the reason of each one."""


@dataclass(frozen=True, slots=True)
class ConnectionFactory:
    """Opens connections to one database. `repr` does not show the password."""

    location: PostgresqlLocation
    settings: Mapping[str, object] = field(default_factory=dict)
    """Settings of the sessions beside those that all have."""
    has_own_settings: bool = True
    """Whether the sessions have the settings that all have."""

    async def connect(self, limit_s: float = CONNECT_LIMIT_S) -> TrioConnection:
        """Raises `Unreachable` after `limit_s` seconds at the latest; its message has no password."""
        attempts = _attempts(self.location, {**(_SETTINGS if self.has_own_settings else {}), **self.settings})
        failures: list[str] = []
        with trio.move_on_after(limit_s):
            connection = await _first_success(attempts, failures)
            if connection is not None:
                connection.answer_limit_s = ANSWER_LIMIT_S
                return connection
        raise Unreachable("; ".join(dict.fromkeys(failures)) or f"no answer for {limit_s:g} s")


@dataclass(frozen=True, slots=True)
class _Attempt:
    host: str
    port: int
    parameters: Mapping[str, str | int | None]

    async def connect(self) -> TrioConnection:
        """Raises `psycopg.Error`, or `OSError` for a name that nobody knows."""
        if not self.host or self.host.startswith("/"):  # the socket of a server on this machine
            return await TrioConnection.connect_to(self._conninfo(host=self.host or None))
        found = await trio.socket.getaddrinfo(self.host, self.port, type=trio.socket.SOCK_STREAM)
        *others, last = dict.fromkeys(str(address[0]) for *_, address in found)
        for address in others:
            with suppress(psycopg.OperationalError):
                return await self._connect_to(address)
        return await self._connect_to(last)

    async def _connect_to(self, address: str) -> TrioConnection:
        # By the host libpq knows the certificate's name and the line of the pgpass file.
        return await TrioConnection.connect_to(self._conninfo(host=self.host, hostaddr=address))

    def _conninfo(self, **place: str | None) -> str:
        return make_conninfo("", **self.parameters, port=self.port, **place)


def _attempts(location: PostgresqlLocation, settings: Mapping[str, object]) -> list[_Attempt]:
    given = {**_OPTIONS, **conninfo_to_dict(location.url)}
    if location.password is not None:
        given["password"] = location.password
    spelled = " ".join(f"-c {name}={_option_value(value)}" for name, value in settings.items())
    given["options"] = f"{given.get('options', '')} {spelled}".strip()
    hosts = str(given.pop("hostaddr", None) or given.get("host") or "").split(",")
    given.pop("host", None)
    ports = str(given.pop("port", None) or "5432").split(",")
    if len(ports) == 1:
        ports *= len(hosts)
    return [_Attempt(host, int(port or "5432"), given) for host, port in zip(hosts, ports, strict=True)]


def _option_value(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace(" ", "\\ ")


async def _first_success(attempts: Sequence[_Attempt], failures: list[str]) -> TrioConnection | None:
    """A connection to the first host that accepts one; None if all fail, `failures` then says why."""
    connections: list[TrioConnection] = []

    async def run(attempt: _Attempt, failed: trio.Event, scope: trio.CancelScope) -> None:
        try:
            connections.append(await attempt.connect())
            scope.cancel()
        except (psycopg.Error, OSError) as failure:
            failures.append(_reason(attempt, failure))
            failed.set()

    try:
        async with trio.open_nursery() as nursery:
            for attempt in attempts:
                failed = trio.Event()
                nursery.start_soon(run, attempt, failed, nursery.cancel_scope)
                with trio.move_on_after(NEXT_HOST_AFTER_S):
                    await failed.wait()
        return connections.pop(0) if connections else None
    finally:
        for connection in connections:
            connection.discard()


def _reason(attempt: _Attempt, failure: Exception) -> str:
    # psycopg: connection failed: connection to server at "10.0.0.5", port 5432 failed: Connection refused
    text = first_line(failure)
    place, separator, reason = text.rpartition(" failed: ")
    return f"{attempt.host or 'local'}:{attempt.port}: {reason if separator and place else text}"
