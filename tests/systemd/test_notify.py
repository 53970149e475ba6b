"""The supervisor's socket, with a real one at the other end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from missedd.systemd import notify


@pytest.fixture
def supervisor() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.settimeout(2)
        yield listening


def test_what_is_said(supervisor: socket.socket, tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    supervisor.bind(address)
    environ = {"NOTIFY_SOCKET": address}
    notify.ready(environ)
    notify.status("three timers,\nnone due", environ)
    notify.watchdog(environ)
    notify.stopping(environ)
    said = [supervisor.recv(4096) for _ in range(4)]
    assert said == [b"READY=1", b"STATUS=three timers, none due", b"WATCHDOG=1", b"STOPPING=1"]


def test_an_abstract_address(supervisor: socket.socket) -> None:
    name = f"missedd-test-{os.getpid()}"
    supervisor.bind("\0" + name)
    notify.ready({"NOTIFY_SOCKET": "@" + name})
    assert supervisor.recv(4096) == b"READY=1"


def test_the_variable_is_read_from_the_environment(
    supervisor: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.bind(str(tmp_path / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    notify.ready()
    assert supervisor.recv(4096) == b"READY=1"


@pytest.mark.parametrize("address", ["", "relative", "/nowhere/at/all", "@nobody-listens", "/" + "x" * 200])
def test_notify_without_a_supervisor_does_nothing(address: str) -> None:
    notify.ready({"NOTIFY_SOCKET": address})
    notify.ready({})


def test_a_supervisor_that_does_not_read_holds_nothing_up(supervisor: socket.socket, tmp_path: Path) -> None:
    supervisor.bind(str(tmp_path / "notify"))
    for _ in range(5_000):
        notify.watchdog({"NOTIFY_SOCKET": str(tmp_path / "notify")})


@pytest.mark.parametrize(
    ("environ", "interval_s"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": ""}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "42"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "43"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "x"}, None),
    ],
)
def test_how_often_the_watchdog_is_due(environ: dict[str, str], interval_s: float | None) -> None:
    assert notify.watchdog_interval_s(environ, pid=42) == interval_s


def test_the_watchdog_knows_this_program() -> None:
    environ = {"WATCHDOG_USEC": "2000000", "WATCHDOG_PID": str(os.getpid())}
    assert notify.watchdog_interval_s(environ) == 1.0
