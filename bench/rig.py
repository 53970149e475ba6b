"""Servers as real processes, and a hammer: as many distinct missed calls as a server answers."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.real.daemon import ENVIRON, TOKEN, WAIT_AT_MOST_S

PATH: Final = f"/exotel/{TOKEN}/missed-call"
CONNECTIONS: Final = 128
IDLE_SHARE: Final = 0.05
"""Of a processor."""

SETTLED_WITHIN_S: Final = 600
_CPUCLOCK_SCHED: Final = 2
"""Of clock_getcpuclockid(3): what the scheduler gave to all threads of a process."""


@dataclass(frozen=True, slots=True)
class Hammered:
    """What a server answered under all the load that it takes."""

    answered: int
    rate: float
    p99_ms: float
    failed: int


class Server:
    """A process that answers on a port."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    def cpu_s(self) -> float:
        """What it has used of the processors: steadier than the clock on a machine with other work."""
        # The kernel's clock of another process counts nanoseconds; /proc/PID/stat has hundredths of a second.
        return time.clock_gettime((~self.pid << 3) | _CPUCLOCK_SCHED)


def settle(server: Server) -> None:
    """Wait until a server does next to nothing by itself: it may have a history to read first."""
    for _ in range(SETTLED_WITHIN_S):
        before_s = server.cpu_s()
        time.sleep(1)
        if server.cpu_s() - before_s < IDLE_SHARE:
            return
    raise RuntimeError(f"the server was still busy with itself after {SETTLED_WITHIN_S} s")


@contextmanager
def serving(port: int, *module: str) -> Iterator[Server]:
    """Run `python -m …` until the block ends; ready when its port takes connections."""
    with tempfile.TemporaryFile() as output:
        running = subprocess.Popen(
            [sys.executable, "-m", *module], env=ENVIRON, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            began = time.monotonic()
            while not _answers(port):
                if running.poll() is not None or time.monotonic() - began > WAIT_AT_MOST_S:
                    output.seek(0)
                    raise RuntimeError(f"{module[0]} did not start: {output.read().decode()}")
                time.sleep(0.02)
            yield Server(running.pid, port)
        finally:
            running.terminate()
            running.wait(WAIT_AT_MOST_S)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True


def hammer(server: Server, for_s: float, generator: str) -> Hammered:
    """Every connection sends its next call when the one before is answered."""
    return (_wrk if generator == "wrk" else _own)(server, for_s)


def best_generator() -> str:
    """wrk leaves more of a small machine to the server; ours is always there."""
    return "wrk" if shutil.which("wrk") else "own"


def _wrk(server: Server, for_s: float) -> Hammered:
    script = Path(__file__).with_name("wrk.lua")
    run = time.time_ns() // 1_000_000
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{round(for_s)}s", "--timeout", "15s", "-s", str(script)]
    url = f"http://127.0.0.1:{server.port}/"
    output = _run(["wrk", *options, url, "--", PATH, str(run)])
    found = re.search(r"FIGURES (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None:
        raise RuntimeError(f"wrk told nothing: {output}")
    requests, took_us, broken, refused, p99_us = map(int, found.groups())
    answered = requests - refused
    return Hammered(answered, answered / (took_us / 1e6), p99_us / 1000, broken + refused)


def _own(server: Server, for_s: float) -> Hammered:
    found = load(server, "--rate", "max", "--for", f"{for_s:g}", "--connections", str(CONNECTIONS))
    accepted = sum(n for status, n in found["statuses"].items() if status.startswith("2"))
    return Hammered(accepted, accepted / found["took_s"], found["latency_ms"]["p99"], found["errors"])


def load(server: Server, *options: str) -> Any:
    """`missedd-sim load` against the server; its figures."""
    with tempfile.TemporaryDirectory(prefix="missedd-bench-") as folder:
        figures = Path(folder) / "figures.json"
        _run(
            [sys.executable, "-m", "simulator", "load", "--url", server.url, "--json", str(figures), *options]
        )
        return json.loads(figures.read_text("utf-8"))


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout
