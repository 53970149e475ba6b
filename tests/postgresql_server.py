"""A real PostgreSQL server for tests, in a folder of its own, with an empty missedd database for each test.

A test asks for the fixture `postgresql_server` (one server for all tests of a process) or
`postgresql_database` (a new database with missedd's schema). Where no server is installed, such tests are
skipped; with MISSEDD_POSTGRESQL=required in the environment they fail instead.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from missedd.store.postgresql.migrate import migration_scripts

OLDEST_VERSION = 15

_USER = "postgres"
"""The server refuses to run as root: then it runs as this user, and elsewhere as whoever runs the tests."""
_TEMPLATE = "missedd_template"
_START_S = 60.0
_SETTINGS = {
    # Nothing of a test has to survive a power cut.
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "256MB",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "autovacuum": "off",
    "log_line_prefix": "'%m [%p] %d '",
}


def find_binaries() -> Path | None:
    """The folder of the newest installed server that is new enough; None if there is none."""
    folders = [Path(path) for path in os.environ.get("PATH", "").split(os.pathsep) if path]
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    # Where a link to the program stands, its neighbours may be missing.
    folders = [(folder / "initdb").resolve().parent for folder in folders]
    versions = [(version, folder) for folder in folders if (version := _version(folder)) >= OLDEST_VERSION]
    return max(versions)[1] if versions else None


def _version(folder: Path) -> int:
    if not (folder / "initdb").exists() or not (folder / "postgres").exists():
        return 0
    said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True)
    # For example `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    number = re.search(r"\d+", said.stdout)
    return int(number[0]) if number else 0


@dataclass
class PostgresqlServer:
    """A running server. It trusts whoever reaches its Unix socket in `folder`, or `port` of 127.0.0.1."""

    binaries: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    _templates: set[str] = field(default_factory=set)

    @property
    def log(self) -> str:
        """What the server has written to its log."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def conninfo(self, database: str = "postgres", **options: Any) -> str:
        """What libpq connects with, over the Unix socket."""
        return make_conninfo(
            host=str(self.folder), port=str(self.port), user=_USER, dbname=database, **options
        )

    def url(self, database: str = "postgres") -> str:
        """The same as a URL, over TCP."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def fresh_database(
        self, *, migrated: bool = True, prepare: Callable[[psycopg.Connection[Any]], None] | None = None
    ) -> PostgresqlDatabase:
        """A new database, empty if `migrated` is False, else with missedd's schema; `drop` it in the end.

        What `prepare` does to a database with the schema is done once, and copied.
        """
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.conninfo(), autocommit=True) as connection:
            template = self._template(connection, prepare) if migrated else "template0"
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        return PostgresqlDatabase(self, name)

    def _template(
        self,
        connection: psycopg.Connection[Any],
        prepare: Callable[[psycopg.Connection[Any]], None] | None,
    ) -> str:
        name = _TEMPLATE if prepare is None else f"{_TEMPLATE}_{prepare.__name__}"
        if name not in self._templates:
            connection.execute(f"CREATE DATABASE {name}")
            with psycopg.connect(self.conninfo(name)) as template:
                migrate(template)
                if prepare is not None:
                    prepare(template)
            self._templates.add(name)
        return name

    def kill(self) -> None:
        """End the server as a crash of the machine does; its sessions end too. `start_again` starts it."""
        self.send_to_all(signal.SIGKILL)
        self.process.wait(30)

    def start_again(self) -> None:
        """Start a server that was killed, on the same port, and wait until it has recovered."""
        self.process = _launch(self.binaries, self.folder)
        _wait_until_ready(self)

    def send_to_all(self, number: signal.Signals) -> None:
        """Send a signal to the server and to each process that it has started, for example SIGSTOP."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.process.send_signal(number)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)

    def stop(self) -> None:
        """End every session and the server, and delete its folder."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True)
class PostgresqlDatabase:
    """One database of the server."""

    server: PostgresqlServer
    name: str

    def conninfo(self, **options: Any) -> str:
        return self.server.conninfo(self.name, **options)

    @property
    def url(self) -> str:
        return self.server.url(self.name)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A connection of the test's own, each statement a transaction."""
        return psycopg.connect(self.conninfo(), autocommit=True)

    def drop(self) -> None:
        """Delete the database, and end the sessions that still use it."""
        with psycopg.connect(self.server.conninfo(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {self.name} WITH (FORCE)")


def migrate(connection: psycopg.Connection[Any]) -> None:
    """Give an empty database the newest schema."""
    for script in migration_scripts(0):
        connection.execute(script.encode())


def start_server(binaries: Path) -> PostgresqlServer:
    """A new server with no database of missedd; `stop` it at the end."""
    # Memory, where there is a file system for it: a socket's path must be short, too.
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="missedd-pg-", dir=memory if memory.is_dir() else None))
    user = _server_user()
    if user is not None:
        shutil.chown(folder, user, user)
    port = _free_port()
    data = folder / "data"
    # Sorted by the rules of a language: a comparison that needs the order of bytes fails, as with operators.
    command: list[str | Path] = [binaries / "initdb", "--pgdata", data, "--username", _USER]
    command += ["--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C.UTF-8"]
    command += ["--locale-provider", "icu", "--icu-locale", "en-US"]
    made = subprocess.run(command, capture_output=True, text=True, check=False, user=user, cwd=folder)
    assert made.returncode == 0, made.stderr
    settings = _SETTINGS | {
        "listen_addresses": "'127.0.0.1'",
        "port": str(port),
        "unix_socket_directories": f"'{folder}'",
    }
    with (data / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = {value}\n" for name, value in settings.items())
    server = PostgresqlServer(binaries, folder, port, _launch(binaries, folder))
    try:
        _wait_until_ready(server)
    except BaseException:
        server.stop()
        raise
    return server


def _launch(binaries: Path, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*_ending_with_its_parent(), binaries / "postgres", "-D", folder / "data"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            user=_server_user(),
            # Ctrl-C in a terminal is for the tests: they stop the server.
            process_group=0,
        )


def _server_user() -> str | None:
    return _USER if os.geteuid() == 0 else None


def _ending_with_its_parent() -> list[str]:
    """A prefix of the command by which the server also ends where the tests are killed."""
    return ["setpriv", "--pdeathsig", "INT", "--"] if shutil.which("setpriv") else []


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_until_ready(server: PostgresqlServer) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            psycopg.connect(server.conninfo(connect_timeout=5)).close()
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"PostgreSQL does not start:\n{server.log}") from None
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """The server of this process of the tests."""
    binaries = find_binaries()
    if binaries is None:
        reason = f"no PostgreSQL {OLDEST_VERSION} or newer is installed"
        if os.environ.get("MISSEDD_POSTGRESQL") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    server = start_server(binaries)
    yield server
    server.stop()


@pytest.fixture
def postgresql_database(postgresql_server: PostgresqlServer) -> Iterator[PostgresqlDatabase]:
    """A new database with missedd's schema."""
    database = postgresql_server.fresh_database()
    yield database
    database.drop()
