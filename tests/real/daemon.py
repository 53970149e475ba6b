"""Real processes for tests: a daemon on a real file, and the simulated exchange it talks to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

TOKEN = "token-for-tests-only"
ENVIRON = {
    **os.environ,
    "EXOTEL_API_KEY": "simkey",
    "EXOTEL_API_TOKEN": "simtoken",
    "MISSEDD_WEBHOOK_TOKEN": TOKEN,
    "MISSEDD_WEBHOOK_SECRET": "whsec_c2VjcmV0LWZvci10ZXN0cy1vbmx5LTEyMw==",
}
WAIT_AT_MOST_S = 30.0
"""For things that take well under a second on an idle machine."""


AS_SYSTEMD = """
import fcntl, os, sys
passed = [fcntl.fcntl(int(each), fcntl.F_DUPFD, 100) for each in sys.argv[1].split(",")]
for wanted, each in enumerate(passed, 3):
    os.dup2(each, wanted)
    os.close(each)
os.environ |= {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(passed)), "LISTEN_FDNAMES": sys.argv[2]}
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts inherited sockets where systemd's protocol wants them, and becomes the program."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Daemon:
    """`missedd serve` on a configuration; its log lines are read from a file.

    `checkout` is another checkout whose program is to run, in the environment that `make` gave it there.
    """

    start_at_most_s = WAIT_AT_MOST_S

    def __init__(self, folder: Path, campaign: str, exotel_port: int, checkout: Path | None = None) -> None:
        self.config = folder / "missedd.toml"
        self.log_path = folder / "missedd.log.logger"
        self.public_port, self.private_port = free_port(), free_port()
        self.config.write_text(
            f"""
[listen]
public = "127.0.0.1:{self.public_port}"
private = "127.0.0.1:{self.private_port}"
[exotel]
account_sid = "example1"
api_base = "http://127.0.0.1:{exotel_port}"
calls_per_minute = 6000
sms_per_minute = 6000
{campaign}
""",
            "utf-8",
        )
        self.environ = dict(ENVIRON)
        self._checkout = checkout
        self.running: subprocess.Popen[bytes] | None = None

    @property
    def missed_call_url(self) -> str:
        return f"http://127.0.0.1:{self.public_port}/exotel/{TOKEN}/missed-call"

    def start(self, passed: Mapping[str, socket.socket] | None = None) -> float:
        """Start it and return how many seconds it took to be ready.

        `passed` are sockets, by name, that it is to find as systemd would leave them.
        """
        began, seen = time.monotonic(), len(self.events("daemon.started"))
        python = (
            sys.executable if self._checkout is None else str(self._checkout / ".venv" / "bin" / "python")
        )
        command = [python, "-m", "missedd", "serve", "--config", str(self.config)]
        sockets = passed or {}
        if sockets:
            descriptors = ",".join(str(each.fileno()) for each in sockets.values())
            command = [sys.executable, "-c", AS_SYSTEMD, descriptors, ":".join(sockets), *command]
        with self.log_path.open("ab") as log:
            self.running = subprocess.Popen(
                command,
                cwd=self._checkout,
                env=self.environ,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[each.fileno() for each in sockets.values()],
            )
        while len(self.events("daemon.started")) == seen:
            assert self.running.poll() is None, self.log_path.read_text("utf-8")
            assert time.monotonic() - began < self.start_at_most_s
            time.sleep(0.02)
        return time.monotonic() - began

    def signal(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        assert self.running is not None
        self.running.send_signal(number)
        return self.running.wait(WAIT_AT_MOST_S)

    def events(self, name: str) -> list[dict[str, Any]]:
        if not self.log_path.exists():
            return []
        lines = self.log_path.read_text("utf-8").splitlines()
        return [each for each in map(_line, lines) if each.get("event") == name]

    def api(self, path: str) -> Any:
        answer = httpx.get(f"http://127.0.0.1:{self.private_port}{path}", trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.running is not None and self.running.poll() is None:
            self.running.kill()
            self.running.wait()


def _line(text: str) -> dict[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def resident_mb(pid: int) -> float:
    """The memory that a process really has."""
    for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no memory is told of {pid}")


class ExchangeServer:
    """`missedd-sim serve`, until the block ends."""

    def __init__(self, port: int, missed_call_url: str | None = None, *options: str) -> None:
        self.port = port
        self._options = [] if missed_call_url is None else ["--missed-call-url", missed_call_url]
        self._options += options

    def __enter__(self) -> Self:
        self._running = subprocess.Popen(
            [sys.executable, "-m", "simulator", "serve", "--port", str(self.port), *self._options],
            env=ENVIRON,
            stdout=subprocess.DEVNULL,
        )
        began = time.monotonic()
        while True:
            try:
                self.control("GET", "health")
                return self
            except httpx.HTTPError:
                assert self._running.poll() is None
                assert time.monotonic() - began < WAIT_AT_MOST_S
                time.sleep(0.05)

    def __exit__(self, *ignored: object) -> None:
        self._running.terminate()
        assert self._running.wait(WAIT_AT_MOST_S) == 0

    def control(self, method: str, what: str, body: object = None) -> Any:
        answer = httpx.request(
            method, f"http://127.0.0.1:{self.port}/_sim/{what}", json=body, timeout=60, trust_env=False
        )
        answer.raise_for_status()
        return answer.json()


def eventually(condition: Any, within_s: float = WAIT_AT_MOST_S) -> None:
    """Wait for something that is under way; fails when it does not come."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within_s, "it did not come"
        time.sleep(0.05)
